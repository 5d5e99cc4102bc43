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
        size = np.abs(self.d)
        if p == 0:
            self.y = (size != 0).sum(-1).astype(a.dtype)
        elif math.isinf(p):
            self.y = size.max(-1, initial=0)
        elif p == 2:
            self.y = np.sqrt((size * size).sum(-1))
        else:
            self.y = (size**p).sum(-1) ** (1 / p)
        return self.y.astype(a.dtype, copy=False)

    def backward(self, dy: Array) -> Any:
        d, y, p = self.d, self.y[..., None], self.p
        if p == 0:
            slope = np.zeros_like(d)
        elif math.isinf(p):
            slope = np.sign(d) * (np.abs(d) == y)
        else:
            unit = np.where(y == 0, 1, y)
            slope = d / unit if p == 2 else np.sign(d) * (np.abs(d) / unit) ** (p - 1)
            if p < 1:
                slope[d == 0] = 0
        slope = (slope * dy[..., None]).astype(dy.dtype, copy=False)
        return sum_to(slope.sum(-2), self.shapes[0]), sum_to(-slope.sum(-3), self.shapes[1])
