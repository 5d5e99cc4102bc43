"""Choosing one of two elements, by a condition or by size: the gradient goes to the chosen one."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import Operand, shape_of, sum_to


class Where(Function):
    """y = a where the condition holds, else b.    da = dy where it holds, db = dy elsewhere"""

    def forward(self, condition: Array, a: Operand, b: Operand) -> Array:
        self.condition, self.a, self.b = condition, shape_of(a), shape_of(b)
        return np.asarray(np.where(condition, a, b))

    def backward(self, dy: Array) -> Any:
        da = sum_to(np.where(self.condition, dy, 0), self.a) if self.edges[1] is not None else None
        db = sum_to(np.where(self.condition, 0, dy), self.b) if self.edges[2] is not None else None
        return None, da, db


class MaskedFill(Function):
    """y = value where the mask is true, else x.    dx = 0 there, else dy;  dvalue = the sum of dy there"""

    into_repeated = "masked_fill_"

    def forward(self, x: Array, mask: Array, value: Operand) -> Array:
        self.mask, self.shape = mask, x.shape
        return np.where(mask, np.asarray(value, dtype=x.dtype), x)

    def backward(self, dy: Array) -> Any:
        dvalue = np.where(self.mask, dy, 0).sum() if self.edges[2] is not None else None
        return sum_to(np.where(self.mask, 0, dy), self.shape), None, dvalue


class Clamp(Function):
    """y = min(max(x, low), high), low and high numbers.    dx = dy where low ≤ x ≤ high, else 0"""

    name_ = "ClampBackward1"

    def forward(self, x: Array, low: float | None = None, high: float | None = None) -> Array:
        self.x, self.low, self.high = x, low, high
        return np.clip(x, low, high)

    def backward(self, dy: Array) -> Array:
        inside: Any = True if self.low is None else self.x >= self.low
        return np.where(inside if self.high is None else inside & (self.x <= self.high), dy, 0)


class ClampTensor(Function):
    """y = min(max(x, low), high), low and high arrays.    dx = dy where low ≤ x ≤ high, else 0

    dlow = dy where x < low and low < high, dhigh = dy where x > high or high < low, else 0.
    """

    name_ = "ClampBackward0"

    def forward(self, x: Array, low: Array | None, high: Array | None) -> Array:
        self.x, self.low, self.high = x, low, high
        y = x if low is None else np.maximum(x, low)
        return np.asarray(y if high is None else np.minimum(y, high))

    def backward(self, dy: Array) -> Any:
        x, low, high = self.x, self.low, self.high
        to_x, to_low, to_high = self.edges
        dx = dlow = dhigh = None
        if to_x is not None:
            inside: Any = True if low is None else x >= low
            dx = sum_to(np.where(inside if high is None else inside & (x <= high), dy, 0), x.shape)
        if to_low is not None and low is not None:
            below: Any = x < low
            dlow = sum_to(np.where(below if high is None else below & (low < high), dy, 0), low.shape)
        if to_high is not None and high is not None:
            above: Any = x > high
            dhigh = sum_to(np.where(above if low is None else above | (high < low), dy, 0), high.shape)
        return dx, dlow, dhigh


class Maximum(Function):
    """y = max(a, b).    da = dy where a > b, ½ dy where they are equal; both get dy where one is NaN"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.maximum(a, b)

    def backward(self, dy: Array) -> Any:
        return _shared(dy, self.a, self.b, self.a < self.b, self.a > self.b)


class Minimum(Function):
    """y = min(a, b).    da = dy where a < b, ½ dy where they are equal; both get dy where one is NaN"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.minimum(a, b)

    def backward(self, dy: Array) -> Any:
        return _shared(dy, self.a, self.b, self.a > self.b, self.a < self.b)


def _shared(dy: Array, a: Array, b: Array, not_a: Array, not_b: Array) -> tuple[Array, Array]:
    each = np.where(a == b, dy / 2, dy)
    return sum_to(np.where(not_a, 0, each), a.shape), sum_to(np.where(not_b, 0, each), b.shape)


class Fmax(Function):
    """y = max(a, b), or the one that is a number.    da = dy where a ≥ b or b is NaN, else 0;  db = dy - da"""

    def forward(self, a: Array, b: Array) -> Array:
        self.first, self.a, self.b = (a >= b) | np.isnan(b), a.shape, b.shape
        return np.fmax(a, b)

    def backward(self, dy: Array) -> Any:
        return sum_to(np.where(self.first, dy, 0), self.a), sum_to(np.where(self.first, 0, dy), self.b)


class Fmin(Fmax):
    """y = min(a, b), or the one that is a number.    da = dy where a ≤ b or b is NaN, else 0;  db = dy - da"""

    def forward(self, a: Array, b: Array) -> Array:
        self.first, self.a, self.b = (a <= b) | np.isnan(b), a.shape, b.shape
        return np.fmin(a, b)
