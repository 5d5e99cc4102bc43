"""The next token, drawn by the softmax of a model's scores, made sharper or flatter, or cut to the likeliest tokens."""

from __future__ import annotations

import math

from gradus.backend import F, torch


def sample_token(
    logits: torch.Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Draw the next token from a model's last logits.

    Args:
        logits: (B, V), any float dtype; -inf marks a token that cannot be drawn.
        temperature: divides the logits; 0 means the most likely token.
        top_k: keep only the k largest logits (Fan et al., 2018), of equal ones the first; None keeps all.
        top_p: of those, keep the fewest likeliest tokens that have together at least this probability (nucleus
            sampling, Holtzman et al., 2020); None keeps all.
        generator: where the randomness comes from; None uses the global one.

    Returns:
        (B, 1) int64.

    Raises:
        ValueError: if temperature is negative or not finite, top_k is not in 1..V, top_p is not above 0 and at most 1,
            or a row has no token to draw.
    """
    check_rule(logits.size(-1), temperature, top_k, top_p)
    logits = logits.float()
    best = logits.max(dim=-1, keepdim=True).values  # (B, 1)
    for value in best.flatten().tolist():
        if not math.isfinite(value):
            raise ValueError(f"the largest logit must be finite, got {value}: there is no token to draw")
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    # The largest is 0, so that no temperature can make it infinite; float32 has none that are smaller or larger.
    logits = (logits - best) / min(max(temperature, 1e-30), 1e30)
    if top_k is not None or (top_p is not None and top_p < 1):
        logits = _keep_likeliest(logits, top_k, top_p)
    return torch.multinomial(F.softmax(logits, dim=-1), num_samples=1, generator=generator)


def check_rule(vocab_size: int, temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise ValueError for a rule that nothing could be drawn by."""
    if not temperature >= 0:  # nan is refused too
        raise ValueError(f"temperature must be 0 or more, got {temperature}")
    if temperature == math.inf:
        raise ValueError("temperature must be finite, got inf; 1e9 makes all tokens equally likely")
    if top_k is not None and not 1 <= top_k <= vocab_size:
        raise ValueError(f"top_k must be between 1 and the vocabulary size {vocab_size}, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be more than 0 and at most 1, got {top_p}")


def _keep_likeliest(logits: torch.Tensor, top_k: int | None, top_p: float | None) -> torch.Tensor:
    """(B, V) -> (B, V) with -inf for the tokens that top_k or top_p leave out; the others stay in their places."""
    falling, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    if top_k is not None:
        rank = torch.arange(logits.size(-1), device=logits.device)  # (V,)
        falling = falling.masked_fill(rank >= top_k, float("-inf"))
    if top_p is not None:
        p = F.softmax(falling, dim=-1)
        likelier = (
            p.cumsum(dim=-1) - p
        )  # how much the tokens before this one have together; 0 for the first, which always stays
        falling = falling.masked_fill(likelier >= top_p, float("-inf"))
    place = order.argsort(dim=-1)  # where each token stands in the falling order
    return falling.gather(-1, place)
