"""The fused loops, compiled by Numba for float32: each does in one pass over memory what NumPy does in several.

Imported only when the first large array needs one, because importing Numba takes half a second. The first use on a
machine compiles a loop, later processes find it in the cache. Loops release the interpreter lock, so that
`threads.split` can share out their rows. `e^x` is written out, in single precision, as a polynomial, which the compiler
turns into vector instructions as it cannot a call of the library's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_exactly: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}  # keeps infinities

_LOG2E = np.float32(1.44269504)
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.12194440e-4)
_ONE = np.float32(1)
_HALF = np.float32(0.5)
_FAR = np.float32(40)
_GELU_A = np.float32(2 * math.sqrt(2 / math.pi))
_GELU_B = np.float32(0.044715)
_GELU_3B = np.float32(3 * 0.044715)
_SQRT_HALF = np.float32(math.sqrt(0.5))
_SQRT_2PI = np.float32(1 / math.sqrt(2 * math.pi))


@njit(inline="always", **_options)
def exp32(x: Any) -> Any:
    """eˣ in float32, to 2e-7 of itself: 2ᵏ eʳ with |r| ≤ ½ log 2 (Cephes' polynomial, Moshier 1992)."""
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    t = x * _LOG2E
    k = np.int32(t + (_HALF if t > np.float32(0) else -_HALF))
    n = np.float32(k)
    r = x - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + _ONE
    return p * np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(inline="always", **_options)
def erf32(x: Any) -> Any:
    """erf x in float32 as a quotient of polynomials in x², |x| cut to 4, where erf is 1 already."""
    x = min(max(x, np.float32(-4.0)), np.float32(4.0))
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


# ---- activations, flat arrays


@njit(**_options)
def gelu_tanh(x: Array, y: Array) -> None:
    for i in range(len(x)):
        u = x[i] + _GELU_B * x[i] * x[i] * x[i]
        y[i] = x[i] / (_ONE + exp32(-_GELU_A * u))  # ½ (1 + tanh u) = 1 / (1 + e^(-2u))


@njit(**_options)
def gelu_tanh_backward(dy: Array, x: Array, dx: Array) -> None:
    for i in range(len(x)):
        v = x[i]
        e = exp32(min(-_GELU_A * (v + _GELU_B * v * v * v), _FAR))  # beyond, the slope is 0 and products may overflow
        s = _ONE / (_ONE + e)
        dx[i] = dy[i] * (s + v * s * (e * s) * _GELU_A * (_ONE + _GELU_3B * v * v))


@njit(**_options)
def gelu(x: Array, y: Array) -> None:
    for i in range(len(x)):
        y[i] = x[i] * _HALF * (_ONE + erf32(x[i] * _SQRT_HALF))


@njit(**_options)
def gelu_backward(dy: Array, x: Array, dx: Array) -> None:
    for i in range(len(x)):
        v = x[i]
        cdf = _HALF * (_ONE + erf32(v * _SQRT_HALF))
        dx[i] = dy[i] * (cdf + v * exp32(-_HALF * v * v) * _SQRT_2PI)


# ---- rows


@njit(**_options)
def layer_norm(x: Array, weight: Array, bias: Array, eps: float, y: Array, mean: Array, rstd: Array) -> None:
    n = x.shape[1]
    for i in range(len(x)):
        total = np.float32(0)
        for j in range(n):
            total += x[i, j]
        m = total / np.float32(n)
        squares = np.float32(0)
        for j in range(n):
            d = x[i, j] - m
            squares += d * d
        r = _ONE / np.float32(math.sqrt(squares / np.float32(n) + np.float32(eps)))
        mean[i], rstd[i] = m, r
        for j in range(n):
            y[i, j] = (x[i, j] - m) * r * weight[j] + bias[j]


@njit(**_options)
def layer_norm_backward(
    dy: Array, x: Array, weight: Array, mean: Array, rstd: Array, dx: Array, dw: Array, db: Array
) -> None:
    n = x.shape[1]
    for i in range(len(x)):
        m, r = mean[i], rstd[i]
        total, along = np.float32(0), np.float32(0)
        for j in range(n):
            d = dy[i, j] * weight[j]
            total += d
            along += d * (x[i, j] - m) * r
        total, along = total / np.float32(n), along / np.float32(n)
        for j in range(n):
            xhat = (x[i, j] - m) * r
            dx[i, j] = (dy[i, j] * weight[j] - total - xhat * along) * r
            dw[j] += dy[i, j] * xhat
            db[j] += dy[i, j]


@njit(**_exactly)
def _largest(row: Array, n: int) -> Any:
    top = row[0]
    for j in range(1, n):
        top = max(top, row[j])
    return top


@njit(**_options)
def _exp_sum(row: Array, out: Array, top: float, n: int) -> Any:
    total = np.float32(0)
    for j in range(n):
        out[j] = exp32(row[j] - top)
        total += out[j]
    return total


@njit(**_options)
def _sum_exp(row: Array, top: float, n: int) -> Any:
    total = np.float32(0)
    for j in range(n):
        total += exp32(row[j] - top)
    return total


@njit(**_options)
def cross_entropy(x: Array, targets: Array, ignore_index: int, losses: Array, log_total: Array) -> None:
    n = x.shape[1]
    for i in range(len(x)):
        row = x[i]
        top = _largest(row, n)
        log_total[i] = np.float32(math.log(_sum_exp(row, top, n))) + top
        losses[i] = log_total[i] - row[targets[i]] if targets[i] != ignore_index else np.float32(0)


@njit(**_options)
def cross_entropy_backward(
    x: Array, targets: Array, log_total: Array, scales: Array, ignore_index: int, dx: Array
) -> None:
    n = x.shape[1]
    for i in range(len(x)):
        if targets[i] == ignore_index:
            for j in range(n):
                dx[i, j] = np.float32(0)
        else:
            for j in range(n):
                dx[i, j] = exp32(x[i, j] - log_total[i]) * scales[i]
            dx[i, targets[i]] -= scales[i]


# ---- attention: s holds blocks (N, R, K) of scores, row r of a block seeing its first `seen + r` keys


@njit(**_options)
def causal_softmax(s: Array, scale: float, seen: int) -> None:
    c = np.float32(scale)
    for i in range(s.shape[0]):
        for r in range(s.shape[1]):
            row = s[i, r]
            n = seen + r
            for j in range(n):
                row[j] *= c
            total = _exp_sum(row, row, _largest(row, n), n)
            share = _ONE / total
            for j in range(n):
                row[j] *= share
            for j in range(n, s.shape[2]):
                row[j] = np.float32(0)


@njit(**_options)
def causal_softmax_backward(ds: Array, p: Array, scale: float, seen: int) -> None:
    c = np.float32(scale)
    for i in range(ds.shape[0]):
        for r in range(ds.shape[1]):
            d, q = ds[i, r], p[i, r]
            n = seen + r
            along = np.float32(0)
            for j in range(n):
                along += d[j] * q[j]
            for j in range(n):
                d[j] = c * q[j] * (d[j] - along)
            for j in range(n, ds.shape[2]):
                d[j] = np.float32(0)


# ---- tables and parameters


@njit(**_options)
def add_rows(table: Array, index: Array, rows: Array) -> None:
    for i in range(len(index)):
        to = index[i]
        for j in range(table.shape[1]):
            table[to, j] += rows[i, j]


@njit(**_options)
def adamw(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    decay: float,
    beta1: float,
    beta2: float,
    step_size: float,
    root_correction: float,
    eps: float,
) -> None:
    keep, b1, b2 = np.float32(decay), np.float32(beta1), np.float32(beta2)
    c1, c2 = np.float32(1 - beta1), np.float32(1 - beta2)
    size, root, small = np.float32(step_size), np.float32(root_correction), np.float32(eps)
    for i in range(len(p)):
        m[i] = b1 * m[i] + c1 * g[i]
        v[i] = b2 * v[i] + c2 * g[i] * g[i]
        p[i] = p[i] * keep - size * m[i] / (np.float32(math.sqrt(v[i])) / root + small)
