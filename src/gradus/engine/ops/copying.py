"""Copies: in new memory, in another dtype, into an existing tensor."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradus.engine.autograd.node import NOTHING, Function
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.layouts import order_of
from gradus.engine.ops.broadcast import Operand, sum_to


class Clone(Function):
    """y = a copy of x, in the same order in memory.    dx = dy"""

    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return x.copy(order_of(x))

    def backward(self, dy: Array) -> Array:
        return dy


def converted(x: Array, to: np.dtype[Any]) -> Array:
    """A copy in another dtype; complex to real keeps the real part, with PyTorch's warning."""
    if x.dtype.kind == "c" and to.kind in "fiuV":
        warnings.warn("Casting complex values to real discards the imaginary part", UserWarning, stacklevel=2)
        return x.real.astype(to)
    return x.astype(to)


class ToCopy(Function):
    """y = x in another number type.    dx = dy in x's"""

    keeps = NOTHING

    def forward(self, x: Array, to: np.dtype[Any]) -> Array:
        self.kind = x.dtype
        return converted(x, to)

    def backward(self, dy: Array) -> Array:
        return (dy if self.kind.kind == "c" else dy.real).astype(self.kind)


class CopyFrom(Function):
    """In place: x becomes src, broadcast.    dx = 0,  dsrc = dy"""

    name_ = "torch::autograd::CopyBackwards"
    keeps = NOTHING

    def forward(self, x: Array, src: Operand) -> Array:
        src = np.asarray(src)
        self.shape, self.kind = src.shape, src.dtype
        return converted(np.broadcast_to(src, x.shape), x.dtype)

    def backward(self, dy: Array) -> Any:
        if self.edges[1] is None:
            return np.zeros_like(dy), None
        dsrc = sum_to(dy, self.shape)
        return np.zeros_like(dy), (dsrc if self.kind.kind == "c" else dsrc.real).astype(self.kind, copy=False)
