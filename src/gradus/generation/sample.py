"""Sampling: the next token, drawn from a model's logits by a rule of temperature, top-k and top-p."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradus.backend import F, torch
from gradus.errors import UserError


@dataclass(frozen=True)
class SamplingRule:
    """How the next token is drawn from the logits: the temperature first, then top-k, then top-p.

    Attributes:
        temperature: divides the logits; 0 means greedy decoding, always the most likely token.
        top_k: draw from the k largest logits only (Fan et al., 2018); of equal ones the first; None means all.
        top_p: of those, draw from the smallest set of the most likely tokens whose probabilities add up to at least
            top_p (nucleus sampling, Holtzman et al., 2020); None means all.

    Raises:
        UserError: if temperature is negative or not finite, top_k is less than 1, or top_p is not above 0 and at
            most 1.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not self.temperature >= 0:  # nan is refused too
            raise UserError(f"temperature must be 0 or more, got {self.temperature}")
        if self.temperature == math.inf:
            raise UserError("temperature must be finite, got inf; 1e9 makes all tokens equally likely")
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"top_k must be between 1 and the vocabulary size, got {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UserError(f"top_p must be more than 0 and at most 1, got {self.top_p}")

    def check_vocab_size(self, vocab_size: int) -> None:
        """Raise UserError if top_k is larger than the vocabulary."""
        if self.top_k is not None and self.top_k > vocab_size:
            raise UserError(f"top_k must be between 1 and the vocabulary size {vocab_size}, got {self.top_k}")


def sample_token(
    logits: torch.Tensor, rule: SamplingRule = SamplingRule(), *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Draw the next token from a model's last logits.

    Args:
        logits: (B, V), any float dtype; -inf marks a token that cannot be drawn.
        rule: temperature, top-k and top-p.
        generator: where the randomness comes from; None uses the global one.

    Returns:
        (B, 1) int64.

    Raises:
        UserError: if the rule's top_k is larger than V.
        ValueError: if a row has no token that can be drawn.
    """
    rule.check_vocab_size(logits.size(-1))
    logits = logits.float()
    largest = logits.max(dim=-1, keepdim=True).values  # (B, 1)
    for value in largest.flatten().tolist():
        if not math.isfinite(value):
            raise ValueError(f"the largest logit must be finite, got {value}: there is no token to draw")
    if rule.temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    # The largest becomes 0, so that no temperature can make it infinite; the bounds are about those of float32.
    logits = (logits - largest) / min(max(rule.temperature, 1e-30), 1e30)
    if rule.top_k is not None or (rule.top_p is not None and rule.top_p < 1):
        logits = _mask_unlikely(logits, rule)
    return torch.multinomial(F.softmax(logits, dim=-1), num_samples=1, generator=generator)


def _mask_unlikely(logits: torch.Tensor, rule: SamplingRule) -> torch.Tensor:
    """(B, V) -> (B, V) with -inf for the tokens that top-k or top-p leave out; the others are unchanged."""
    sorted_logits, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    if rule.top_k is not None:
        rank = torch.arange(logits.size(-1), device=logits.device)  # (V,)
        sorted_logits = sorted_logits.masked_fill(rank >= rule.top_k, -math.inf)
    if rule.top_p is not None:
        p = F.softmax(sorted_logits, dim=-1)
        p_before = p.cumsum(dim=-1) - p  # of all more likely tokens together; 0 for the first, which is never left out
        sorted_logits = sorted_logits.masked_fill(p_before >= rule.top_p, -math.inf)
    return sorted_logits.gather(-1, order.argsort(dim=-1))  # back into the vocabulary's order
