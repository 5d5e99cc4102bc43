"""Special functions of float64 arrays: sums, continued fractions and recurrences that NumPy runs on whole arrays.

The formulas are those of Abramowitz and Stegun (1964) and of Cephes (Moshier, 1992), with relative errors of a few
1e-15 except near zeros of the function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.activations import erf, erfc

EULER = 0.5772156649015328606
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # at 0, -1, -2 ..., and far from 0
        return math.inf


_lgamma_of_each = np.frompyfunc(_lgamma, 1, 1)


def lgamma(x: Array) -> Array:
    """log |Γ(x)|, infinite at 0, -1, -2 ..."""
    return np.asarray(_lgamma_of_each(x), dtype=np.float64)


def digamma(x: Array) -> Array:
    """Γ'(x) / Γ(x): up to 10 by ψ(x) = ψ(x + 1) - 1/x, from there by its series; of x < 0 by reflection."""
    below = x < 0
    y = np.where(below, 1 - x, x)
    shift = np.zeros_like(y)
    for _ in range(10):
        small = y < 10
        shift -= np.where(small, 1 / np.where(small, y, 1), 0)
        y = np.where(small, y + 1, y)
    z = 1 / (y * y)
    series = np.zeros_like(y)
    for k in range(len(_BERNOULLI), 0, -1):
        series = (series + _BERNOULLI[k - 1] / (2 * k)) * z
    result = np.log(y) - 0.5 / y - series + shift
    fraction = np.where(below, x - np.trunc(x), 0)
    result = np.where(below, result - np.pi / np.tan(np.pi * np.where(fraction == 0, 0.5, fraction)), result)
    result = np.where(x == 0, np.copysign(np.inf, -x), result)
    return np.where(below & (fraction == 0), np.nan, np.where(np.isposinf(x), np.inf, result))


def zeta(s: Array, q: Array) -> Array:
    """Σ (k + q)^-s over k ≥ 0 (Hurwitz): nine terms, and the rest by Euler and Maclaurin's formula."""
    s, q = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(q, np.float64))
    valid = (s > 1) & ((q > 0) | (q != np.floor(q))) & ((q > 0) | (s == np.floor(s)))
    t, a = np.where(valid, s, 2.0), np.where(valid, q, 1.0)
    n = 9 + np.maximum(0, np.ceil(-a)) if np.any(a < 0) else np.full_like(a, 9.0)
    total = np.zeros_like(a)
    for k in range(int(n.max()) if n.size else 0):
        total += np.where(k < n, np.where(k < n, a + k, 1.0) ** -t, 0)
    w = a + n
    total += w ** (1 - t) / (t - 1) + 0.5 * w**-t
    factor = t.copy()
    for k, b in enumerate(_BERNOULLI, 1):
        total += b / math.factorial(2 * k) * factor * w ** (-t - 2 * k + 1)
        factor = factor * (t + 2 * k - 1) * (t + 2 * k)
    pole = (q <= 0) & (q == np.floor(q)) & (s > 1)
    result = np.where(pole | (s == 1), np.inf, np.where(valid, total, np.nan))
    return np.asarray(np.where(np.isnan(s) | np.isnan(q), np.nan, result))


def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of digamma: (-1)ⁿ⁺¹ n! ζ(n + 1, x)."""
    if n == 0:
        return digamma(x)
    if n == 1:  # of x < ½ by reflection
        low = x < 0.5
        result = zeta(np.asarray(2.0), np.where(low, 1 - x, x))
        return np.where(low, (np.pi / np.sin(np.pi * x)) ** 2 - result, result)
    return (1 if n % 2 else -1) * math.gamma(n + 1) * zeta(np.asarray(n + 1.0), x)


def erfinv(y: Array) -> Array:
    """The x whose erf is y: an approximation (Giles, 2010), and three steps of Newton's method."""
    inside = np.abs(y) < 1
    v = np.where(inside, y, 0.0)
    w = -np.log((1 - v) * (1 + v))
    x = np.copysign(np.sqrt(np.sqrt((2 / (0.147 * np.pi) - w / 2) ** 2 + w / 0.147) - (2 / (0.147 * np.pi) - w / 2)), v)
    for _ in range(3):
        far = np.abs(v) > 0.5
        error = np.where(far, np.sign(v) * ((1 - np.abs(v)) - erfc(np.abs(x))), erf(x) - v)
        x = x - error * np.sqrt(np.pi) / 2 * np.exp(x * x)
    return np.where(inside, np.where(v == 0, y, x), np.where(np.abs(y) == 1, np.copysign(np.inf, y), np.nan))


def ndtr(x: Array) -> Array:
    """The normal distribution function."""
    return 0.5 * erfc(-x * math.sqrt(0.5))


def log_ndtr(x: Array) -> Array:
    """log of the normal distribution function, also far below 0, where that is 0."""
    low = x < -1
    t = np.where(low, -x * math.sqrt(0.5), 0.0)
    return np.where(low, np.log(erfcx(t) / 2) - t * t, np.log1p(-erfc(np.where(low, 0.0, x) * math.sqrt(0.5)) / 2))


