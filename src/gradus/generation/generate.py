"""One loop by which every model writes: score the row, draw a token, append it, again."""

from __future__ import annotations

from collections.abc import Iterator

from gradus.backend import torch
from gradus.generation.sample import check_rule, sample_token
from gradus.models import LanguageModel, inference


def generate(
    model: LanguageModel,
    idx: torch.Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    stop: int | None = None,
) -> torch.Tensor:
    """Continue rows of tokens; each row is a sample of its own.

    Args:
        idx: (B, T) int64, T at least 1; it may be longer than the model's block_size, which then sees the end of it.
        max_new_tokens: how many tokens to add at most.
        temperature, top_k, top_p, generator: the rule, as `sample_token` has it.
        stop: the token that ends a row. What follows it in that row is the same token again; when all rows have ended,
            writing ends.

    Returns:
        (B, T + n) int64, the given rows with the n tokens that were added, n <= max_new_tokens.

    Raises:
        ValueError: if idx has no token to start from, max_new_tokens is negative, or `sample_token` refuses the rule.
    """
    steps = stream(
        model, idx, max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator, stop=stop
    )
    return torch.cat([idx, *steps], dim=1)


def stream(
    model: LanguageModel,
    idx: torch.Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    stop: int | None = None,
) -> Iterator[torch.Tensor]:
    """As `generate`, but gives each step's tokens (B, 1) as soon as they are drawn, without the rows they continue."""
    if idx.dim() != 2 or idx.size(1) == 0:
        raise ValueError(f"idx must be rows of at least one token, (B, T), got the shape {tuple(idx.shape)}")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    check_rule(model.config.vocab_size, temperature, top_k, top_p)
    return _steps(model, idx, max_new_tokens, temperature, top_k, top_p, generator, stop)


def _steps(
    model: LanguageModel,
    idx: torch.Tensor,
    max_new_tokens: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator | None,
    stop: int | None,
) -> Iterator[torch.Tensor]:
    sight = min(model.block_size, max(1, model.context))  # no prediction sees more of the row
    ended = torch.zeros((idx.size(0), 1), dtype=torch.bool, device=idx.device)
    for _ in range(max_new_tokens):
        idx = idx[:, -sight:]
        with inference(model):
            logits, _ = model(idx)  # (B, T, V)
            token = sample_token(
                logits[:, -1, :], temperature=temperature, top_k=top_k, top_p=top_p, generator=generator
            )
        if stop is not None:
            token = token.masked_fill(ended, stop)
            ended = ended | (token == stop)
        yield token
        if stop is not None and bool(ended.all()):
            return
        idx = torch.cat([idx, token], dim=1)
