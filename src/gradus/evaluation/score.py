"""The loss of a model over all rows of a split, and the units it is given in.

Which tokens a prediction may see is decided by how the rows were cut: windows side by side (comparable with nanoGPT)
or sliding, so that every scored position has most of a window before it. Either way each token is scored once, and
every one weighs the same, whatever the size of the batch it came in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradus.backend import torch
from gradus.models import LanguageModel, device_of, inference, rows_at_once

Ints = NDArray[np.int64]


class Rows(Protocol):
    """What is scored, as `gradus.text.Rows` has it: batches x, y (B, T) int64, with -1 in y where nothing is scored; or
    pairs, labelled or masked texts."""

    def batches(self, batch_size: int, /) -> Iterator[tuple[Ints, Ints]]: ...


@dataclass(frozen=True)
class Score:
    """The sum of the negative log-likelihoods of `count` tokens, in nats, and what follows from it."""

    total: float
    count: int

    def __repr__(self) -> str:
        if not self.count:
            return "Score(nothing)"
        return (
            f"Score({self.nats:.4f} nats, {self.bits:.4f} bits a token, perplexity {self.perplexity:.4g}, "
            f"over {self.count:,} tokens)"
        )

    @property
    def nats(self) -> float:
        """Mean negative log-likelihood of a token."""
        return self.total / self.count

    @property
    def bits(self) -> float:
        """The same in bits; with a character tokenizer, bits per character."""
        return self.nats / math.log(2)

    @property
    def perplexity(self) -> float:
        """exp(nats): how many equally likely tokens would be as hard to predict."""
        try:
            return math.exp(self.nats)
        except OverflowError:
            return math.inf

    def bits_per(self, number: int) -> float:
        """Bits for each of the characters, or bytes, that the tokens stand for: comparable between tokenizers."""
        return self.total / math.log(2) / number


def evaluate(model: LanguageModel, rows: Rows, *, batch_size: int | None = None, part: slice = slice(None)) -> Score:
    """Score all rows, in eval mode and without a graph; the model is left in the mode it was in.

    Args:
        rows: every target that is not -1 is scored.
        batch_size: rows at a time; None is what `rows_at_once` says. It does not change the score, beyond rounding.
        part: which rows of each batch to score: those of one process of several, which then add up their scores. As
            they may compute the model together, each passes as many batches through it.

    Raises:
        ValueError: if no target is scored, in any part.
    """
    device = device_of(model)
    total, count, anything = 0.0, 0, False
    at_once = rows_at_once(model.config.vocab_size, model.block_size) if batch_size is None else batch_size
    with inference(model):
        for batch in rows.batches(at_once):
            some = len(batch[0][part]) > 0
            x, y = (np.ascontiguousarray(array[part if some else slice(1)]) for array in batch)
            scored = model.scored(y) if some else 0
            _, loss = model(torch.from_numpy(x).to(device), torch.from_numpy(y).to(device))
            if scored:
                total += loss.item() * scored  # a Python float: the sum is float64
                count += scored
            anything = anything or scored > 0 or model.scored(batch[1]) > 0
    if not anything:
        raise ValueError("there is nothing to score: all targets are -1")
    return Score(total, count)