def ndtri(p: Array) -> Array:
    """The inverse of ndtr: the x with Φ(x) = p."""
    low = p < 0.02
    q = np.where(low & (p > 0), p, 0.5)
    x = -np.sqrt(-2 * np.log(q))  # a lower bound, from which Newton's method on log Φ climbs
    for _ in range(12):
        log_p = log_ndtr(x)
        x = x - (log_p - np.log(q)) * np.exp(log_p + x * x / 2) * math.sqrt(2 * np.pi)
    result = np.where(low, x, math.sqrt(2) * erfinv(2 * p - 1))
    return np.where(p == 0, -np.inf, np.where(p == 1, np.inf, np.where((p < 0) | (p > 1), np.nan, result)))


def erfcx(x: Array) -> Array:
    """e^(x²) erfc x; from 4 on by its continued fraction."""
    far = x >= 4
    z = np.where(far, x, 4.0)
    tail = z
    for k in range(60, 0, -1):
        tail = z + k / 2 / tail
    near = np.where(far, 0.0, x)
    return np.where(far, 1 / (math.sqrt(np.pi) * tail), np.exp(near * near) * erfc(near))


def bessel_i(order: int, x: Array) -> Array:
    """e^-|x| I₀(x) or e^-|x| I₁(x): up to 20 by the power series, from there by the asymptotic one."""
    a = np.abs(x)
    near, far = np.where(a <= 20, a, 0.0), np.where((a > 20) & np.isfinite(a), a, 40.0)
    quarter = near * near / 4
    term = np.ones_like(a) if order == 0 else near / 2
    small = term
    for k in range(1, 80):
        term = term * quarter / (k * (k + order))
        small = small + term
    term = large = np.ones_like(a)
    for k in range(1, 25):
        term = term * -(4 * order * order - (2 * k - 1) ** 2) / (k * 8 * far)
        large = large + term
    result = np.where(a <= 20, small * np.exp(-near), large / np.sqrt(2 * np.pi * far))
    result = np.where(np.isinf(a), 0, np.where(np.isnan(a), np.nan, result))
    return result if order == 0 else np.copysign(result, x)


def igamma(a: Array, x: Array, upper: bool) -> Array:
    """The regularized incomplete gamma functions P(a, x), or Q = 1 - P: a series where x < a + 1, else a fraction."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    valid = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    b, z = np.where(valid, a, 1.0), np.where(valid, x, 1.0)
    front = np.exp(b * np.log(z) - z - lgamma(b))
    series = z < b + 1
    p, q = _lower(np.where(series, b, 1.0), np.where(series, z, 1.0)), _upper(b, np.where(series, b + 2, z))
    result: Array = np.where(series, front * p, front * q)
    result = np.where(series != upper, result, 1 - result)
    near = (z <= 1.1) & (b < 1.1 * z)  # here Q is so small that 1 - P has lost its digits
    if upper and np.any(near):
        result = np.where(near, _upper_near_0(np.where(near, b, 1.0), np.where(near, z, 1.0)), result)
    edge = np.where((x == 0) | np.isposinf(a), 0.0, 1.0)  # P at x = 0, at x = ∞, at a = 0
    edge = 1 - edge if upper else edge
    undefined = (a < 0) | (x < 0) | np.isnan(a) | np.isnan(x) | ((a == 0) & (x == 0)) | (np.isinf(a) & np.isinf(x))
    return np.asarray(np.where(undefined, np.nan, np.where(valid, result, edge)))


def _lower(a: Array, x: Array) -> Array:
    """Σ xᵏ / (a (a + 1) ... (a + k))."""
    term = 1 / a
    total, k = term, 0
    while k < 10_000 and np.any(np.abs(term) > 1e-17 * np.abs(total)):
        k += 1
        term = term * x / (a + k)
        total = total + term
    return total


def _upper_near_0(a: Array, x: Array) -> Array:
    """1 - xᵃ / Γ(a + 1), less xᵃ / Γ(a) Σ (-x)ⁿ / (n! (a + n)): Q for small a and x."""
    log_x, factor, total = np.log(x), np.ones_like(x), np.zeros_like(x)
    for n in range(1, 40):
        factor = factor * -x / n
        total = total + factor / (a + n)
    log_gamma = np.where(a < 1e-5, -EULER * a, lgamma(1 + a))
    return -np.expm1(a * log_x - log_gamma) - np.exp(a * log_x - log_gamma) * a * total


def _upper(a: Array, x: Array) -> Array:
    """1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), by Lentz's method."""
    tiny = 1e-300
    b = x + 1 - a
    c: Any = np.full_like(b, 1 / tiny)
    d = 1 / b
    total = d
    for k in range(1, 10_000):
        factor = -k * (k - a)
        b = b + 2
        d, c = factor * d + b, b + factor / c
        d = 1 / np.where(np.abs(d) < tiny, tiny, d)
        c = np.where(np.abs(c) < tiny, tiny, c)
        total = total * d * c
        if not np.any(np.abs(d * c - 1) > 1e-16):
            break
    return total
