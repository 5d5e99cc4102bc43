"""Distances between rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import sum_to


class Cdist(Function):
    """y[i, j] = ‖aᵢ - bⱼ‖ₚ.    da = Σⱼ sign(d) (|d| / y)^(p-1) dy where d = aᵢ - bⱼ, 0 where y is 0;  db = -Σᵢ of it"""

    def forward(self, a: Array, b: Array, p: float) -> Array:
        self.shapes, self.p = (a.shape, b.shape), p
        self.d = a[..., :, None, :] - b[..., None, :, :]
        self.y = _length(self.d, p)
        return self.y.astype(a.dtype, copy=False)

    def backward(self, dy: Array) -> Any:
        part = _slope(self.d, self.y, self.p, dy)
        return sum_to(part.sum(-2), self.shapes[0]), sum_to(-part.sum(-3), self.shapes[1])


class Pdist(Function):
    """y[k] = ‖xᵢ - xⱼ‖ₚ for the pairs i < j in order.    dxᵢ += sign(d) (|d| / y)^(p-1) dy, dxⱼ -= it; d = xᵢ - xⱼ"""

    def forward(self, x: Array, p: float) -> Array:
        self.shape, self.p = x.shape, p
        self.i, self.j = np.triu_indices(len(x), 1)
        self.d = x[self.i] - x[self.j]
        self.y = _length(self.d, p)
        return self.y.astype(x.dtype, copy=False)

    def backward(self, dy: Array) -> Array:
        part = _slope(self.d, self.y, self.p, dy)
        dx = np.zeros(self.shape, dy.dtype)
        np.add.at(dx, self.i, part)
        np.subtract.at(dx, self.j, part)
        return dx


def _length(d: Array, p: float) -> Array:
    """‖d‖ₚ along the last axis."""
    size = np.abs(d)
    if p == 0:
        return np.asarray((size != 0).sum(-1), d.dtype)
    if math.isinf(p):
        return np.asarray(size.max(-1, initial=0))
    return np.asarray(np.sqrt((size * size).sum(-1)) if p == 2 else (size**p).sum(-1) ** (1 / p))


def _slope(d: Array, y: Array, p: float, dy: Array) -> Array:
    """dy times the derivative of y = ‖d‖ₚ by d."""
    y = y[..., None]
    if p == 0:
        slope = np.zeros_like(d)
    elif math.isinf(p):
        slope = np.sign(d) * (np.abs(d) == y)
    else:
        unit = np.where(y == 0, 1, y)
        slope = d / unit if p == 2 else np.sign(d) * (np.abs(d) / unit) ** (p - 1)
        if p < 1:
            slope[d == 0] = 0
    return np.asarray((slope * dy[..., None]).astype(dy.dtype, copy=False))
