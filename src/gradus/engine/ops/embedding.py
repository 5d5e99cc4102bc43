"""Rows of a table, and sums, means and maxima of them, bag by bag. The loops are in `kernels/embedding.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import embedding as kernels


class Embedding(Function):
    """y = the rows of W that idx names.    dW[idx] += dy"""

    def forward(self, weight: Array, idx: Array, padding_idx: int | None = None) -> Array:
        self.shape, self.idx, self.padding_idx = weight.shape, idx, padding_idx
        if idx.size and (idx.min() < 0 or idx.max() >= len(weight)):
            raise IndexError(
                f"index out of range in self: the indices go from {idx.min()} to {idx.max()}, the table has "
                f"{len(weight)} rows"
            )
        return np.take(weight, idx, axis=0)

    def backward(self, dy: Array) -> Any:
        dw = np.zeros(self.shape, dtype=dy.dtype)
        kernels.add_rows(dw, self.idx, dy)
        if self.padding_idx is not None:
            dw[self.padding_idx] = 0
        return dw, None


class EmbeddingByFrequency(Embedding):
    """y = the rows of W that idx names.    dW[idx] += dy / how often idx names the row"""

    name_ = "EmbeddingBackward0"

    def backward(self, dy: Array) -> Any:
        dw, _ = super().backward(dy)
        return dw / np.maximum(np.bincount(self.idx.ravel(), minlength=len(dw)), 1).astype(dw.dtype)[:, None], None


class EmbeddingBag(Function):
    """y[b] = Σ sₖ W[idxₖ] over the k with bag[k] = b, divided by how many (mean).
    dW[idxₖ] += sₖ dy[bagₖ],  dsₖ = dy[bagₖ] · W[idxₖ], both divided alike

    W (V, C), idx and bag (K,), s (K,) or None for 1, y (bags, C). by_frequency: dW of a row is divided by how often
    idx names it.
    """

    name_ = "EmbeddingBagBackward0"

    def forward(
        self, weight: Array, idx: Array, s: Array | None, bag: Array, bags: int, mean: bool, by_frequency: bool
    ) -> Array:
        self.weight, self.idx, self.s, self.bag, self.by_frequency = weight, idx, s, bag, by_frequency
        counts = np.maximum(np.bincount(bag, minlength=bags), 1)[:, None]
        self.share = (1 / counts).astype(weight.dtype) if mean else None
        y = np.zeros((bags, weight.shape[1]), np.promote_types(weight.dtype, np.float32))
        rows = weight[idx] if s is None else weight[idx] * s[:, None]
        kernels.add_rows(y, bag, rows.astype(y.dtype, copy=False))
        return (y / counts.astype(y.dtype) if mean else y).astype(weight.dtype, copy=False)

    def backward(self, dy: Array) -> Any:
        each = (dy if self.share is None else dy * self.share)[self.bag]
        dw = np.zeros(self.weight.shape, dy.dtype)
        kernels.add_rows(dw, self.idx, each if self.s is None else each * self.s[:, None])
        if self.by_frequency:
            dw /= np.maximum(np.bincount(self.idx, minlength=len(dw)), 1).astype(dy.dtype)[:, None]
        return dw, None, None if self.s is None else (each * self.weight[self.idx]).sum(1)


class EmbeddingBagMax(Function):
    """y[b, c] = max W[idxₖ, c] over the k with bag[k] = b, 0 of an empty bag.    dW += dy at the first such k"""

    name_ = "EmbeddingBagBackward0"

    def forward(self, weight: Array, idx: Array, bag: Array, bags: int) -> Array:
        self.shape, rows = weight.shape, weight[idx]
        y = np.full((bags, weight.shape[1]), -np.inf, weight.dtype)
        np.maximum.at(y, bag, rows)
        first = np.full(y.shape, len(idx))
        np.minimum.at(first, bag, np.where(rows == y[bag], np.arange(len(idx))[:, None], len(idx)))
        self.filled = np.flatnonzero(np.bincount(bag, minlength=bags))
        self.row = idx[first[self.filled].clip(max=len(idx) - 1)]
        y[np.bincount(bag, minlength=bags) == 0] = 0
        return y

    def backward(self, dy: Array) -> Any:
        dw = np.zeros(self.shape, dy.dtype)
        np.add.at(dw, (self.row, np.arange(self.shape[1])), dy[self.filled])
        return dw, None
