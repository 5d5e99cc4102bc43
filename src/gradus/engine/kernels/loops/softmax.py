"""Softmax and its logarithm, row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import ONE, exp32, rows_in_part
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.target import LANES
from gradus.engine.kernels.vectors import maximum, prefer_wide_vectors

# The next three take addresses: a slice of a short row would cost as much as the computation.


@inner(fastmath=False)  # infinities are compared, too
def row_maximum(address: int, n: int) -> Any:
    row, vectors = floats(address, n), n // LANES
    top = row[0]
    if vectors > 0:
        top = maximum(address, vectors)
    for j in range(vectors * LANES, n):
        top = max(top, row[j])
    return top


@inner()
def _exp_sum(address: int, to: int, top: float, n: int) -> Any:
    """to = exp(row - top); returns its sum."""
    prefer_wide_vectors()
    row, out = floats(address, n), floats(to, n)
    total = np.float32(0)
    for j in range(n):
        out[j] = exp32(row[j] - top)
        total += out[j]
    return total


@inner()
def sum_exp(address: int, top: float, n: int) -> Any:
    """Σ exp(row - top)"""
    prefer_wide_vectors()
    row = floats(address, n)
    total = np.float32(0)
    for j in range(n):
        total += exp32(row[j] - top)
    return total


@inner()
def _softmax(x: Array, y: Array, start: int, stop: int) -> None:
    n = x.shape[1]
    for i in range(start, stop):
        row, out = x.ctypes.data + 4 * i * n, y.ctypes.data + 4 * i * n
        scale = ONE / _exp_sum(row, out, row_maximum(row, n), n)
        for j in range(n):
            y[i, j] *= scale


@loop()
def softmax(pool: Array, x: Array, y: Array) -> None:
    parallel_for(pool, job(_softmax, (x, y)), len(x), rows_in_part(x.shape[1]))


@inner()
def _softmax_backward(dy: Array, y: Array, dx: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    n = y.shape[1]
    for i in range(start, stop):
        dot = np.float32(0)
        for j in range(n):
            dot += dy[i, j] * y[i, j]
        for j in range(n):
            dx[i, j] = y[i, j] * (dy[i, j] - dot)


@loop()
def softmax_backward(pool: Array, dy: Array, y: Array, dx: Array) -> None:
    parallel_for(pool, job(_softmax_backward, (dy, y, dx)), len(y), rows_in_part(y.shape[1]))


@inner()
def _log_softmax(x: Array, y: Array, start: int, stop: int) -> None:
    n = x.shape[1]
    for i in range(start, stop):
        row = x.ctypes.data + 4 * i * n
        top = row_maximum(row, n)
        total = np.float32(math.log(sum_exp(row, top, n))) + top
        for j in range(n):
            y[i, j] = x[i, j] - total


@loop()
def log_softmax(pool: Array, x: Array, y: Array) -> None:
    parallel_for(pool, job(_log_softmax, (x, y)), len(x), rows_in_part(x.shape[1]))


@inner()
def _log_softmax_backward(dy: Array, y: Array, dx: Array, start: int, stop: int) -> None:
    n = y.shape[1]
    for i in range(start, stop):
        total = np.float32(0)
        for j in range(n):
            total += dy[i, j]
        for j in range(n):
            dx[i, j] = dy[i, j] - exp32(y[i, j]) * total


@loop()
def log_softmax_backward(pool: Array, dy: Array, y: Array, dx: Array) -> None:
    parallel_for(pool, job(_log_softmax_backward, (dy, y, dx)), len(y), rows_in_part(y.shape[1]))
