"""a + b of large arrays, on all threads: each has its part in its cache already."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

LEAST = 1 << 16  # elements; below, NumPy alone is as fast


def add(a: Array, b: Array, out: Array | None = None) -> Array:
    """a + b, of the same shape, into `out`, which may be a or b; None allocates a new array."""
    if a.size < LEAST or a.shape != b.shape or not kernels.accepts(a, b, out):
        total: Array = np.add(a, b, out=out, casting="same_kind")
        return total
    if out is None:
        out = np.empty_like(a)
    kernels.compiled().add(threads.pool(), a.reshape(-1), b.reshape(-1), out.reshape(-1))
    return out
