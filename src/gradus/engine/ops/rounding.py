"""Numbers rounded, quotients rounded, and the remainders of these. Rounding is flat: its derivative is 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import REAL, Array
from gradus.engine.ops.arithmetic import sign
from gradus.engine.ops.broadcast import Operand, shape_of, sum_to


class Round(Function):
    """y = x rounded by the given rule (floor, ceil, rint, trunc), or its sign: flat almost everywhere.    dx = 0"""

    def forward(self, x: Array, rule: str) -> Array:
        self.rule = rule
        if rule == "sign":
            return sign(x)
        return x.copy() if x.dtype.kind not in REAL else np.asarray(getattr(np, rule)(x))

    def backward(self, dy: Array) -> Array:
        return np.zeros_like(dy)

    def name(self) -> str:
        return {"rint": "Round"}.get(self.rule, self.rule.title()) + "Backward0"


class RoundDecimals(Function):
    """y = x rounded to so many decimals, halves to the even one.    dx = 0"""

    name_ = "RoundBackward1"

    def forward(self, x: Array, decimals: int) -> Array:
        scale = 10.0 ** abs(decimals)
        return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale

    def backward(self, dy: Array) -> Array:
        return np.zeros_like(dy)


class DivRounded(Function):
    """y = a / b, rounded by the rule "floor" or "trunc": flat almost everywhere.    da = db = 0"""

    name_ = "DivBackward1"

    def forward(self, a: Operand, b: Operand, rule: str) -> Array:
        self.a, self.b = shape_of(a), shape_of(b)
        if np.result_type(a, b).kind not in REAL:
            _refuse_zero(a, b)
            down = np.floor_divide(a, b)
            return down if rule == "floor" else np.asarray(down + ((down < 0) & (down * b != a)))
        return np.asarray(_floor_divide(a, b) if rule == "floor" else np.trunc(a / b))

    def backward(self, dy: Array) -> Any:
        return np.zeros(self.a, dy.dtype), np.zeros(self.b, dy.dtype)


class FloorDivide(DivRounded):
    """y = ⌊a/b⌋ as `a // b` computes it. PyTorch records no derivative for it; neither is there one here."""

    name_ = "NotImplemented"

    def backward(self, dy: Array) -> Any:
        raise RuntimeError("derivative for aten::floor_divide is not implemented")


class Remainder(Function):
    """y = a - b ⌊a/b⌋, of the sign of b.    da = dy,  db = -⌊a/b⌋ dy"""

    def forward(self, a: Operand, b: Operand) -> Array:
        _refuse_zero(a, b)
        self.a, self.b = shape_of(a), shape_of(b)
        self.times = _floor_divide(a, b) if self.edges[1] is not None else None
        return np.mod(a, b)

    def backward(self, dy: Array) -> Any:
        da = sum_to(dy, self.a) if self.edges[0] is not None else None
        db = sum_to(-dy * self.times, self.b) if self.edges[1] is not None else None
        return da, db


class Fmod(Function):
    """y = a - b trunc(a/b), of the sign of a.    da = dy,  db = -trunc(a/b) dy"""

    def forward(self, a: Operand, b: Operand) -> Array:
        _refuse_zero(a, b)
        self.a, self.b = shape_of(a), shape_of(b)
        y = np.asarray(np.fmod(a, b))
        if self.edges[1] is not None:  # a/b may be rounded up to a whole number, (a - y)/b is near one
            self.times = np.where(np.isfinite(y), np.rint((a - y) / b), np.trunc(a / b))
        return y

    def backward(self, dy: Array) -> Any:
        da = sum_to(dy, self.a) if self.edges[0] is not None else None
        db = sum_to(-dy * self.times, self.b) if self.edges[1] is not None else None
        return da, db


def _refuse_zero(a: Operand, b: Operand) -> None:
    kinds = {x.dtype.kind for x in (a, b) if isinstance(x, np.ndarray)}
    if kinds.isdisjoint(REAL) and not np.all(b):
        raise RuntimeError("ZeroDivisionError")


def _floor_divide(a: Operand, b: Operand) -> Any:
    """⌊a/b⌋ from the remainder, which is exact even if a/b is rounded up to a whole number; a/b where b is 0."""
    return np.where(np.equal(b, 0), a / np.asarray(b), np.floor_divide(a, b)).astype(np.result_type(a, b), copy=False)


class Heaviside(Function):
    """y = 0 where x < 0, 1 where x > 0, v where x = 0. PyTorch has no derivative of it; neither is there one here."""

    name_ = "NotImplemented"

    def forward(self, x: Array, v: Array) -> Array:
        return np.asarray(np.where(x == 0, v, (x > 0).astype(x.dtype)))

    def backward(self, dy: Array) -> Any:
        raise RuntimeError("derivative for aten::heaviside is not implemented")
