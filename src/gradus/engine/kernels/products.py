"""Matrix products: small ones by NumPy's library, large ones of float32 by our own tiles (`tiles.py`), or, of a few
rows, by loops that read the second factor where it lies (`few_rows.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

LEAST = 1_000_000  # multiplications; below, NumPy's library is as quick
SHARED_ROWS = 1 << 18  # numbers that few rows are multiplied with; below, they are in one core's cache
SHARED = 4_000_000  # multiplications; below, handing what another core has in its cache to and fro costs more
ROWS = 8  # at most, for `few_rows.py`
LEAST_ROWS, LEAST_TURNED = 1 << 19, 1 << 17  # multiplications, of two rows or more; below, NumPy's library is as quick
_NONE = np.empty(0, np.float32)
dot: Any = np.ndarray.dot  # for few multiplications: sooner there than a @ b, and the same


def product(a: Array, b: Array, bias: Array | None = None) -> Array:
    """a @ b + bias for matrices (N, K) @ (K, M) + (M,)."""
    work = a.size * b.shape[1]
    few = 1 < len(a) <= ROWS and work >= LEAST_ROWS
    if (work < LEAST and not few) or not _ours(a, b, bias):
        threads.take_over()
        y: Array = dot(a, b)
        if bias is not None:
            y += bias
        return y
    if len(a) <= ROWS and b.shape[1] >= ROWS:
        return _of_few_rows(a, b, bias)
    c = np.empty((len(a), b.shape[1]), np.float32)
    (a, a_turned), (b, b_turned) = _laid_out(a), _laid_out(b)
    crew = threads.crew(shared=work >= SHARED)
    kernels.compiled("tiles").multiply(crew, a, a_turned, b, b_turned, _NONE if bias is None else bias, c)
    return c


# OpenBLAS has kernels for small products on processors with AVX-512, which take (32, 100) @ (100, 100)ᵀ in 6 instead of
# 10 µs; but where only the second factor is turned, it leaves them from so many results on. Then turning the first one,
# too, is the shorter way, unless that has many rows.
_FEW, _SQUARE = 64, 1200


def product_turned(a: Array, b: Array, bias: Array | None = None) -> Array:
    """a @ bᵀ + bias for matrices (N, K), (M, K) + (M,)."""
    n, k = a.shape
    m = len(b)
    work = n * k * m
    if work >= LEAST:
        return product(a, b.T, bias)
    if 1 < n <= ROWS <= m and work >= LEAST_TURNED and _ours(a, b, bias):
        return _of_few_rows(a, b.T, bias)
    kernels_for = threads.take_over()
    if n <= _FEW and n * m > _SQUARE and "SkylakeX" in kernels_for:
        a = a.copy("F")
    y: Array = dot(a, b.T)
    if bias is not None:
        y += bias
    return y


def _of_few_rows(a: Array, b: Array, bias: Array | None) -> Array:
    y = np.empty((len(a), b.shape[1]), np.float32)
    b, turned = _laid_out(b)
    loops = kernels.compiled("few_rows")
    crew = threads.crew(shared=b.size >= SHARED_ROWS)
    a = a if a.flags.carray else a.copy()
    (loops.by_rows if turned else loops.by_columns)(crew, a, b, _NONE if bias is None else bias, y)
    return y


def column_sums(x: Array) -> Array:
    """x.sum(axis=0) for a matrix: what a bias's gradient is."""
    if not kernels.fused(x):
        return np.asarray(x.sum(axis=0))
    sums = np.zeros(x.shape[1], np.float32)
    kernels.compiled().column_sums(threads.crew(), x, sums)
    return sums


def _ours(a: Array, b: Array, bias: Array | None) -> bool:
    same = a.dtype == b.dtype == np.float32 and kernels.enabled
    return same and (bias is None or (bias.dtype == np.float32 and bias.flags.carray))


def _laid_out(x: Array) -> tuple[Array, bool]:
    """A matrix in one piece, and whether it is x turned."""
    if x.flags.carray:
        return x, False
    if x.T.flags.carray:
        return x.T, True
    return x.copy(), False  # with gaps, or read-only, which the tiles do not take
