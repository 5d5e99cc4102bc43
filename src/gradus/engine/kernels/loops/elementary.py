"""What the loops share: exp and erf in single precision, and the division of rows into parts.

exp is written out as a polynomial, which the compiler vectorizes, unlike a call of the C library's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gradus.engine.kernels.jit import inner

PART = 16384  # elements in a part
_LOG2E = np.float32(1.44269504)
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.12194440e-4)
ONE = np.float32(1)
HALF = np.float32(0.5)
ZERO = np.float32(0)


@njit(inline="always")
def clamp(x: Any, limit: Any) -> Any:
    """x clamped to -limit..limit; NaN stays NaN."""
    x = -limit if x < -limit else x
    return limit if x > limit else x


@njit(inline="always")
def exp32(x: Any) -> Any:
    """eˣ in float32, relative error 2e-7: 2ᵏ eʳ, |r| ≤ ½ log 2 (Cephes' polynomial, Moshier 1992); 0 from -88 on."""
    x = clamp(x, np.float32(88.0))
    t = x * _LOG2E
    k = np.int32(t + (HALF if t > np.float32(0) else -HALF))
    n = np.float32(k)
    r = x - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + ONE
    return p * np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(inline="always")
def erf32(x: Any) -> Any:
    """erf x in float32: a quotient of polynomials in x², x clamped to ±4, where erf is ±1 in float32."""
    x = clamp(x, np.float32(4.0))
    z = x * x
    p = np.float32(-2.72614225801306e-10)
    p = p * z + np.float32(2.77068142495902e-08)
    p = p * z + np.float32(-2.10102402082508e-06)
    p = p * z + np.float32(-5.69250639462346e-05)
    p = p * z + np.float32(-7.34990630326855e-04)
    p = p * z + np.float32(-2.95459980854025e-03)
    p = p * z + np.float32(-1.60960333262415e-02)
    q = np.float32(-1.45660718464996e-05)
    q = q * z + np.float32(-2.13374055278905e-04)
    q = q * z + np.float32(-1.68282697438203e-03)
    q = q * z + np.float32(-7.37332916720468e-03)
    q = q * z + np.float32(-1.42647390514189e-02)
    return x * p / q


@inner()
def rows_in_part(width: int) -> int:
    return max(1, PART // max(width, 1))


def parts(rows: int, width: int) -> int:
    """The number of parts into which so many rows are divided."""
    each: int = rows_in_part.py_func(width)
    return -(-rows // each)


@inner(fastmath=False)  # the approximate one gives NaN for infinity
def inverse_root(x: float) -> Any:
    return ONE / np.float32(math.sqrt(x))
