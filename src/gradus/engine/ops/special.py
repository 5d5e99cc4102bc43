"""Special functions and their derivatives. Values are computed in float64 and given in the input's type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import activations
from gradus.engine.kernels import special as kernels
from gradus.engine.ops.broadcast import sum_to

Operand = Any  # an array, or a Python number


class _OfOne(Function):
    """A function of one number, by `value`, and its slope, by `slope`, both in float64; `self.y` is the value."""

    def value(self, x: Array) -> Array:
        raise NotImplementedError

    def slope(self, x: Array) -> Array:
        raise NotImplementedError

    def forward(self, x: Array) -> Array:
        self.x = x
        with np.errstate(all="ignore"):
            self.y = np.asarray(self.value(x.astype(np.float64)))
        return self.y.astype(x.dtype)

    def backward(self, dy: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(dy * self.slope(self.x.astype(np.float64)).astype(dy.dtype))


class Lgamma(_OfOne):
    """y = log |Γ(x)|.    dx = ψ(x) dy"""

    def value(self, x: Array) -> Array:
        return kernels.lgamma(x)

    def slope(self, x: Array) -> Array:
        return kernels.digamma(x)


class Digamma(_OfOne):
    """y = ψ(x) = Γ'(x) / Γ(x).    dx = ψ'(x) dy"""

    def value(self, x: Array) -> Array:
        return kernels.digamma(x)

    def slope(self, x: Array) -> Array:
        return kernels.polygamma(1, x)


class Polygamma(_OfOne):
    """y = ψ⁽ⁿ⁾(x), the n-th derivative of ψ.    dx = ψ⁽ⁿ⁺¹⁾(x) dy"""

    def forward(self, x: Array, n: int = 0) -> Array:
        self.n = n
        return super().forward(x)

    def value(self, x: Array) -> Array:
        return kernels.polygamma(self.n, x)

    def slope(self, x: Array) -> Array:
        return kernels.polygamma(self.n + 1, x)


class Erfinv(_OfOne):
    """y: erf y = x.    dx = √π/2 e^(y²) dy"""

    def value(self, x: Array) -> Array:
        return kernels.erfinv(x)

    def slope(self, x: Array) -> Array:
        return math.sqrt(math.pi) / 2 * np.exp(self.y * self.y)


class Erfcx(_OfOne):
    """y = e^(x²) erfc x.    dx = (2 x y - 2/√π) dy"""

    name_ = "SpecialErfcxBackward0"

    def value(self, x: Array) -> Array:
        return kernels.erfcx(x)

    def slope(self, x: Array) -> Array:
        return 2 * x * self.y - 2 / math.sqrt(math.pi)


class Ndtr(_OfOne):
    """y = Φ(x), the normal distribution function.    dx = φ(x) dy,  φ(x) = e^(-x²/2) / √(2π)"""

    name_ = "SpecialNdtrBackward0"

    def value(self, x: Array) -> Array:
        return kernels.ndtr(x)

    def slope(self, x: Array) -> Array:
        return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


class LogNdtr(_OfOne):
    """y = log Φ(x).    dx = φ(x) / Φ(x) dy = √(2/π) / erfcx(-x/√2) dy"""

    name_ = "SpecialLogNdtrBackward0"

    def value(self, x: Array) -> Array:
        return kernels.log_ndtr(x)

    def slope(self, x: Array) -> Array:
        return math.sqrt(2 / math.pi) / kernels.erfcx(-x * math.sqrt(0.5))


class Ndtri(_OfOne):
    """y: Φ(y) = x.    dx = √(2π) e^(y²/2) dy"""

    name_ = "SpecialNdtriBackward0"

    def value(self, x: Array) -> Array:
        return kernels.ndtri(x)

    def slope(self, x: Array) -> Array:
        return math.sqrt(2 * math.pi) * np.exp(self.y * self.y / 2)


class Entr(_OfOne):
    """y = -x log x, 0 at 0, -∞ below.    dx = -(log x + 1) dy"""

    name_ = "SpecialEntrBackward0"

    def value(self, x: Array) -> Array:
        return np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(x)))

    def slope(self, x: Array) -> Array:
        return -np.log(x) - 1


class I0(_OfOne):
    """y = I₀(x), the modified Bessel function.    dx = I₁(x) dy"""

    def value(self, x: Array) -> Array:
        return kernels.bessel_i(0, x) * np.exp(np.abs(x))

    def slope(self, x: Array) -> Array:
        return kernels.bessel_i(1, x) * np.exp(np.abs(x))


class I0e(_OfOne):
    """y = e^-|x| I₀(x).    dx = (e^-|x| I₁(x) - sign(x) y) dy"""

    name_ = "SpecialI0EBackward0"

    def value(self, x: Array) -> Array:
        return kernels.bessel_i(0, x)

    def slope(self, x: Array) -> Array:
        return kernels.bessel_i(1, x) - np.sign(x) * self.y


class I1(_OfOne):
    """y = I₁(x).    dx = (I₀(x) - y / x) dy, ½ dy at 0"""

    name_ = "SpecialI1Backward0"

    def value(self, x: Array) -> Array:
        return kernels.bessel_i(1, x) * np.exp(np.abs(x))

    def slope(self, x: Array) -> Array:
        return np.where(x == 0, 0.5, kernels.bessel_i(0, x) * np.exp(np.abs(x)) - self.y / np.where(x == 0, 1, x))


class I1e(_OfOne):
    """y = e^-|x| I₁(x).    dx = (e^-|x| I₀(x) - y (sign(x) + 1/x)) dy, ½ dy at 0"""

    name_ = "SpecialI1EBackward0"

    def value(self, x: Array) -> Array:
        return kernels.bessel_i(1, x)

    def slope(self, x: Array) -> Array:
        inverse = 1 / np.where(x == 0, 1, x)
        return np.where(x == 0, 0.5, kernels.bessel_i(0, x) - self.y * (np.sign(x) + inverse))


class XLog1pY(Function):
    """y = a log(1 + b), 0 where a = 0.    da = log(1 + b) dy, 0 where a = 0 and b ≤ -1;  db = a / (b + 1) dy"""

    name_ = "SpecialXlog1PyBackward0"

    def forward(self, a: Operand, b: Operand) -> Array:
        self.a, self.b = a, b
        self.log = np.log1p(b) if isinstance(b, np.ndarray) else float(np.log1p(b))
        return np.asarray(np.where(np.equal(a, 0) & ~np.isnan(b), 0, a * self.log))

    def backward(self, dy: Array) -> Any:
        flat = np.equal(self.a, 0) & np.less_equal(self.b, -1)
        da = sum_to(np.where(flat, 0, dy * self.log), np.shape(self.a)) if self.edges[0] is not None else None
        return da, sum_to(dy * self.a / (self.b + 1), np.shape(self.b)) if self.edges[1] is not None else None


class Zeta(Function):
    """y = ζ(s, q) = Σ (k + q)^-s.    dq = -s ζ(s + 1, q) dy; none by s, as in PyTorch"""

    name_ = "SpecialZetaBackward0"

    def forward(self, s: Operand, q: Operand) -> Array:
        self.s, self.q = s, q
        kind = np.result_type(*(x for x in (s, q) if isinstance(x, np.ndarray)))
        with np.errstate(all="ignore"):
            return np.asarray(kernels.zeta(s, q)).astype(kind)

    def backward(self, dy: Array) -> Any:
        if self.edges[0] is not None:
            raise RuntimeError("the derivative for 'zeta: self' is not implemented.")
        slope = -np.asarray(self.s) * kernels.zeta(np.add(self.s, 1.0), self.q)
        return None, sum_to(dy * slope.astype(dy.dtype), np.shape(self.q))


class Igamma(Function):
    """y = P(a, x), the lower incomplete gamma function over Γ(a).    dx = xᵃ⁻¹ e⁻ˣ / Γ(a) dy; none by a"""

    upper = False

    def forward(self, a: Array, x: Array) -> Array:
        self.a, self.x = a, x
        with np.errstate(all="ignore"):
            return kernels.igamma(a, x, self.upper).astype(np.result_type(a, x))

    def backward(self, dy: Array) -> Any:
        if self.edges[0] is not None:
            raise RuntimeError(f"the derivative for '{type(self).__name__.lower()}: input' is not implemented.")
        a, x = self.a.astype(np.float64), self.x.astype(np.float64)
        with np.errstate(all="ignore"):
            slope = np.exp((a - 1) * np.log(x) - x - kernels.lgamma(a)).astype(dy.dtype)
        return None, sum_to(dy * (-slope if self.upper else slope), self.x.shape)


class Igammac(Igamma):
    """y = Q(a, x) = 1 - P(a, x).    dx = -xᵃ⁻¹ e⁻ˣ / Γ(a) dy; none by a"""

    upper = True


class Nextafter(Function):
    """y = the number after a, towards b.    da = [a ≠ b] dy, db = 0, as PyTorch has it"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.asarray(np.nextafter(a, b))

    def backward(self, dy: Array) -> tuple[Array, Array]:
        return sum_to(dy * (self.a != self.b), self.a.shape), np.zeros_like(self.b)


class Erf(Function):
    """y = erf x = 2/√π ∫₀ˣ e^(-t²) dt.    dx = 2/√π e^(-x²) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return activations.erf(x)

    def backward(self, dy: Array) -> Array:
        return dy * (2 / math.sqrt(math.pi) * np.exp(-self.x * self.x))


class Erfc(Function):
    """y = 1 - erf x = 2/√π ∫ₓ^∞ e^(-t²) dt.    dx = -2/√π e^(-x²) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return activations.erfc(x)

    def backward(self, dy: Array) -> Array:
        return dy * (-2 / math.sqrt(math.pi) * np.exp(-self.x * self.x))
