"""Sums: of two arrays, of the rows of a matrix, of rows into the rows of a table."""

from __future__ import annotations

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import PART
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors


@inner()
def _add(a: Array, b: Array, y: Array, start: int, stop: int) -> None:
    a, b, y = a[start:stop], b[start:stop], y[start:stop]
    for i in range(len(y)):
        y[i] = a[i] + b[i]


@loop()
def add(pool: Array, a: Array, b: Array, y: Array) -> None:
    parallel_for(pool, job(_add, (a, b, y)), len(y), PART)


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


@loop()
def add_rows(table: Array, index: Array, rows: Array) -> None:
    """table[index[i]] += rows[i]; duplicate indices accumulate."""
    for i in range(len(index)):
        row = index[i] if index[i] >= 0 else index[i] + len(table)
        for j in range(table.shape[1]):
            table[row, j] += rows[i, j]
