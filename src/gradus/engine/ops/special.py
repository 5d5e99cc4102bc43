"""The gamma function's relatives, and the inverse of the error function."""

from __future__ import annotations

import math

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.activations import erf
from gradus.engine.node import Function


class Lgamma(Function):
    """y = log |Γ(x)|.    dx = ψ(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.fromiter(map(_lgamma, x.ravel().tolist()), np.float64, x.size).reshape(x.shape).astype(x.dtype)

    def backward(self, dy: Array) -> Array:
        return dy * digamma(self.x)


class Digamma(Function):
    """y = ψ(x) = d/dx log Γ(x).    dx = ψ'(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return digamma(x)

    def backward(self, dy: Array) -> Array:
        return dy * polygamma(1, self.x)


class Polygamma(Function):
    """y = the n-th derivative of ψ.    dx = the next one, times dy"""

    def forward(self, x: Array, n: int) -> Array:
        self.x, self.n = x, n
        return polygamma(n, x) if n else digamma(x)

    def backward(self, dy: Array) -> Array:
        return dy * polygamma(self.n + 1, self.x)


class Erfinv(Function):
    """erf y = x.    dx = √π/2 e^(y²) dy"""

    def forward(self, x: Array) -> Array:
        self.y = erfinv(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * (math.sqrt(math.pi) / 2 * np.exp(self.y * self.y))


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except ValueError:  # at 0, -1, -2 ...
        return math.inf
    except OverflowError:
        return math.inf


BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B₂, B₄ ... B₁₆
SHIFT = 10  # from here on the series of Stirling and of Euler and Maclaurin have a double's precision


def digamma(x: Array) -> Array:
    """log x - 1/2x - Σ B₂ₖ / (2k x²ᵏ) for x >= 10; ψ(x) = ψ(x + 1) - 1/x; below 0 ψ(1 - x) - π / tan πx."""
    wide = np.asarray(x, np.float64)
    mirrored = wide < 0
    z = np.where(mirrored, 1 - wide, wide)
    y = np.zeros_like(z)
    for _ in range(SHIFT):
        small = z < SHIFT
        y -= np.where(small, 1 / z, 0)
        z = np.where(small, z + 1, z)
    y += np.log(z) - 0.5 / z
    for k, b in enumerate(BERNOULLI, 1):
        y -= b / (2 * k * z ** (2 * k))
    turn = np.where(mirrored, wide - np.round(wide), 1)  # tan has the period π
    y = np.where(mirrored, np.where(turn == 0, np.nan, y - math.pi / np.tan(math.pi * turn)), y)
    y = np.where(wide == 0, np.copysign(np.inf, -wide), y)
    return y.astype(x.dtype)


def polygamma(n: int, x: Array) -> Array:
    """(-1)ⁿ⁺¹ n! Σ (x + k)^-(n+1), n >= 1: the first terms one by one, the others by Euler and Maclaurin."""
    z, s = np.asarray(x, np.float64), n + 1
    below = z[np.isfinite(z)].min(initial=0)
    total = np.zeros_like(z)
    for _ in range(SHIFT + max(0, math.ceil(-below))):
        total += z ** (-s)
        z = z + 1
    total += z ** (1 - s) / (s - 1) + 0.5 * z ** (-s)
    term = s * z ** (-s - 1)
    for k, b in enumerate(BERNOULLI, 1):
        total += b / math.factorial(2 * k) * term
        term = term * (s + 2 * k - 1) * (s + 2 * k) / (z * z)
    return np.asarray(total * ((-1) ** (n + 1) * math.factorial(n))).astype(x.dtype)


# A rational approximation of erf⁻¹, near 0 in y² and far from it in √(-log((1 - |y|) / 2)); highest powers first.
CENTRE = (
    (-0.140543331, 0.914624893, -1.645349621, 0.886226899),
    (0.012229801, -0.329097515, 1.442710462, -2.118377725, 1),
)
TAIL = (1.641345311, 3.429567803, -1.624906493, -1.970840454), (1.637067800, 3.543889200, 1)


def erfinv(y: Array) -> Array:
    """The approximation, then twice Newton's x - (erf x - y) / (2/√π e^(-x²)); ±inf at ±1, nan beyond."""
    wide = np.asarray(y, np.float64)
    size = np.abs(wide)
    z = np.where(size <= 0.7, wide * wide, np.sqrt(-np.log((1 - size) / 2)))
    near = wide * np.polyval(CENTRE[0], z) / np.polyval(CENTRE[1], z)
    far = np.copysign(np.polyval(TAIL[0], z), wide) / np.polyval(TAIL[1], z)
    x = np.where(size <= 0.7, near, far)
    for _ in range(2):
        x = x - (erf(x) - wide) / (2 / math.sqrt(math.pi) * np.exp(-x * x))
    return np.asarray(np.where(size == 1, np.copysign(np.inf, wide), x)).astype(y.dtype)
