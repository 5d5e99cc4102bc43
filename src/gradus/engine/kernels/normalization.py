"""Layer norm and RMS norm of rows."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """y = w (x - mean) / √(var + ε) + b of each row of x (N, C); also the mean and 1/√(var + ε) of each row (N,)."""
    if kernels.accepts(x, weight, bias):
        return _compiled_layer_norm(x, weight, bias, eps)
    mean = x.mean(axis=-1)
    centred = x - mean[:, None]
    rstd = 1 / np.sqrt(np.einsum("nc,nc->n", centred, centred) / x.dtype.type(x.shape[-1]) + x.dtype.type(eps))
    y = centred
    y *= rstd[:, None]
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y, mean, rstd


def layer_norm_backward(
    dy: Array, x: Array, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    """dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / √(var + ε) (N, C), dw = Σ x̂ dy (C,), db = Σ dy (C,).

    x̂ = (x - mean) / √(var + ε), dx̂ = w dy; mean and rstd = 1/√(var + ε) are those of `layer_norm`.
    """
    if kernels.accepts(x, dy, weight):
        return _compiled_layer_norm_backward(dy, x, weight, mean, rstd)
    xhat = (x - mean[:, None]) * rstd[:, None]
    dw, db = np.einsum("nc,nc->c", dy, xhat), dy.sum(axis=0)
    dx = dy * weight if weight is not None else dy.copy()
    n = x.dtype.type(x.shape[-1])
    dot = np.einsum("nc,nc->n", dx, xhat) / n
    dx -= dx.mean(axis=-1, keepdims=True)
    dx -= xhat * dot[:, None]
    dx *= rstd[:, None]
    return dx, dw, db


def _compiled_layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    n, c = x.shape
    w = _or_ones(weight, x)
    b = np.zeros(c, x.dtype) if bias is None else bias
    y, mean, rstd = np.empty_like(x), np.empty(n, x.dtype), np.empty(n, x.dtype)
    kernels.compiled().layer_norm(threads.pool(), x, w, b, eps, y, mean, rstd)
    return y, mean, rstd


def _compiled_layer_norm_backward(
    dy: Array, x: Array, weight: Array | None, mean: Array, rstd: Array
) -> tuple[Array, Array, Array]:
    loops, w = kernels.compiled(), _or_ones(weight, x)
    dx, sums = np.empty_like(x), np.zeros((loops.parts(*x.shape), 2, x.shape[1]), x.dtype)
    loops.layer_norm_backward(threads.pool(), dy, x, w, mean, rstd, dx, sums)
    return dx, sums[:, 0].sum(axis=0), sums[:, 1].sum(axis=0)


def rms_norm(x: Array, weight: Array | None, eps: float) -> tuple[Array, Array]:
    """y = w x / √(mean(x²) + ε) of each row of x (N, C); also the 1/√(mean(x²) + ε) of each row (N,)."""
    if kernels.accepts(x, weight):
        y, rstd = np.empty_like(x), np.empty(len(x), x.dtype)
        kernels.compiled().rms_norm(threads.pool(), x, _or_ones(weight, x), eps, y, rstd)
        return y, rstd
    rstd = 1 / np.sqrt(np.einsum("nc,nc->n", x, x) / x.dtype.type(x.shape[-1]) + x.dtype.type(eps))
    y = x * rstd[:, None]
    return y if weight is None else y * weight, rstd


def rms_norm_backward(dy: Array, x: Array, weight: Array | None, rstd: Array) -> tuple[Array, Array]:
    """dx = (dx̂ - x̂ mean(dx̂ x̂)) / √(mean(x²) + ε) (N, C), dx̂ = w dy, and dw = Σ x̂ dy (C,)."""
    if kernels.accepts(x, dy, weight):
        loops, w = kernels.compiled(), _or_ones(weight, x)
        dx, sums = np.empty_like(x), np.zeros((loops.parts(*x.shape), x.shape[1]), x.dtype)
        loops.rms_norm_backward(threads.pool(), dy, x, w, rstd, dx, sums)
        return dx, sums.sum(axis=0)
    xhat = x * rstd[:, None]
    dxhat = dy if weight is None else dy * weight
    dot = np.einsum("nc,nc->n", dxhat, xhat) / x.dtype.type(x.shape[-1])
    return (dxhat - xhat * dot[:, None]) * rstd[:, None], np.einsum("nc,nc->c", dy, xhat)


def _or_ones(weight: Array | None, x: Array) -> Array:
    return np.ones(x.shape[1], x.dtype) if weight is None else weight
