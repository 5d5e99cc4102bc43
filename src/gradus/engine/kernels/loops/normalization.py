"""Layer norm and RMS norm, row by row."""

from __future__ import annotations

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import inverse_root, rows_in_part
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors


@inner()
def _layer_norm(
    x: Array, weight: Array, bias: Array, eps: float, y: Array, mean: Array, rstd: Array, start: int, stop: int
) -> None:
    prefer_wide_vectors()
    n = x.shape[1]
    for i in range(start, stop):
        total = np.float32(0)
        for j in range(n):
            total += x[i, j]
        m = total / np.float32(n)
        squares = np.float32(0)
        for j in range(n):
            d = x[i, j] - m
            squares += d * d
        r = inverse_root(squares / np.float32(n) + np.float32(eps))
        mean[i], rstd[i] = m, r
        for j in range(n):
            y[i, j] = (x[i, j] - m) * r * weight[j] + bias[j]


@loop()
def layer_norm(
    pool: Array, x: Array, weight: Array, bias: Array, eps: float, y: Array, mean: Array, rstd: Array
) -> None:
    parallel_for(pool, job(_layer_norm, (x, weight, bias, eps, y, mean, rstd)), len(x), rows_in_part(x.shape[1]))


@inner()
def _layer_norm_backward(
    dy: Array, x: Array, weight: Array, mean: Array, rstd: Array, dx: Array, sums: Array, start: int, stop: int
) -> None:
    prefer_wide_vectors()
    n = x.shape[1]
    part = start // rows_in_part(n)
    for i in range(start, stop):
        m, r = mean[i], rstd[i]
        total, dot = np.float32(0), np.float32(0)
        for j in range(n):
            d = dy[i, j] * weight[j]
            total += d
            dot += d * (x[i, j] - m) * r
        total, dot = total / np.float32(n), dot / np.float32(n)
        for j in range(n):
            xhat = (x[i, j] - m) * r
            dx[i, j] = (dy[i, j] * weight[j] - total - xhat * dot) * r
            sums[part, 0, j] += dy[i, j] * xhat
            sums[part, 1, j] += dy[i, j]


@loop()
def layer_norm_backward(
    pool: Array, dy: Array, x: Array, weight: Array, mean: Array, rstd: Array, dx: Array, sums: Array
) -> None:
    """sums (parts, 2, C): each part's sums for the gradients of weight and bias."""
    parallel_for(
        pool, job(_layer_norm_backward, (dy, x, weight, mean, rstd, dx, sums)), len(x), rows_in_part(x.shape[1])
    )


@inner()
def _rms_norm(x: Array, weight: Array, eps: float, y: Array, rstd: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    n = x.shape[1]
    for i in range(start, stop):
        squares = np.float32(0)
        for j in range(n):
            squares += x[i, j] * x[i, j]
        r = inverse_root(squares / np.float32(n) + np.float32(eps))
        rstd[i] = r
        for j in range(n):
            y[i, j] = x[i, j] * r * weight[j]


@loop()
def rms_norm(pool: Array, x: Array, weight: Array, eps: float, y: Array, rstd: Array) -> None:
    parallel_for(pool, job(_rms_norm, (x, weight, eps, y, rstd)), len(x), rows_in_part(x.shape[1]))


@inner()
def _rms_norm_backward(
    dy: Array, x: Array, weight: Array, rstd: Array, dx: Array, sums: Array, start: int, stop: int
) -> None:
    prefer_wide_vectors()
    n = x.shape[1]
    part = start // rows_in_part(n)
    for i in range(start, stop):
        r, dot = rstd[i], np.float32(0)
        for j in range(n):
            dot += dy[i, j] * weight[j] * x[i, j]
        dot *= r * r / np.float32(n)
        for j in range(n):
            dx[i, j] = (dy[i, j] * weight[j] - x[i, j] * dot) * r
            sums[part, j] += dy[i, j] * x[i, j] * r


@loop()
def rms_norm_backward(pool: Array, dy: Array, x: Array, weight: Array, rstd: Array, dx: Array, sums: Array) -> None:
    """sums (parts, C): each part's sums for the gradient of weight."""
    parallel_for(pool, job(_rms_norm_backward, (dy, x, weight, rstd, dx, sums)), len(x), rows_in_part(x.shape[1]))
