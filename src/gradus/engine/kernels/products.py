"""Matrix products: small ones by NumPy's BLAS, large float32 ones by our own tiles (`tiles.py`), and those of a few
rows by loops that read the second factor in place (`few_rows.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

LEAST = 1_000_000  # multiplications; below, NumPy's BLAS is as fast
SHARED_ROWS = 1 << 18  # elements of the second factor of a few rows; below, it is in one core's cache
SHARED = 4_000_000  # multiplications; below, moving data between the caches of two cores costs more than it saves
ROWS = 8  # at most, for `few_rows.py`
LEAST_ROWS, LEAST_TRANSPOSED = 1 << 19, 1 << 17  # multiplications, of two rows or more; below, NumPy's BLAS is as fast
_NONE = np.empty(0, np.float32)
dot: Any = np.ndarray.dot  # for small products: less overhead than a @ b, and the same result


def product(a: Array, b: Array, bias: Array | None = None) -> Array:
    """a @ b + bias for matrices (N, K) @ (K, M) + (M,)."""
    work = a.size * b.shape[1]
    few = 1 < len(a) <= ROWS and work >= LEAST_ROWS
    if (work < LEAST and not few) or not _compiled(a, b, bias):
        threads.limit_blas()
        y: Array = dot(a, b)
        if bias is not None:
            y += bias
        return y
    if len(a) <= ROWS and b.shape[1] >= ROWS:
        return _of_few_rows(a, b, bias)
    c = np.empty((len(a), b.shape[1]), np.float32)
    (a, a_transposed), (b, b_transposed) = _contiguous(a), _contiguous(b)
    pool = threads.pool(parallel=work >= SHARED)
    kernels.compiled("tiles").multiply(pool, a, a_transposed, b, b_transposed, _NONE if bias is None else bias, c)
    return c


# OpenBLAS has kernels for small products on processors with AVX-512, which take (32, 100) @ (100, 100)ᵀ in 6 instead of
# 10 µs; but if only the second factor is transposed, it does not use them for a result larger than this. Then it is
# faster to transpose the first one, too, unless that has many rows.
_FEW, _SQUARE = 64, 1200


def product_transposed(a: Array, b: Array, bias: Array | None = None) -> Array:
    """a @ bᵀ + bias for matrices (N, K), (M, K) + (M,)."""
    n, k = a.shape
    m = len(b)
    work = n * k * m
    if work >= LEAST:
        return product(a, b.T, bias)
    if n <= ROWS and n > 1 and m >= ROWS and work >= LEAST_TRANSPOSED and _compiled(a, b, bias):
        return _of_few_rows(a, b.T, bias)
    kernels_for = threads.limit_blas()
    if n <= _FEW and n * m > _SQUARE and "SkylakeX" in kernels_for:
        a = a.copy("F")
    y: Array = dot(a, b.T)
    if bias is not None:
        y += bias
    return y


def _of_few_rows(a: Array, b: Array, bias: Array | None) -> Array:
    y = np.empty((len(a), b.shape[1]), np.float32)
    b, transposed = _contiguous(b)
    loops = kernels.compiled("few_rows")
    pool = threads.pool(parallel=b.size >= SHARED_ROWS)
    a = a if a.flags.carray else a.copy()
    (loops.by_rows if transposed else loops.by_columns)(pool, a, b, _NONE if bias is None else bias, y)
    return y


def column_sums(x: Array) -> Array:
    """x.sum(axis=0) for a matrix: the gradient of a bias."""
    if not kernels.accepts(x):
        return np.asarray(x.sum(axis=0))
    sums = np.zeros(x.shape[1], np.float32)
    kernels.compiled().column_sums(threads.pool(), x, sums)
    return sums


def _compiled(a: Array, b: Array, bias: Array | None) -> bool:
    same = a.dtype == b.dtype == np.float32 and kernels.enabled
    return same and (bias is None or (bias.dtype == np.float32 and bias.flags.carray))


def _contiguous(x: Array) -> tuple[Array, bool]:
    """x or its transpose as a C-contiguous array, and whether it is the transpose."""
    if x.flags.carray:
        return x, False
    if x.T.flags.carray:
        return x.T, True
    return x.copy(), False  # strided, or read-only, which the tiles do not accept
