"""Exponentials, logarithms and roots. Each docstring is the formula and its derivative."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import OUTPUT, Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import Operand, shape_of, sum_to
from gradus.engine.ops.unary import KeepsInput, KeepsOutput


class Exp(KeepsOutput):
    """y = eˣ.    dx = y dy"""

    function = np.exp

    def backward(self, dy: Array) -> Array:
        return dy * self.y


class Exp2(KeepsOutput):
    """y = 2ˣ.    dx = y log(2) dy"""

    function = np.exp2

    def backward(self, dy: Array) -> Array:
        return dy * self.y * math.log(2)


class Expm1(KeepsOutput):
    """y = eˣ - 1.    dx = (y + 1) dy"""

    function = np.expm1

    def backward(self, dy: Array) -> Array:
        return dy * (self.y + 1)


class Log(KeepsInput):
    """y = log x.    dx = dy / x"""

    function = np.log

    def backward(self, dy: Array) -> Array:
        return dy / self.x


class Log10(KeepsInput):
    """y = log₁₀ x.    dx = dy / (x log 10)"""

    function = np.log10

    def backward(self, dy: Array) -> Array:
        return dy / (self.x * math.log(10))


class Log2(KeepsInput):
    """y = log₂ x.    dx = dy / (x log 2)"""

    function = np.log2

    def backward(self, dy: Array) -> Array:
        return dy / (self.x * math.log(2))


class Log1p(KeepsInput):
    """y = log(1 + x).    dx = dy / (1 + x)"""

    function = np.log1p

    def backward(self, dy: Array) -> Array:
        return dy / (1 + self.x)


class LogAddExp(Function):
    """y = log(eᵃ + eᵇ).    da = dy / (1 + eᵇ⁻ᵃ),  db = dy / (1 + eᵃ⁻ᵇ)"""

    name_ = "LogaddexpBackward0"

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.logaddexp(a, b)

    def backward(self, dy: Array) -> Any:
        a, b = self.a, self.b
        return sum_to(dy / (1 + np.exp(b - a)), a.shape), sum_to(dy / (1 + np.exp(a - b)), b.shape)


class LogAddExp2(Function):
    """y = log₂(2ᵃ + 2ᵇ).    da = dy / (1 + 2ᵇ⁻ᵃ),  db = dy / (1 + 2ᵃ⁻ᵇ)"""

    name_ = "Logaddexp2Backward0"

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.logaddexp2(a, b)

    def backward(self, dy: Array) -> Any:
        a, b = self.a, self.b
        return sum_to(dy / (1 + np.exp2(b - a)), a.shape), sum_to(dy / (1 + np.exp2(a - b)), b.shape)


class XLogY(Function):
    """y = a log b, 0 where a = 0.    da = log(b) dy, 0 where a = 0 and b ≤ 0;  db = a/b dy"""

    name_ = "XlogyBackward0"

    def forward(self, a: Operand, b: Operand) -> Array:
        self.a, self.b, self.log = a, b, np.log(b) if isinstance(b, np.ndarray) else float(np.log(b))
        return np.asarray(np.where(np.equal(a, 0) & ~np.isnan(b), 0, a * self.log))

    def backward(self, dy: Array) -> Any:
        flat = np.equal(self.a, 0) & np.less_equal(self.b, 0)
        da = sum_to(np.where(flat, 0, dy * self.log), shape_of(self.a)) if self.edges[0] is not None else None
        return da, sum_to(dy * self.a / self.b, shape_of(self.b)) if self.edges[1] is not None else None


class Logit(Function):
    """y = log(x / (1 - x)), x clamped to [ε, 1 - ε] if ε is given.    dx = dy / (x (1 - x)), else 0

    Without ε, dx is NaN where x is not between 0 and 1.
    """

    def forward(self, x: Array, eps: float | None = None) -> Array:
        self.x, self.low, self.high = x, 0 if eps is None else eps, 1 if eps is None else 1 - eps
        self.outside = np.nan if eps is None else 0
        kept = x if eps is None else np.where(x < self.low, self.low, np.minimum(x, self.high)).astype(x.dtype)
        return np.log(kept / (1 - kept))

    def backward(self, dy: Array) -> Array:
        x = self.x
        return np.where((x < self.low) | (x > self.high), self.outside, dy / (x * (1 - x)))


class Sqrt(KeepsOutput):
    """y = √x.    dx = dy / 2y"""

    function = np.sqrt

    def backward(self, dy: Array) -> Array:
        return dy / (2 * self.y)


class Rsqrt(Function):
    """y = 1/√x.    dx = -½ y³ dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = 1 / np.sqrt(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return -0.5 * dy * (self.y * self.y * self.y)
