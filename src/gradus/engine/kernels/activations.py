"""Elementwise kernels: GELU, erf, and the gradients of relu, tanh and a divisor."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)

_erf, _erfc = np.frompyfunc(math.erf, 1, 1), np.frompyfunc(math.erfc, 1, 1)


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ e^(-t²) dt."""
    return np.asarray(_erf(x.astype(np.float64)), dtype=x.dtype)


def erfc(x: Array) -> Array:
    """1 - erf(x)."""
    return np.asarray(_erfc(x.astype(np.float64)), dtype=x.dtype)


def gelu(x: Array) -> Array:
    """x Φ(x)."""
    if kernels.accepts(x):
        return _elementwise(kernels.compiled().gelu, x)
    return x * (0.5 * (1 + erf(x * x.dtype.type(math.sqrt(0.5)))))


def gelu_backward(dy: Array, x: Array) -> Array:
    """(Φ + x φ(x)) dy."""
    if kernels.accepts(x, dy):
        return _elementwise(kernels.compiled().gelu_backward, dy, x)
    cdf = 0.5 * (1 + erf(x * x.dtype.type(math.sqrt(0.5))))
    pdf = np.exp(-0.5 * x * x) * x.dtype.type(1 / math.sqrt(2 * math.pi))
    return dy * (cdf + x * pdf)


def gelu_tanh(x: Array) -> Array:
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))."""
    if kernels.accepts(x):
        return _elementwise(kernels.compiled().gelu_tanh, x)
    t = np.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * (x * x * x)))
    return 0.5 * x * (1 + t)


def gelu_tanh_backward(dy: Array, x: Array) -> Array:
    """dy (½ (1 + t) + ½ x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²))."""
    if kernels.accepts(x, dy):
        return _elementwise(kernels.compiled().gelu_tanh_backward, dy, x)
    t = np.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * (x * x * x)))
    inner = _SQRT_2_OVER_PI * (1 + 3 * 0.044715 * (x * x))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)


def _elementwise(loop: Callable[..., None], *inputs: Array) -> Array:
    """loop(*inputs, output) over all elements."""
    out = np.empty_like(inputs[0])
    loop(threads.pool(), *[a.reshape(-1) for a in (*inputs, out)])
    return out


def divisor_backward(dy: Array, a: Array, b: Array) -> Array:
    """dy a / b²: minus the gradient of y = a / b with respect to b. dy has the shape that a and b broadcast to."""
    if (
        dy.size >= kernels.LEAST
        and type(a) is np.ndarray
        and dy.dtype is a.dtype is b.dtype is kernels.FLOAT32
        and kernels.enabled
    ):
        return kernels.compiled("ufuncs").divisor_backward(dy, a, b)
    slope = np.asarray(a / b)
    np.divide(slope, b, slope)
    return np.multiply(dy, slope, slope)


def tanh_backward(dy: Array, y: Array) -> Array:
    """(1 - y²) dy"""
    if y.size >= kernels.LEAST and y.dtype is dy.dtype is kernels.FLOAT32 and kernels.enabled:
        return kernels.compiled("ufuncs").tanh_backward(dy, y)
    return np.asarray(dy * (1 - y * y))


def relu_backward(dy: Array, y: Array) -> Array:
    """dy where y is not 0, else 0."""
    if y.size >= kernels.LEAST and y.dtype is dy.dtype is kernels.FLOAT32 and kernels.enabled:
        return kernels.compiled("ufuncs").relu_backward(dy, y)
    return np.where(y, dy, 0)
