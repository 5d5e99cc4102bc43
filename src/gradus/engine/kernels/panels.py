"""What products (`tiles.py`) and attention (`heads.py`) are made of: panels, into which a factor is packed as tiles
read it, and slabs, the rows of a result that are as high as a tile.

What is worked on lies in one piece of memory, and these functions take addresses in it: they compile in a fraction of
the time that arrays take.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.jit import inner
from gradus.engine.kernels.native import COLUMNS, LANES, floats, panel_line, tile, turn

HEADS = "float32[:, :, :, :]"  # (B, H, T, E) of any strides, but for the last axis: compiled once for all of them
PARTS = 16  # into which all heads are cut, if there are as many
HIDDEN = np.float32(-1e30)  # a score that the mask hides: finite, whatever a sane scale makes of it
SPARE = 16  # numbers in a line of the caches


@inner()
def lined_up(room: Array) -> int:
    """The first address in it at which a line of the caches begins; leave SPARE numbers for what comes before.

    Numba lets go of an array when it is last named, whoever has its address: name it once more, after all is done.
    """
    at: int = (room.ctypes.data + 63) & -64
    return at


@inner()
def pack_panel(to: int, at: int, apart: int, columns: int, start: int, stop: int) -> None:
    """Rows start..stop, `apart` numbers from each other, to a panel; 0 beyond `columns`."""
    for k in range(start, stop):
        if columns >= COLUMNS:
            panel_line(to + 4 * k * COLUMNS, at + 4 * k * apart)
        else:
            row, line = floats(at + 4 * k * apart, columns), floats(to + 4 * k * COLUMNS, COLUMNS)
            for j in range(COLUMNS):
                line[j] = row[j] if j < columns else np.float32(0)


@inner()
def turn_panel(to: int, at: int, apart: int, rows: int, depth: int) -> None:
    """Rows of `depth` numbers, `apart` from each other, become the columns of a panel (depth, COLUMNS), 0 beyond."""
    panel = floats(to, depth * COLUMNS)
    rows = min(rows, COLUMNS)
    whole = rows // LANES * LANES
    deep = depth // LANES * LANES
    for j in range(0, whole, LANES):
        for k in range(0, deep, LANES):
            turn(to + 4 * (k * COLUMNS + j), COLUMNS, at + 4 * (j * apart + k), apart)
    for j in range(COLUMNS):
        row = floats(at + 4 * j * apart, depth)
        for k in range(deep if j < whole else 0, depth):
            panel[k * COLUMNS + j] = row[k] if j < rows else np.float32(0)


@inner()
def filled(n: int) -> int:
    """The width of the panels that hold n numbers."""
    return (n + COLUMNS - 1) // COLUMNS * COLUMNS


@inner()
def row_of(x: Array, b: int, h: int, t: int) -> int:
    """The address of x[b, h, t]."""
    at: int = x.ctypes.data + b * x.strides[0] + h * x.strides[1] + t * x.strides[2]
    return at


@inner()
def turn_rows(to: int, at: int, apart: int, rows: int, depth: int) -> None:
    """Rows of `depth` numbers into panels, a row a column."""
    for left in range(0, rows, COLUMNS):
        turn_panel(to + 4 * left * depth, at + 4 * left * apart, apart, rows - left, depth)


@inner()
def pack_rows(to: int, at: int, apart: int, rows: int, width: int, room: int) -> None:
    """Rows of `width` numbers into panels that have room for `room` of them."""
    for left in range(0, width, COLUMNS):
        pack_panel(to + 4 * left * room, at + 4 * left, apart, width - left, 0, rows)


@inner()
def slab(
    depth: int, a: int, down: int, along: int, panels: int, apart: int, wide: int, to: int, width: int, adds: bool
) -> None:
    """A slab of a result: to (ROWS, wide) = a (ROWS, depth) @ the panels, which lie `apart`; or to += where `adds`."""
    for left in range(0, wide, COLUMNS):
        here = to + 4 * left
        tile(depth, a, down, along, panels, COLUMNS, here, width, here if adds else 0, width)
        panels += 4 * apart


@inner()
def hide(row: int, n: int, width: int, value: Any) -> None:
    """What is in a row beyond n."""
    s = floats(row + 4 * n, width - n)
    for j in range(len(s)):
        s[j] = value


@inner()
def scaled(to: int, row: int, n: int, factor: Any) -> None:
    """to = row · factor"""
    x, y = floats(row, n), floats(to, n)
    for j in range(n):
        y[j] = x[j] * factor
