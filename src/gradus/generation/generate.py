"""Generating text with any model: compute the logits, draw a token, append it, repeat. What the model keeps of the
tokens that it has read, such as keys and values, makes a step cost one token, not the whole text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from gradus.backend import F, torch
from gradus.generation.decoder import decoder
from gradus.generation.sample import SamplingRule, sample_token
from gradus.models import LanguageModel, inference

# Parameters from which on a compiled step pays: of a smaller model a whole text takes less time than compiling does,
# once on a machine, and loading what was compiled, once in a process.
WORTH_COMPILING = 4_000_000


class Drawn(NamedTuple):
    """One step: a token for each row.

    Attributes:
        token: (B, 1) int64.
        logprob: (B, 1), the log probability that the model gave it, in nats, before temperature and the other settings.
        logits: (B, V), the model's, from which it was drawn.
    """

    token: torch.Tensor
    logprob: torch.Tensor
    logits: torch.Tensor


@overload
def generate(
    model: LanguageModel,
    idx: torch.Tensor,
    max_new_tokens: int,
    rule: SamplingRule = ...,
    *,
    generator: torch.Generator | None = ...,
    stop: int | None = ...,
) -> torch.Tensor: ...
@overload
def generate(
    model: LanguageModel,
    idx: Sequence[torch.Tensor],
    max_new_tokens: int,
    rule: SamplingRule = ...,
    *,
    generator: torch.Generator | None = ...,
    stop: int | None = ...,
) -> list[torch.Tensor]: ...


def generate(
    model: LanguageModel,
    idx: torch.Tensor | Sequence[torch.Tensor],
    max_new_tokens: int,
    rule: SamplingRule = SamplingRule(),
    *,
    generator: torch.Generator | None = None,
    stop: int | None = None,
) -> torch.Tensor | list[torch.Tensor]:
    """Continue rows of tokens; each row is a sample of its own.

    >>> model = build_model("ngram", vocab_size=3, block_size=8, order=2)
    >>> text = np.array([[0, 1, 2, 0, 1, 2]])
    >>> model.count(text[:, :-1], text[:, 1:])  # after 0 comes 1, after 1 comes 2, after 2 comes 0
    >>> generate(model, torch.tensor([[1]]), 4, SamplingRule(temperature=0)).tolist()
    [[1, 2, 0, 1, 2]]

    Args:
        idx: (B, T) int64, T at least 1, or a list of rows (T,) that may differ in length. Of a row that is, or becomes,
            longer than the model's block_size, the model sees the last block_size tokens; a recurrent one carries all
            that it has read in its state.
        max_new_tokens: how many tokens to add at most.
        rule: how each token is drawn: temperature, top-k, top-p, min-p, repetition penalty.
        generator: where the randomness comes from; None uses the global one.
        stop: the token that ends a row. The rest of that row is filled with it; generation stops when all rows have
            ended.

    Returns:
        (B, T + n) int64, the given rows with the n tokens that were added, n <= max_new_tokens; or a list of them.

    Raises:
        ValueError: if a row has no token to start from, max_new_tokens is negative, or `sample_token` finds no token
            to draw.
    """
    steps = [drawn.token for drawn in stream(model, idx, max_new_tokens, rule, generator=generator, stop=stop)]
    if isinstance(idx, torch.Tensor):
        return torch.cat([idx, *steps], dim=1)
    return [torch.cat([row, *(token[i] for token in steps)]) for i, row in enumerate(idx)]


def stream(
    model: LanguageModel,
    idx: torch.Tensor | Sequence[torch.Tensor],
    max_new_tokens: int,
    rule: SamplingRule = SamplingRule(),
    *,
    generator: torch.Generator | None = None,
    stop: int | None = None,
) -> Iterator[Drawn]:
    """Like `generate`, but yields the new tokens of each step as soon as they are drawn; not the rows given."""
    if isinstance(idx, torch.Tensor) and (idx.dim() != 2 or idx.numel() == 0):
        raise ValueError(f"idx must be rows of at least one token, (B, T), got the shape {tuple(idx.shape)}")
    rows = list(idx)
    if not rows or any(row.dim() != 1 or len(row) == 0 for row in rows):
        shapes = ", ".join(str(tuple(row.shape)) for row in rows)
        raise ValueError(f"idx must be rows of at least one token, (T,), got the shapes [{shapes}]")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    return _steps(model, rows, max_new_tokens, rule, generator, stop)  # so that the checks run at the call


def _steps(
    model: LanguageModel,
    rows: Sequence[torch.Tensor],
    max_new_tokens: int,
    rule: SamplingRule,
    generator: torch.Generator | None,
    stop: int | None,
) -> Iterator[Drawn]:
    token: torch.Tensor | None = None  # (B, 1), the last that were drawn
    state = None  # what the model keeps of the tokens before
    ended = torch.zeros(len(rows), 1, dtype=torch.bool, device=rows[0].device)  # the rows that have drawn `stop`
    seen = _seen(rows, model.config.vocab_size) if rule.repetition_penalty != 1 else None
    compiled = None
    for step in range(max_new_tokens):
        if step == 1 and len(rows) == 1 and model.num_parameters() >= WORTH_COMPILING:
            compiled = decoder(model)
        if token is not None and compiled is not None and compiled.takes(token, state):
            logits = compiled.read(token, state)
        else:
            with inference(model):
                logits, state = model.read_rows(rows) if token is None else model.read(token, state)  # (B, V)
        with torch.no_grad():
            token = sample_token(logits, rule, seen=seen, generator=generator)  # (B, V) -> (B, 1)
            logprob = F.log_softmax(logits.float(), dim=-1).gather(1, token)  # (B, V) -> (B, 1)
        if stop is not None:
            token = token.masked_fill(ended, stop)  # a row that has ended stays ended
            logprob = logprob.masked_fill(ended, 0.0)
            ended = ended | (token == stop)
        if seen is not None:
            seen.scatter_(1, token, True)
        yield Drawn(token, logprob, logits)
        if stop is not None and bool(ended.all()):
            return


def _seen(rows: Sequence[torch.Tensor], vocab_size: int) -> torch.Tensor:
    """(B, V) bool: which tokens are in each row."""
    seen = torch.zeros(len(rows), vocab_size, dtype=torch.bool, device=rows[0].device)
    for i, row in enumerate(rows):
        seen[i, row] = True
    return seen
