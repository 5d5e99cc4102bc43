"""One step of AdamW, and the sum of squares, for many parameters in one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import PART
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors


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
