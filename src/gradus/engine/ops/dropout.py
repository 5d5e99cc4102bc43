"""Dropout: numbers set to 0 at random."""

from __future__ import annotations

from typing import Any

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array


class Dropout(Function):
    """y = x m / (1 - p), m 1 with probability 1 - p, else 0     (Srivastava et al., 2014).    dx = dy m / (1 - p)"""

    name_ = "MulBackward0"

    def forward(self, x: Array, keep: Array, scale: float) -> Array:
        self.keep, self.scale = keep, scale
        return x * (keep * x.dtype.type(scale))

    def backward(self, dy: Array) -> Any:
        return dy * (self.keep * dy.dtype.type(self.scale)), None
