"""What the sections of the models share: the tokens that a model of a short context sees, and probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.explorer.opened import Opened
from gradus.text.tokenizer import Ids


def context_of(row: Ids, position: int, size: int, before: int = 0) -> list[int]:
    """The last `size` tokens of a row up to a position, the oldest first. What lies before the row is the token
    `before`: 0, or -1 where it is not known."""
    padded = [before] * size + row[: position + 1].tolist()
    return padded[len(padded) - size :]


def pieces_of(opened: Opened, ids: list[int]) -> list[str]:
    """The texts of tokens; "?" for one that is not known."""
    return [opened.piece(id_) if id_ >= 0 else "?" for id_ in ids]


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(..., V) in float64; all -inf, which is what an n-gram without smoothing says of an unknown context, gives 0."""
    x = logits.astype(np.float64)
    p = np.exp(x - np.maximum(x.max(axis=-1, keepdims=True), -1e300))
    out: NDArray[np.float64] = p / np.maximum(p.sum(axis=-1, keepdims=True), 1e-300)
    return out
