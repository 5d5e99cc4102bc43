"""The fused loops, compiled by Numba for float32: each does in one pass over memory what NumPy does in several.

Imported only when the first large array needs one, because importing Numba takes half a second. The first use on a
machine compiles a loop, later processes find it in the cache. A loop comes in two functions: `_name`, over start..stop,
and `name`, which runs it in parts on the thread pool. exp is written out, in single precision, as a polynomial, which
the compiler vectorizes, unlike a call of the C library's. It vectorizes only if no index can be negative (and count
from the end), hence the slices first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.target import LANES
from gradus.engine.kernels.vectors import maximum, prefer_wide_vectors

PART = 16384  # elements in a part

_LOG2E = np.float32(1.44269504)
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.12194440e-4)
_ONE = np.float32(1)
_HALF = np.float32(0.5)
_ZERO = np.float32(0)
_FLAT = np.float32(6)  # in float32 Φ and its approximation are 0 below -6 and 1 above 6
_GELU_A = np.float32(2 * math.sqrt(2 / math.pi))
_GELU_B = np.float32(0.044715)
_GELU_3B = np.float32(3 * 0.044715)
_SQRT_HALF = np.float32(math.sqrt(0.5))
_SQRT_2PI = np.float32(1 / math.sqrt(2 * math.pi))


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
def _add(a: Array, b: Array, y: Array, start: int, stop: int) -> None:
    a, b, y = a[start:stop], b[start:stop], y[start:stop]
    for i in range(len(y)):
        y[i] = a[i] + b[i]


@loop()
def add(pool: Array, a: Array, b: Array, y: Array) -> None:
    parallel_for(pool, job(_add, (a, b, y)), len(y), PART)


# ---- activations, of flat arrays


@inner()
def _gelu_tanh(x: Array, y: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    x, y = x[start:stop], y[start:stop]
    for i in range(len(x)):
        v = x[i]
        u = v + _GELU_B * v * v * v
        y[i] = v / (_ONE + exp32(-_GELU_A * u)) if v >= -_FLAT else v * _ZERO  # ½ (1 + tanh u) = 1 / (1 + e^(-2u))


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
        s = _ONE / (_ONE + e)
        dx[i] = dy[i] * (s + v * s * (e * s) * _GELU_A * (_ONE + _GELU_3B * v * v))


@loop()
def gelu_tanh_backward(pool: Array, dy: Array, x: Array, dx: Array) -> None:
    parallel_for(pool, job(_gelu_tanh_backward, (dy, x, dx)), len(x), PART)


@inner()
def _gelu(x: Array, y: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    x, y = x[start:stop], y[start:stop]
    for i in range(len(x)):
        v = x[i]
        y[i] = v * (_HALF * (_ONE + erf32(v * _SQRT_HALF)) if v >= -_FLAT else _ZERO)


@loop()
def gelu(pool: Array, x: Array, y: Array) -> None:
    parallel_for(pool, job(_gelu, (x, y)), len(x), PART)


@inner()
def _gelu_backward(dy: Array, x: Array, dx: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    dy, x, dx = dy[start:stop], x[start:stop], dx[start:stop]
    for i in range(len(dy)):
        v = x[i]
        cdf = _HALF * (_ONE + erf32(v * _SQRT_HALF)) if v >= -_FLAT else _ZERO
        dx[i] = dy[i] * (cdf + v * exp32(-_HALF * v * v) * _SQRT_2PI)


@loop()
def gelu_backward(pool: Array, dy: Array, x: Array, dx: Array) -> None:
    parallel_for(pool, job(_gelu_backward, (dy, x, dx)), len(x), PART)


# ---- rows


@inner()
def rows_in_part(width: int) -> int:
    return max(1, PART // max(width, 1))


def parts(rows: int, width: int) -> int:
    """The number of parts into which so many rows are divided."""
    each: int = rows_in_part.py_func(width)
    return -(-rows // each)


@inner(fastmath=False)  # the approximate one gives NaN for infinity
def _inverse_root(x: float) -> Any:
    return _ONE / np.float32(math.sqrt(x))


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
        r = _inverse_root(squares / np.float32(n) + np.float32(eps))
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
def _column_sums(x: Array, sums: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    sums = sums[start:stop]
    for i in range(len(x)):
        row = x[i, start:stop]
        for j in range(len(sums)):
            sums[j] += row[j]


@loop()
def column_sums(pool: Array, x: Array, sums: Array) -> None:
    """sums[j] += Σ x[:, j]"""
    parallel_for(pool, job(_column_sums, (x, sums)), x.shape[1], max(32, PART // max(len(x), 1)))


# The next three take addresses: a slice of a short row would cost as much as the computation.


@inner(fastmath=False)  # infinities are compared, too
def _maximum(address: int, n: int) -> Any:
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
def _sum_exp(address: int, top: float, n: int) -> Any:
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
        scale = _ONE / _exp_sum(row, out, _maximum(row, n), n)
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
        top = _maximum(row, n)
        total = np.float32(math.log(_sum_exp(row, top, n))) + top
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


@inner()
def _cross_entropy(
    x: Array, targets: Array, ignore_index: int, losses: Array, logsumexp: Array, start: int, stop: int
) -> None:
    n = x.shape[1]
    for i in range(start, stop):
        row = x.ctypes.data + 4 * i * n
        top = _maximum(row, n)
        logsumexp[i] = np.float32(math.log(_sum_exp(row, top, n))) + top
        losses[i] = logsumexp[i] - x[i, targets[i]] if targets[i] != ignore_index else np.float32(0)


@loop()
def cross_entropy(pool: Array, x: Array, targets: Array, ignore_index: int, losses: Array, logsumexp: Array) -> Any:
    """Computes losses and logsumexp; returns the losses' sum and the count of targets that are not ignored.

    The count is -1, and nothing is computed, if a target is out of bounds.
    """
    count = 0
    for i in range(len(targets)):
        if targets[i] != ignore_index:
            if targets[i] < 0 or targets[i] >= x.shape[1]:
                return 0.0, -1
            count += 1
    part = rows_in_part(x.shape[1])
    parallel_for(pool, job(_cross_entropy, (x, targets, ignore_index, losses, logsumexp)), len(x), part)
    total = 0.0
    for i in range(len(losses)):
        total += losses[i]
    return total, count


@inner()
def _cross_entropy_backward(
    x: Array, targets: Array, logsumexp: Array, scales: Array, ignore_index: int, dx: Array, start: int, stop: int
) -> None:
    n = x.shape[1]
    for i in range(start, stop):
        scale = scales[i if len(scales) > 1 else 0]
        if targets[i] == ignore_index:
            for j in range(n):
                dx[i, j] = np.float32(0)
        else:
            for j in range(n):
                dx[i, j] = exp32(x[i, j] - logsumexp[i]) * scale
            dx[i, targets[i]] -= scale


@loop()
def cross_entropy_backward(
    pool: Array, x: Array, targets: Array, logsumexp: Array, scales: Array, ignore_index: int, dx: Array
) -> None:
    part = rows_in_part(x.shape[1])
    parallel_for(pool, job(_cross_entropy_backward, (x, targets, logsumexp, scales, ignore_index, dx)), len(x), part)


@inner()
def _exp_all(x: Array) -> None:
    prefer_wide_vectors()
    for i in range(len(x)):
        x[i] = exp32(x[i])


@loop()
def cross_entropy_and_gradient(x: Array, targets: Array, ignore_index: int, mean: bool, loss: Array, dx: Array) -> bool:
    """The sum or the mean of the losses, and its gradient; returns False if a target is out of bounds.

    For few logits in short rows: exp is computed for all rows together, in vectors.
    """
    n, count, total = x.shape[1], 0, 0.0
    for i in range(len(targets)):
        if targets[i] != ignore_index:
            if targets[i] < 0 or targets[i] >= n:
                return False
            count += 1
    scale = _ONE / np.float32(max(count, 1)) if mean else _ONE
    maxima = np.empty(len(targets), np.float32)
    for i in range(len(targets)):
        maxima[i] = _maximum(x.ctypes.data + 4 * i * n, n)
        for j in range(n):
            dx[i, j] = x[i, j] - maxima[i]
    _exp_all(dx.reshape(-1))
    for i in range(len(targets)):
        sum_exp = np.float32(0)
        for j in range(n):
            sum_exp += dx[i, j]
        weight, target = np.float32(0), 0
        if targets[i] != ignore_index:
            weight, target = scale, targets[i]
            total += np.float64(np.float32(math.log(sum_exp)) + maxima[i] - x[i, target])
        factor = weight / sum_exp
        for j in range(n):
            dx[i, j] *= factor
        dx[i, target] -= weight
    loss[()] = total if not mean else total / count if count else math.nan
    return True


# ---- tables and parameters


@loop()
def add_rows(table: Array, index: Array, rows: Array) -> None:
    """table[index[i]] += rows[i]; duplicate indices accumulate."""
    for i in range(len(index)):
        row = index[i] if index[i] >= 0 else index[i] + len(table)
        for j in range(table.shape[1]):
            table[row, j] += rows[i, j]


@inner()
def _parameter(offsets: Array, element: int) -> Any:
    """The index of the parameter that has an element; parameter i has elements offsets[i]..offsets[i + 1]."""
    low, high = 0, len(offsets) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= element:
            low = middle
        else:
            high = middle
    return low


@inner()
def _adamw(addresses: Array, offsets: Array, scalars: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    i = _parameter(offsets, start)
    while start < stop:
        first, n = start - offsets[i], min(stop, offsets[i + 1]) - start
        p, g = floats(addresses[i, 0] + 4 * first, n), floats(addresses[i, 1] + 4 * first, n)
        m, v = floats(addresses[i, 2] + 4 * first, n), floats(addresses[i, 3] + 4 * first, n)
        decay, step_size = np.float32(scalars[i, 0]), np.float32(scalars[i, 3])
        root, eps = np.float32(scalars[i, 4]), np.float32(scalars[i, 5])
        b1, b2 = np.float32(scalars[i, 1]), np.float32(scalars[i, 2])
        c1, c2 = np.float32(1 - scalars[i, 1]), np.float32(1 - scalars[i, 2])
        for j in range(n):
            m[j] = b1 * m[j] + c1 * g[j]
            v[j] = b2 * v[j] + c2 * g[j] * g[j]
            p[j] = p[j] * decay - step_size * m[j] / (np.float32(math.sqrt(v[j])) / root + eps)
        start += n
        i += 1


@loop()
def adamw(pool: Array, addresses: Array, offsets: Array, scalars: Array) -> None:
    """One step for N parameters.

    addresses (N, 4) are of p, g, m and v; scalars (N, 6) are 1 - lr * weight_decay, β₁, β₂, lr / (1 - β₁ᵗ),
    √(1 - β₂ᵗ) and eps. Parameter i has elements offsets[i]..offsets[i + 1] of all.
    """
    parallel_for(pool, job(_adamw, (addresses, offsets, scalars)), offsets[-1], PART)


@inner()
def _sum_of_squares(addresses: Array, offsets: Array, sums: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    part, i = start // PART, _parameter(offsets, start)
    while start < stop:
        n = min(stop, offsets[i + 1]) - start
        x = floats(addresses[i, 0] + 4 * (start - offsets[i]), n)
        total = np.float32(0)
        for j in range(n):
            total += x[j] * x[j]
        sums[part] += np.float64(total)
        start += n
        i += 1


@loop()
def sum_of_squares(pool: Array, addresses: Array, offsets: Array) -> Any:
    sums = np.zeros((offsets[-1] + PART - 1) // PART)
    parallel_for(pool, job(_sum_of_squares, (addresses, offsets, sums)), offsets[-1], PART)
    total = 0.0
    for i in range(len(sums)):
        total += sums[i]
    return total


# ---- root mean square


@inner()
def _rms_norm(x: Array, weight: Array, eps: float, y: Array, rstd: Array, start: int, stop: int) -> None:
    prefer_wide_vectors()
    n = x.shape[1]
    for i in range(start, stop):
        squares = np.float32(0)
        for j in range(n):
            squares += x[i, j] * x[i, j]
        r = _inverse_root(squares / np.float32(n) + np.float32(eps))
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
