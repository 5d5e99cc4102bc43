"""Softmax and its logarithm along one axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def softmax(x: Array, axis: int) -> Array:
    """eˣ / Σ eˣ along an axis; the largest x is subtracted first, so that nothing overflows."""
    if not x.ndim:
        return np.ones_like(x)
    if _takes_rows(axis, x):
        return _rows(kernels.compiled().softmax, x)
    if not x.size:
        return x.copy()
    with np.errstate(invalid="ignore"):
        y = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


def softmax_backward(dy: Array, y: Array, axis: int) -> Array:
    """y (dy - Σ y dy)."""
    if not y.ndim:
        return np.zeros_like(dy)
    if _takes_rows(axis, dy, y):
        return _rows(kernels.compiled().softmax_backward, dy, y)
    dx = dy * y
    dx -= y * dx.sum(axis=axis, keepdims=True)
    return dx


def log_softmax(x: Array, axis: int) -> Array:
    """x - log Σ eˣ."""
    if not x.ndim:
        return np.zeros_like(x)
    if _takes_rows(axis, x):
        return _rows(kernels.compiled().log_softmax, x)
    if not x.size:
        return x.copy()
    y = x - x.max(axis=axis, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))
    return y


def log_softmax_backward(dy: Array, y: Array, axis: int) -> Array:
    """dy - eʸ Σ dy."""
    if not dy.ndim:
        return np.zeros_like(dy)
    if _takes_rows(axis, dy, y):
        return _rows(kernels.compiled().log_softmax_backward, dy, y)
    return np.asarray(dy - np.exp(y) * dy.sum(axis=axis, keepdims=True))


def _takes_rows(axis: int, *arrays: Array) -> bool:
    """Whether the compiled loop, which runs along the last axis, takes these arrays."""
    return axis in (-1, arrays[0].ndim - 1) and kernels.accepts(*arrays)


def _rows(loop: Callable[..., None], *inputs: Array) -> Array:
    """loop(*inputs, output) over all rows."""
    out = np.empty_like(inputs[0])
    loop(threads.pool(), *[a.reshape(-1, a.shape[-1]) for a in (*inputs, out)])
    return out
