"""GELU and its approximation with tanh, of flat arrays."""

from __future__ import annotations

import math

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import HALF, ONE, PART, ZERO, clamp, erf32, exp32
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors

_FLAT = np.float32(6)  # in float32 Φ and its approximation are 0 below -6 and 1 above 6
_GELU_A = np.float32(2 * math.sqrt(2 / math.pi))
_GELU_B = np.float32(0.044715)
_GELU_3B = np.float32(3 * 0.044715)
_SQRT_HALF = np.float32(math.sqrt(0.5))
_SQRT_2PI = np.float32(1 / math.sqrt(2 * math.pi))


@inner()
def _gelu_tanh(x: Array, y: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    x, y = x[start:stop], y[start:stop]
    for i in range(len(x)):
        v = x[i]
        u = v + _GELU_B * v * v * v
        y[i] = v / (ONE + exp32(-_GELU_A * u)) if v >= -_FLAT else v * ZERO  # ½ (1 + tanh u) = 1 / (1 + e^(-2u))


@loop()
def gelu_tanh(pool: Array, x: Array, y: Array) -> None:
    parallel_for(pool, job(_gelu_tanh, (x, y)), len(x), PART)


@inner()
def _gelu_tanh_backward(dy: Array, x: Array, dx: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    dy, x, dx = dy[start:stop], x[start:stop], dx[start:stop]
    for i in range(len(dy)):
        v = clamp(x[i], _FLAT)
        e = exp32(-_GELU_A * (v + _GELU_B * v * v * v))
        s = ONE / (ONE + e)
        dx[i] = dy[i] * (s + v * s * (e * s) * _GELU_A * (ONE + _GELU_3B * v * v))


@loop()
def gelu_tanh_backward(pool: Array, dy: Array, x: Array, dx: Array) -> None:
    parallel_for(pool, job(_gelu_tanh_backward, (dy, x, dx)), len(x), PART)


@inner()
def _gelu(x: Array, y: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    x, y = x[start:stop], y[start:stop]
    for i in range(len(x)):
        v = x[i]
        y[i] = v * (HALF * (ONE + erf32(v * _SQRT_HALF)) if v >= -_FLAT else ZERO)


@loop()
def gelu(pool: Array, x: Array, y: Array) -> None:
    parallel_for(pool, job(_gelu, (x, y)), len(x), PART)


@inner()
def _gelu_backward(dy: Array, x: Array, dx: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    dy, x, dx = dy[start:stop], x[start:stop], dx[start:stop]
    for i in range(len(dy)):
        v = x[i]
        cdf = HALF * (ONE + erf32(v * _SQRT_HALF)) if v >= -_FLAT else ZERO
        dx[i] = dy[i] * (cdf + v * exp32(-HALF * v * v) * _SQRT_2PI)


@loop()
def gelu_backward(pool: Array, dy: Array, x: Array, dx: Array) -> None:
    parallel_for(pool, job(_gelu_backward, (dy, x, dx)), len(x), PART)
