"""Generating text with any model: compute the logits, draw a token, append it, repeat."""

from __future__ import annotations

from collections.abc import Iterator

from gradus.backend import torch
from gradus.generation.sample import SamplingRule, sample_token
from gradus.models import LanguageModel, inference


def generate(
    model: LanguageModel,
    idx: torch.Tensor,
    max_new_tokens: int,
    rule: SamplingRule = SamplingRule(),
    *,
    generator: torch.Generator | None = None,
    stop: int | None = None,
) -> torch.Tensor:
    """Continue rows of tokens; each row is a sample of its own.

    >>> model = build_model("ngram", vocab_size=3, block_size=8, order=2)
    >>> text = np.array([[0, 1, 2, 0, 1, 2]])
    >>> model.count(text[:, :-1], text[:, 1:])  # after 0 comes 1, after 1 comes 2, after 2 comes 0
    >>> generate(model, torch.tensor([[1]]), 4, SamplingRule(temperature=0)).tolist()
    [[1, 2, 0, 1, 2]]

    Args:
        idx: (B, T) int64, T at least 1; if it is longer than the model's block_size, the model sees its last tokens.
        max_new_tokens: how many tokens to add at most.
        rule: how each token is drawn: temperature, top-k and top-p.
        generator: where the randomness comes from; None uses the global one.
        stop: the token that ends a row. The rest of that row is filled with it; generation stops when all rows have
            ended.

    Returns:
        (B, T + n) int64, the given rows with the n tokens that were added, n <= max_new_tokens.

    Raises:
        UserError: if the rule's top_k is larger than the vocabulary.
        ValueError: if idx has no token to start from, max_new_tokens is negative, or `sample_token` finds no token to
            draw.
    """
    return torch.cat([idx, *stream(model, idx, max_new_tokens, rule, generator=generator, stop=stop)], dim=1)


def stream(
    model: LanguageModel,
    idx: torch.Tensor,
    max_new_tokens: int,
    rule: SamplingRule = SamplingRule(),
    *,
    generator: torch.Generator | None = None,
    stop: int | None = None,
) -> Iterator[torch.Tensor]:
    """Like `generate`, but yields the new tokens (B, 1) of each step as soon as they are drawn; not the rows given."""
    if idx.dim() != 2 or idx.size(1) == 0:
        raise ValueError(f"idx must be rows of at least one token, (B, T), got the shape {tuple(idx.shape)}")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    rule.check_vocab_size(model.config.vocab_size)

    def steps(new: torch.Tensor) -> Iterator[torch.Tensor]:
        state = None  # what the model keeps of the tokens before
        ended = torch.zeros_like(new[:, :1], dtype=torch.bool)  # (B, 1): the rows that have drawn the stop token
        for _ in range(max_new_tokens):
            with inference(model):
                logits, state = model.read(new, state)  # (B, T) -> (B, V)
                token = sample_token(logits, rule, generator=generator)  # (B, V) -> (B, 1)
            if stop is not None:
                token = token.masked_fill(ended, stop)  # a row that has ended stays ended
                ended = ended | (token == stop)
            yield token
            if stop is not None and bool(ended.all()):
                return
            new = token  # read it, and continue

    return steps(idx)  # an inner generator, so that the checks above run at the call, not at the first token
