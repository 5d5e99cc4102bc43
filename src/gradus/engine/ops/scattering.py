"""scatter_reduce: many numbers combined at one position by a sum, product, mean or extreme."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import FLOATING, Array
from gradus.engine.dtypes.limits import limits_of
from gradus.engine.ops.indexing import along

_WAYS: dict[str, Any] = {
    "sum": np.add,
    "prod": np.multiply,
    "mean": np.add,
    "amax": np.maximum,
    "amin": np.minimum,
}


def _start(reduce: str, kind: np.dtype[Any]) -> Any:
    """What changes nothing when it is combined with a number."""
    if reduce in ("sum", "mean", "prod"):
        return reduce == "prod"
    if kind.kind in FLOATING:
        return -np.inf if reduce == "amax" else np.inf
    if kind.kind == "b":
        return reduce == "amin"
    return limits_of(kind).min if reduce == "amax" else limits_of(kind).max


class ScatterReduce(Function):
    """y[i, index[i, j]] = x there combined with every src[i, j].    Of a sum dsrc = dy at index; of a product times the
    others; of a mean divided by their number; of an extreme shared among those that equal it. dx likewise
    """

    def forward(self, x: Array, src: Array, index: Array, *, axis: int, reduce: str, include_self: bool) -> Array:
        self.shape, self.places = src.shape, along(index, axis)
        self.part = tuple(slice(n) for n in index.shape)
        self.x, self.src, self.reduce, self.include_self = x, src[self.part], reduce, include_self
        self.y = self._combined(x, self.src)
        return self.y

    def _combined(self, x: Array, src: Array) -> Array:
        y = x.copy()
        if not self.include_self:
            y[self.places] = _start(self.reduce, y.dtype)
        _WAYS[self.reduce].at(y, self.places, src)
        if self.reduce == "mean":
            n = np.maximum(self._counts(1), 1)
            y = y // n if y.dtype.kind in "iub" else y / n
        return y.astype(x.dtype, copy=False)

    def _counts(self, each: Any) -> Array:
        """How many numbers (or how much of each) are added at every position."""
        counts = np.full(self.x.shape, int(self.include_self), np.int64)
        np.add.at(counts, self.places, each)
        return counts

    def backward(self, dy: Array) -> Any:
        dx, picked = getattr(self, "_" + self.reduce)(dy)
        if not self.include_self:
            dx = dx.copy()
            dx[self.places] = 0
        dsrc = np.zeros(self.shape, dy.dtype)
        dsrc[self.part] = picked
        return dx, dsrc, None

    def _sum(self, dy: Array) -> tuple[Array, Array]:
        return dy, dy[self.places]

    def _mean(self, dy: Array) -> tuple[Array, Array]:
        share = (dy / np.maximum(self._counts(1), 1)).astype(dy.dtype)
        return share, share[self.places]

    def _prod(self, dy: Array) -> tuple[Array, Array]:
        """The product of all the others: without dividing by zero where one or more of them are."""
        x, src, at = self.x, self.src, self.places
        full = np.where(x == 0, 1, x)
        dx = dy * self._combined(full, src) / full
        zero = src == 0
        zeros = np.zeros(x.shape, np.int64)
        np.add.at(zeros, at, zero)
        alone = zero & (zeros[at] == 1)
        filled = np.where(alone, 1, src)
        with_others = dy[at] * self._combined(x, filled)[at]
        divided = dy[at] * self.y[at] / np.where(zero, 1, src)
        return dx, np.where(zeros[at] > 1, 0, np.where(alone, with_others, divided))

    def _amax(self, dy: Array) -> tuple[Array, Array]:
        mine, theirs = self.x == self.y, self.src == self.y[self.places]
        n = mine.astype(np.int64)
        np.add.at(n, self.places, theirs)
        share = (dy / np.maximum(n, 1)).astype(dy.dtype)
        return share * mine, share[self.places] * theirs

    _amin = _amax
