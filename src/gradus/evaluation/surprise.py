"""Where a model is surprised: the loss of each token along a text, and the positions of a split that it predicts worst,
with what it expected there instead. Works for models that count as for those that learn by gradient descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradus.backend import torch
from gradus.models import NOT_SCORED, LanguageModel, device_of, inference
from gradus.text import Rows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
EXPECTED = 3  # of the likeliest tokens that are told


@dataclass(frozen=True)
class Surprise:
    """A token that a model did not expect.

    Attributes:
        context: (n,) the tokens before it that the model was given in this row.
        losses: (n,) how surprising each of these was, in nats; NaN for the first.
        token: what came.
        loss: of it, in nats; infinite where the model holds it to be impossible.
        expected: the likeliest tokens instead, with their probabilities.
    """

    context: Ints
    losses: Floats
    token: int
    loss: float
    expected: tuple[tuple[int, float], ...]

    def __repr__(self) -> str:
        return f"Surprise(token {self.token} after {len(self.context)} others, {self.loss:.2f} nats)"

    @property
    def probability(self) -> float:
        """What the model gave to the token that came."""
        return math.exp(-self.loss)


def worst(model: LanguageModel, rows: Rows, number: int = 10, *, batch_size: int = 64) -> list[Surprise]:
    """The targets with the highest losses over all rows, the worst first.

    Args:
        rows: every target that is not -1 counts.
        number: how many; fewer if there are not so many targets.
        batch_size: rows at a time.

    Raises:
        ValueError: if number is less than 1.
    """
    if number < 1:
        raise ValueError(f"number must be at least 1, got {number}")
    found: list[Surprise] = []
    with inference(model):
        for x, y in rows.batches(batch_size):
            logp = _log_probabilities(model, x)  # (B, T, V)
            losses = np.where(y == NOT_SCORED, -np.inf, _losses(logp, np.maximum(y, 0)))  # (B, T)
            least = found[-1].loss if len(found) == number else -np.inf
            order = np.argsort(-losses, axis=None, kind="stable")[:number]
            for row, t in zip(*np.unravel_index(order, losses.shape), strict=True):
                if losses[row, t] > least:
                    found.append(_surprise(x[row], logp[row], int(t), int(y[row, t])))
            found = sorted(found, key=lambda surprise: -surprise.loss)[:number]
    return found


def token_losses(model: LanguageModel, tokens: ArrayLike) -> Floats:
    """How surprised a model is by each token of a text, given those before it.

    A text longer than the block of the model is read in windows that overlap by half, so that every prediction sees at
    least half a block.

    >>> text = Corpus("tale", "stream", source="an example", text="abcd" * 50)
    >>> tokenizer = CharTokenizer.train(text)
    >>> model = build_model("bigram", vocab_size=4, block_size=8)
    >>> token_losses(model, tokenizer.encode("abca")).round(4)
    array([1.3863, 1.3863, 1.3863])

    Args:
        tokens: (n,) ids, n at least 2. For a document as the models know it, begin with the separator.

    Returns:
        (n - 1,) nats, of tokens[1:].

    Raises:
        ValueError: if there are fewer than two tokens.
    """
    ids = np.asarray(tokens, dtype=np.int64)
    if ids.ndim != 1 or len(ids) < 2:
        raise ValueError(f"tokens must be (n,) with n at least 2, got shape {ids.shape}")
    x, y = ids[:-1], ids[1:]
    overlap = 0 if model.carry else model.block_size // 2
    out = np.empty(len(x))
    done = 0
    with inference(model):
        while done < len(x):
            start = max(0, done - overlap)
            end = min(len(x), start + model.block_size)
            losses = _losses(_log_probabilities(model, x[None, start:end]), y[None, start:end])  # (1, end - start)
            out[done:end] = losses[0, done - start :]
            done = end
    return out


def _log_probabilities(model: LanguageModel, x: Ints) -> Floats:
    """(B, T) -> (B, T, V), float64; -inf for what the model holds to be impossible."""
    logits = model(torch.from_numpy(x).to(device_of(model)))[0].detach().double().cpu().numpy()
    shifted = logits - logits.max(axis=-1, keepdims=True)
    out: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return out


def _losses(logp: Floats, y: Ints) -> Floats:
    out: Floats = -np.take_along_axis(logp, y[..., None], axis=-1)[..., 0]
    return out


def _surprise(x: Ints, logp: Floats, t: int, target: int) -> Surprise:
    """Position t of a row x (T,) with logp (T, V)."""
    likeliest = np.argsort(-logp[t], kind="stable")[:EXPECTED]
    return Surprise(
        context=x[: t + 1],
        losses=np.concatenate([[np.nan], _losses(logp[:t], x[1 : t + 1])]),
        token=target,
        loss=float(-logp[t, target]),
        expected=tuple((int(i), float(np.exp(logp[t, i]))) for i in likeliest),
    )
