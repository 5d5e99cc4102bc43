"""A language model and batches small enough for a test: 13 tokens, rows of 8, dropout so that randomness matters."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.backend import torch
from gradus.models import LanguageModel, build_model

VOCAB_SIZE, BLOCK_SIZE, BATCH_SIZE = 13, 8, 4


def tiny_gpt(**settings: Any) -> LanguageModel:
    torch.manual_seed(7)
    sizes = {"n_layer": 1, "n_head": 2, "n_embd": 8, "dropout": 0.2, **settings}
    return build_model("gpt", vocab_size=VOCAB_SIZE, block_size=BLOCK_SIZE, **sizes)


class TinyBatches:
    """Rows that count upwards from a random token, so that there is something to learn."""

    steps_per_epoch = 5

    def __init__(self) -> None:
        self.asked: list[int] = []

    def batch(self, step: int, rows: slice = slice(None)) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        self.asked.append(step)
        starts = np.random.default_rng([3, step]).integers(0, VOCAB_SIZE, size=(BATCH_SIZE, 1))
        ids = (starts + np.arange(BLOCK_SIZE + 1)) % VOCAB_SIZE
        return ids[rows, :-1].copy(), ids[rows, 1:].copy()


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def dev_loss(model: LanguageModel) -> float:
    """The loss on batches that training does not see, without dropout."""
    with torch.no_grad():
        x, y = TinyBatches().batch(1_000_000)
        _, loss = model(torch.from_numpy(x), torch.from_numpy(y))
        assert loss is not None
        return float(loss.item())
