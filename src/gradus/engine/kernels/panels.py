"""Packed panels and slabs, the parts of products (`tiles.py`) and of attention (`heads.py`).

A panel holds COLUMNS columns of a factor in the order in which the micro-kernel reads them; a slab is ROWS rows of a
result, as high as a tile. All of it lies in one workspace, and these functions take addresses in it: they compile in a
fraction of the time that arrays take. Strides and leading dimensions are in elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats
from gradus.engine.kernels.jit import inner
from gradus.engine.kernels.micro_kernel import tile
from gradus.engine.kernels.target import COLUMNS, LANES
from gradus.engine.kernels.vectors import copy_panel_row, transpose_square

HEADS = "float32[:, :, :, :]"  # (B, H, T, E) of any strides, the last one 1: compiled once for all of them
PARTS = 16  # into which all heads are cut, if there are as many
MASKED = np.float32(-1e30)  # the score of a masked pair: finite, multiplied by any sane scale
LINE = 16  # elements in a cache line


@inner()
def aligned(workspace: Array) -> int:
    """The first address in an array that is aligned to a cache line; allocate LINE elements more than you need.

    Numba frees an array after the last statement that names it, whoever has its address: name it once more at the end.
    """
    address: int = (workspace.ctypes.data + 63) & -64
    return address


@inner()
def pack_panel(to: int, source: int, ld: int, columns: int, start: int, stop: int) -> None:
    """Copy rows start..stop into a panel, padded with 0 beyond `columns`."""
    for k in range(start, stop):
        if columns >= COLUMNS:
            copy_panel_row(to + 4 * k * COLUMNS, source + 4 * k * ld)
        else:
            row, line = floats(source + 4 * k * ld, columns), floats(to + 4 * k * COLUMNS, COLUMNS)
            for j in range(COLUMNS):
                line[j] = row[j] if j < columns else np.float32(0)


@inner()
def pack_transposed_panel(to: int, source: int, ld: int, rows: int, depth: int) -> None:
    """Transpose rows of `depth` elements into the columns of a panel (depth, COLUMNS), padded with 0."""
    panel = floats(to, depth * COLUMNS)
    rows = min(rows, COLUMNS)
    whole = rows // LANES * LANES
    deep = depth // LANES * LANES
    for j in range(0, whole, LANES):
        for k in range(0, deep, LANES):
            transpose_square(to + 4 * (k * COLUMNS + j), COLUMNS, source + 4 * (j * ld + k), ld)
    for j in range(COLUMNS):
        row = floats(source + 4 * j * ld, depth)
        for k in range(deep if j < whole else 0, depth):
            panel[k * COLUMNS + j] = row[k] if j < rows else np.float32(0)


@inner()
def padded(n: int) -> int:
    """n rounded up to whole panels."""
    return (n + COLUMNS - 1) // COLUMNS * COLUMNS


@inner()
def row_of(x: Array, b: int, h: int, t: int) -> int:
    """The address of x[b, h, t]."""
    address: int = x.ctypes.data + b * x.strides[0] + h * x.strides[1] + t * x.strides[2]
    return address


@inner()
def pack_transposed_rows(to: int, source: int, ld: int, rows: int, depth: int) -> None:
    """Pack rows of `depth` elements, transposed, into panels."""
    for left in range(0, rows, COLUMNS):
        pack_transposed_panel(to + 4 * left * depth, source + 4 * left * ld, ld, rows - left, depth)


@inner()
def pack_rows(to: int, source: int, ld: int, rows: int, width: int, capacity: int) -> None:
    """Pack rows of `width` elements into panels that have room for `capacity` rows."""
    for left in range(0, width, COLUMNS):
        pack_panel(to + 4 * left * capacity, source + 4 * left, ld, width - left, 0, rows)


@inner()
def slab(
    depth: int,
    a: int,
    row_stride: int,
    column_stride: int,
    panels: int,
    panel_stride: int,
    width: int,
    c: int,
    ldc: int,
    accumulate: bool,
) -> None:
    """c (ROWS, width) = a (ROWS, depth) @ panels, one slab of a result; or c += if `accumulate`."""
    for left in range(0, width, COLUMNS):
        here = c + 4 * left
        tile(depth, a, row_stride, column_stride, panels, COLUMNS, here, ldc, here if accumulate else 0, ldc)
        panels += 4 * panel_stride


@inner()
def fill_tail(row: int, n: int, width: int, value: Any) -> None:
    """row[n:width] = value"""
    s = floats(row + 4 * n, width - n)
    for j in range(len(s)):
        s[j] = value


@inner()
def scale_row(to: int, row: int, n: int, factor: Any) -> None:
    """to = row * factor"""
    x, y = floats(row, n), floats(to, n)
    for j in range(n):
        y[j] = x[j] * factor
