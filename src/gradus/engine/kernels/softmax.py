"""Softmax and its logarithm along one axis."""

from __future__ import annotations

import numpy as np

from gradus.engine.dtypes import Array


def softmax(x: Array, axis: int) -> Array:
    """eˣ / Σ eˣ, the largest x taken off first so that nothing overflows."""
    if not x.ndim:
        return np.ones_like(x)
    with np.errstate(invalid="ignore"):
        y = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


def softmax_backward(dy: Array, y: Array, axis: int) -> Array:
    """y (dy - Σ y dy)."""
    if not y.ndim:
        return np.zeros_like(dy)
    dx = dy * y
    dx -= y * dx.sum(axis=axis, keepdims=True)
    return dx


def log_softmax(x: Array, axis: int) -> Array:
    """x - log Σ eˣ."""
    if not x.ndim:
        return np.zeros_like(x)
    y = x - x.max(axis=axis, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))
    return y
