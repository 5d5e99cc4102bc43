"""How fast memory is: a sum of float32 elements on all threads, which reads them and does little else."""

from __future__ import annotations

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors

PART = 1 << 16  # elements


@inner()
def _sum(x: int, sums: int, start: int, stop: int) -> None:
    prefer_wide_vectors()
    f = floats(x + 4 * start, stop - start)
    total = np.float32(0)
    for i in range(len(f)):
        total += f[i]
    floats(sums + 4 * (start // PART), 1)[0] = total


@loop()
def _sums(pool: Array, x: Array, sums: Array) -> None:
    parallel_for(pool, job(_sum, (x.ctypes.data, sums.ctypes.data)), len(x), PART)


def total(pool: Array, x: Array) -> float:
    """The sum of the elements of x (N,)."""
    sums = np.empty(-(-len(x) // PART), np.float32)
    _sums(pool, x, sums)
    return float(sums.sum())
