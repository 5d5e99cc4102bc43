"""Operations on one number at a time, with broadcasting. Each docstring is the formula and its derivative.

An input is an array, or a Python number, which has no gradient.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, NOTHING, OUTPUT, Function
from gradus.engine.dtypes import REAL, Array
from gradus.engine.dtypes.layouts import order_of
from gradus.engine.kernels import activations as kernels
from gradus.engine.kernels import addition
from gradus.engine.ops.broadcast import sum_to

Operand = Any  # an array, or a Python number

_ndarray = np.ndarray


def _shape(x: Operand) -> tuple[int, ...]:
    return x.shape if type(x) is np.ndarray else ()


# ---- arithmetic


class Add(Function):
    """y = a + αb.    da = dy,  db = α dy"""

    ufunc = np.add
    keeps = NOTHING
    alpha: float = 1
    a: tuple[int, ...] | None = None  # the shape of what was repeated
    b: tuple[int, ...] | None = None

    def forward(self, a: Operand, b: Operand, alpha: float = 1) -> Array:
        if alpha != 1:
            self.alpha = alpha
            y = a + alpha * b
        elif type(b) is _ndarray and b.size >= addition.LEAST and type(a) is _ndarray:
            y = addition.add(a, b)
        else:
            y = a + b
        if type(a) is type(b) is _ndarray:  # a number needs no gradient, and repeats nothing
            shape = y.shape
            if a.shape != shape:
                self.a = a.shape
            if b.shape != shape:
                self.b = b.shape
        return y

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else dy if self.a is None else sum_to(dy, self.a)
        if to_b is None:
            return da, None
        db = dy if self.alpha == 1 else dy * self.alpha
        return da, db if self.b is None else sum_to(db, self.b)


class Sub(Function):
    """y = a - αb.    da = dy,  db = -α dy"""

    ufunc = np.subtract
    keeps = NOTHING
    alpha: float = 1

    def forward(self, a: Operand, b: Operand, alpha: float = 1) -> Array:
        to_a, to_b = self.edges
        if to_a is not None:
            self.a = a.shape
        if to_b is not None:
            self.b = b.shape
        if alpha != 1:
            self.alpha = alpha
            return a - alpha * b
        return a - b

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else sum_to(dy, self.a)
        return da, None if to_b is None else -sum_to(dy if self.alpha == 1 else dy * self.alpha, self.b)


class Mul(Function):
    """y = ab.    da = b dy,  db = a dy"""

    ufunc = np.multiply
    keeps = INPUTS

    def forward(self, a: Operand, b: Operand) -> Array:
        to_a, to_b = self.edges
        if to_a is not None:
            self.a_shape, self.b = a.shape, b
        if to_b is not None:
            self.b_shape, self.a = b.shape, a
        return a * b

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else sum_to(dy * self.b, self.a_shape)
        return da, None if to_b is None else sum_to(dy * self.a, self.b_shape)


class Div(Function):
    """y = a / b.    da = dy / b,  db = -dy a / b²"""

    ufunc = np.true_divide
    keeps = INPUTS

    def forward(self, a: Operand, b: Operand) -> Array:
        to_a, to_b = self.edges
        self.b = b
        if to_a is not None:
            self.a_shape = a.shape
        if to_b is not None:
            self.b_shape, self.a = b.shape, a
        return a / b

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else sum_to(dy / self.b, self.a_shape)
        return da, None if to_b is None else -sum_to(kernels.divisor_backward(dy, self.a, self.b), self.b_shape)


class Pow(Function):
    """y = aⁿ.    da = n aⁿ⁻¹ dy,  dn = y log(a) dy  (0 where a = 0 and n ≥ 0)"""

    def forward(self, a: Operand, n: Operand) -> Array:
        self.a, self.n = a, n
        self.of_tensor, self.by_tensor = isinstance(a, np.ndarray), isinstance(n, np.ndarray)
        y = _power(a, n)
        self.y = y if self.edges[1] is not None else None
        return y

    def backward(self, dy: Array) -> Any:
        a, n = self.a, self.n
        da = dn = None
        if self.edges[0] is not None:
            if isinstance(n, np.ndarray):
                da = sum_to(np.where(n == 0, 0, dy * (n * _power(a, n - 1))), _shape(a))
            else:
                da = np.zeros_like(dy) if n == 0 else dy * (n * (a if n == 2 else _power(a, n - 1)))
        if self.edges[1] is not None:
            zero = (np.asarray(a) == 0) & (n >= 0)
            log = np.log(np.asarray(a, dtype=dy.dtype))
            dn = sum_to(np.where(zero, 0, dy * self.y * log), _shape(n))
        return da, dn

    def name(self) -> str:
        return "PowBackward0" if not self.by_tensor else "PowBackward1" if self.of_tensor else "PowBackward2"


def _power(a: Operand, n: Operand) -> Array:
    if not isinstance(n, np.ndarray):
        if n == 2:
            return a * a
        if n == 3:
            return a * a * a
        if n == 1:
            return +a
        if n == -1:
            return 1 / a
        if n == 0.5:
            return np.sqrt(a)
        if n == -0.5:
            return 1 / np.sqrt(a)
    try:
        return np.power(a, n)
    except ValueError:  # NumPy refuses whole numbers to negative powers; PyTorch rounds all but those of 1 and -1 to 0
        if np.result_type(a, n).kind != "i":
            raise
        up = np.power(a, np.abs(n))
        return np.asarray(np.where(np.less(n, 0), np.where(np.abs(up) == 1, up, 0), up))


class Neg(Function):
    """y = -x.    dx = -dy"""

    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return -x

    def backward(self, dy: Array) -> Array:
        return -dy


class Abs(Function):
    """y = |x|.    dx = sign(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.abs(x)

    def backward(self, dy: Array) -> Array:
        return dy * sign(self.x)


def sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN."""
    y = np.sign(x)
    return np.asarray(y if x.dtype.kind in "iu" else np.where(x == x, y, x.dtype.type(0)))


class Reciprocal(Function):
    """y = 1/x.    dx = -y² dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = 1 / x
        return self.y

    def backward(self, dy: Array) -> Array:
        return -dy * self.y * self.y


class RSub(Function):
    """y = a - αb, called by b.    da = dy,  db = -α dy"""

    name_ = "RsubBackward1"
    keeps = NOTHING

    def forward(self, a: Operand, b: Operand, alpha: float = 1) -> Array:
        self.a, self.b, self.alpha = _shape(a), _shape(b), alpha
        return a - b if alpha == 1 else a - alpha * b

    def backward(self, dy: Array) -> Any:
        da = sum_to(dy, self.a) if self.edges[0] is not None else None
        db = sum_to(-dy if self.alpha == 1 else dy * -self.alpha, self.b) if self.edges[1] is not None else None
        return da, db


class Remainder(Function):
    """y = a - b ⌊a/b⌋, of the sign of b.    da = dy,  db = -⌊a/b⌋ dy"""

    def forward(self, a: Operand, b: Operand) -> Array:
        _refuse_zero(a, b)
        self.a, self.b = _shape(a), _shape(b)
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
        self.a, self.b = _shape(a), _shape(b)
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


class DivRounded(Function):
    """y = a / b, rounded by the rule "floor" or "trunc": flat almost everywhere.    da = db = 0"""

    name_ = "DivBackward1"

    def forward(self, a: Operand, b: Operand, rule: str) -> Array:
        self.a, self.b = _shape(a), _shape(b)
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


def _floor_divide(a: Operand, b: Operand) -> Any:
    """⌊a/b⌋ by way of the remainder, which is exact where a/b was rounded up to a whole number; a/b where b is 0."""
    return np.where(np.equal(b, 0), a / np.asarray(b), np.floor_divide(a, b)).astype(np.result_type(a, b), copy=False)


class Copysign(Function):
    """y = |a| with the sign of b.    da = y/a dy, 0 where a = 0;  db = 0"""

    def forward(self, a: Operand, b: Operand) -> Array:
        self.a, self.b = _shape(a), _shape(b)
        y = np.asarray(np.copysign(a, b))
        self.ratio = np.where(np.equal(a, 0), 0, y / a)
        return y

    def backward(self, dy: Array) -> Any:
        return sum_to(dy * self.ratio, self.a), np.zeros(self.b, dy.dtype)


# ---- exponentials, logarithms, roots


class Exp(Function):
    """y = eˣ.    dx = y dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = np.exp(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * self.y


class Exp2(Function):
    """y = 2ˣ.    dx = y log(2) dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = np.exp2(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * self.y * math.log(2)


class Expm1(Function):
    """y = eˣ - 1.    dx = (y + 1) dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = np.expm1(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * (self.y + 1)


class Log(Function):
    """y = log x.    dx = dy / x"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.log(x)

    def backward(self, dy: Array) -> Array:
        return dy / self.x


class Log10(Function):
    """y = log₁₀ x.    dx = dy / (x log 10)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.log10(x)

    def backward(self, dy: Array) -> Array:
        return dy / (self.x * math.log(10))


class Log2(Function):
    """y = log₂ x.    dx = dy / (x log 2)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.log2(x)

    def backward(self, dy: Array) -> Array:
        return dy / (self.x * math.log(2))


class Log1p(Function):
    """y = log(1 + x).    dx = dy / (1 + x)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.log1p(x)

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
        da = sum_to(np.where(flat, 0, dy * self.log), _shape(self.a)) if self.edges[0] is not None else None
        return da, sum_to(dy * self.a / self.b, _shape(self.b)) if self.edges[1] is not None else None


class Logit(Function):
    """y = log(x / (1 - x)), x kept between ε and 1 - ε if ε is given.    dx = dy / (x (1 - x)), else 0

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


class Sqrt(Function):
    """y = √x.    dx = dy / 2y"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = np.sqrt(x)
        return self.y

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


# ---- circular and hyperbolic


class Sin(Function):
    """y = sin x.    dx = cos(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.sin(x)

    def backward(self, dy: Array) -> Array:
        return dy * np.cos(self.x)


class Cos(Function):
    """y = cos x.    dx = -sin(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.cos(x)

    def backward(self, dy: Array) -> Array:
        return dy * -np.sin(self.x)


class Tan(Function):
    """y = tan x.    dx = (1 + y²) dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = np.tan(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * (1 + self.y * self.y)


class Asin(Function):
    """y = arcsin x.    dx = dy / √(1 - x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arcsin(x)

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(1 - self.x * self.x)


class Acos(Function):
    """y = arccos x.    dx = -dy / √(1 - x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arccos(x)

    def backward(self, dy: Array) -> Array:
        return -dy / np.sqrt(1 - self.x * self.x)


class Atan(Function):
    """y = arctan x.    dx = dy / (1 + x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arctan(x)

    def backward(self, dy: Array) -> Array:
        return dy / (1 + self.x * self.x)


class Atan2(Function):
    """y = the angle of the point (b, a).    da = b dy / (a² + b²),  db = -a dy / (a² + b²);  0 at 0"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.arctan2(a, b)

    def backward(self, dy: Array) -> Any:
        squares = self.a * self.a + self.b * self.b
        share = np.where(squares == 0, 0, dy / squares)
        return sum_to(share * self.b, self.a.shape), sum_to(-share * self.a, self.b.shape)


class Hypot(Function):
    """y = √(a² + b²).    da = a/y dy,  db = b/y dy"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        self.y = np.hypot(a, b)
        return self.y

    def backward(self, dy: Array) -> Any:
        return sum_to(dy * (self.a / self.y), self.a.shape), sum_to(dy * (self.b / self.y), self.b.shape)


class Sinh(Function):
    """y = sinh x.    dx = cosh(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.sinh(x)

    def backward(self, dy: Array) -> Array:
        return dy * np.cosh(self.x)


class Cosh(Function):
    """y = cosh x.    dx = sinh(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.cosh(x)

    def backward(self, dy: Array) -> Array:
        return dy * np.sinh(self.x)


class Asinh(Function):
    """y = arsinh x.    dx = dy / √(x² + 1)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arcsinh(x)

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(self.x * self.x + 1)


class Acosh(Function):
    """y = arcosh x.    dx = dy / √(x² - 1)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arccosh(x)

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(self.x * self.x - 1)


class Atanh(Function):
    """y = artanh x.    dx = dy / (1 - x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arctanh(x)

    def backward(self, dy: Array) -> Array:
        return dy / (1 - self.x * self.x)


class Tanh(Function):
    """y = tanh x.    dx = (1 - y²) dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y: Any = np.tanh(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return kernels.tanh_backward(dy, self.y)

    def release(self) -> None:
        self.y = self.notes = None


class Erf(Function):
    """y = erf x = 2/√π ∫₀ˣ e^(-t²) dt.    dx = 2/√π e^(-x²) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return kernels.erf(x)

    def backward(self, dy: Array) -> Array:
        return dy * (2 / math.sqrt(math.pi) * np.exp(-self.x * self.x))


class Erfc(Function):
    """y = 1 - erf x = 2/√π ∫ₓ^∞ e^(-t²) dt.    dx = -2/√π e^(-x²) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return kernels.erfc(x)

    def backward(self, dy: Array) -> Array:
        return dy * (-2 / math.sqrt(math.pi) * np.exp(-self.x * self.x))


class Sinc(Function):
    """y = sin(πx) / πx, 1 at 0.    dx = (cos(πx) - y) / x dy, 0 at 0"""

    def forward(self, x: Array) -> Array:
        self.x = x
        self.y = np.where(x == 0, 1, np.sin(math.pi * x) / (math.pi * x))
        return self.y

    def backward(self, dy: Array) -> Array:
        x = self.x
        return dy * np.where(x == 0, 0, (np.cos(math.pi * x) - self.y) / x)


# ---- choices


class Where(Function):
    """y = a where the condition holds, else b.    da = dy where it holds, db = dy elsewhere"""

    def forward(self, condition: Array, a: Operand, b: Operand) -> Array:
        self.condition, self.a, self.b = condition, _shape(a), _shape(b)
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


class Heaviside(Function):
    """y = 0 where x < 0, 1 where x > 0, v where x = 0. PyTorch has no derivative of it; neither is there one here."""

    name_ = "NotImplemented"

    def forward(self, x: Array, v: Array) -> Array:
        return np.asarray(np.where(x == 0, v, (x > 0).astype(x.dtype)))

    def backward(self, dy: Array) -> Any:
        raise RuntimeError("derivative for aten::heaviside is not implemented")


# ---- the same numbers


class Clone(Function):
    """y = a copy of x, in the same order in memory.    dx = dy"""

    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return x.copy(order_of(x))

    def backward(self, dy: Array) -> Array:
        return dy


def converted(x: Array, to: np.dtype[Any]) -> Array:
    """A copy in another number type; of complex numbers that become real the real part, with PyTorch's warning."""
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
