"""The Box-Muller transform, bit for bit as in PyTorch's CPU kernels: uniform numbers become normal ones.

All processors add, multiply and take square roots alike; logarithm, sine and cosine differ in the last bit between
libraries. So those are computed here as in PyTorch's vectorized kernel (the polynomials of the Cephes library, Moshier
1989), with one rounding where that kernel has a fused multiply-add. Arrays
called "single" hold float32 values in float64, which makes the product of two of them exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]

_LOG = (  # log(1 + x) = x - x²/2 + x³ * polynomial(x) for 1/sqrt(2) <= 1 + x < sqrt(2), highest power first
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_SIN = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)  # sin x = x + x³ * polynomial(x²) for |x| <= pi/4
_COS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)  # cos x = 1 - x²/2 + x⁴ * polynomial(x²)
_LN2 = (0.693359375, -2.12194440e-4)  # ln 2 in two parts, so that an integer times the first is exact
_QUARTER_PI = (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)  # pi/4 in three parts, likewise
_SIN_SIGN = np.array([1.0, 1.0, -1.0, -1.0, 1.0])  # in the quarter turns centred on 0, 90, 180, 270, 360 degrees
_COS_SIGN = np.array([1.0, -1.0, -1.0, 1.0, 1.0])


def box_muller(uniform: Floats, mean: float, std: float) -> Floats:
    """Normal numbers from uniform ones (Box & Muller 1958), 16 at a time: (n,) in [0, 1) -> (n,), n a multiple of 16.

    u1 = 1 - the first eight of a block, u2 = the last eight: sqrt(-2 log u1) cos(2 pi u2), then the same with sin.
    The result has the uniform numbers' dtype, float32 or float64, and every bit that PyTorch's has.
    """
    half = uniform.reshape(-1, 2, 8)
    u1, u2 = 1 - half[:, 0], half[:, 1]  # (n/16, 8) each
    normal = np.empty_like(half)
    if uniform.dtype == np.float32:
        radius = _single(np.sqrt(_single(-2.0 * _log_single(u1.astype(np.float64)))))
        sin, cos = _sin_cos_single(_single(float(np.float32(2 * math.pi)) * u2.astype(np.float64)))
        scale, shift = float(np.float32(std)), float(np.float32(mean))
        normal[:, 0] = _fma_single(_single(radius * cos), scale, shift)
        normal[:, 1] = _fma_single(_single(radius * sin), scale, shift)
    else:
        radius = np.sqrt(-2.0 * by_libm(math.log, u1))
        angle = 2 * math.pi * u2
        normal[:, 0] = fma(radius * by_libm(math.cos, angle), std, mean)
        normal[:, 1] = fma(radius * by_libm(math.sin, angle), std, mean)
    return normal.reshape(-1)


def by_libm(function: Callable[[float], float], x: npt.NDArray[np.floating]) -> Doubles:
    """function of every element by the C library, as PyTorch in float64; NumPy's own may differ in the last bit."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def fma(a: Floats, b: float, c: float) -> Floats:
    """a * b + c with one rounding in a's dtype, as the processor's fused multiply-add; b and c are rounded to it first.

    float32: done in float64, where the product is exact, and the sum is rounded to odd, so that rounding it once more
    changes nothing (Boldo and Melquiond, 2008). float64: the rounding errors of product and sum are found exactly
    (Dekker 1971, Knuth's two-sum) and added back; that rounds twice, which changes the last bit about once in 10⁸
    numbers. Beyond 10^±290 in float64 there is no room for the errors: the last bit may differ.
    """
    if a.dtype == np.float32:
        return _to_odd(a.astype(np.float64) * float(np.float32(b)), float(np.float32(c))).astype(np.float32)
    if not max(abs(b), abs(c)) < 1e290:
        return a * b + c  # too large to split
    a = a.astype(np.float64, copy=False)
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(np.float64(b))
    product_error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total = product + c
    part = total - product
    total_error = (product - (total - part)) + (c - part)
    result: Floats = total + (product_error + total_error)
    return result


def _to_odd(a: Doubles, b: float) -> Doubles:
    """a + b, where it is not exact the neighbour whose last bit is 1."""
    total = a + b
    part = total - a
    error = (a - (total - part)) + (b - part)  # Knuth's two-sum
    even = (total.view(np.int64) & 1) == 0
    odd: Doubles = np.where((error != 0) & even, np.nextafter(total, np.copysign(np.inf, error)), total)
    return odd


def _split(x: Doubles | np.float64) -> tuple[Doubles | np.float64, Doubles | np.float64]:
    """x as a sum of two numbers of 26 bits, whose products are exact (Veltkamp)."""
    spread = 134217729.0 * x  # 2²⁷ + 1
    high = spread - (spread - x)
    return high, x - high


def _single(x: Doubles) -> Doubles:
    """Round to float32, in place."""
    x[...] = x.astype(np.float32)
    return x


def _fma_single(a: Doubles, b: Doubles | float, c: Doubles | float) -> Doubles:
    y = a * b
    y += c
    return _single(y)


def _polynomial(coefficients: tuple[float, ...], x: Doubles) -> Doubles:
    """By Horner's rule, highest power first."""
    first, second, *others = (float(np.float32(coefficient)) for coefficient in coefficients)
    y = _fma_single(x, first, second)
    for coefficient in others:
        y = _fma_single(y, x, coefficient)
    return y


def _log_single(x: Doubles) -> Doubles:
    """log of singles in (0, 1]: x = m 2^e with 1/sqrt(2) <= m < sqrt(2), then log m + e log 2; below, m less 1."""
    mantissa, exponent = np.frexp(x)  # 0.5 <= mantissa < 1
    low = mantissa < float(np.float32(math.sqrt(0.5)))
    e = (exponent - low).astype(np.float64)
    m: Doubles = mantissa * (1.0 + low) - 1
    square = _single(m * m)
    y = _single(_polynomial(_LOG, m) * m)
    y = _fma_single(y, square, _single(e * float(np.float32(_LN2[1]))))
    y = _fma_single(square, -0.5, y)
    return _fma_single(e, _LN2[0], _single(m + y))


def _sin_cos_single(angle: Doubles) -> tuple[Doubles, Doubles]:
    """sine and cosine of singles in [0, 2 pi): the angle less the nearest quarter turn, then a polynomial."""
    eighth = _single(angle * float(np.float32(4 / math.pi))).astype(np.int64)
    quarter = (eighth + 1) >> 1  # 0 .. 4
    eighths_off = (2 * quarter).astype(np.float64)
    x = angle
    for part in _QUARTER_PI:
        x = _fma_single(eighths_off, -float(np.float32(part)), x)
    square = _single(x * x)
    cos = _single(_polynomial(_COS, square) * square)
    cos = _single(_fma_single(cos, square, -0.5 * square) + 1.0)
    sin = _fma_single(_single(_polynomial(_SIN, square) * square), x, x)
    swap = (quarter & 1).astype(bool)
    return np.where(swap, cos, sin) * _SIN_SIGN[quarter], np.where(swap, sin, cos) * _COS_SIGN[quarter]
