"""A product of float32 matrices, cut so that each piece lies where it is needed next (Goto and van de Geijn, 2008).

First b is packed into panels as wide as a tile, and a into slabs as high as one; where a's rows are in one piece only
its last few, for the others are read where they lie. Then rectangles of the result are shared out. In
each, `DEPTH` of a's columns at a time meet one panel after another: the panel's piece stays in the first cache while
the tiles go down the rectangle's rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.native import (
    COLUMNS,
    ROWS,
    job,
    panel_line,
    panel_line_across,
    slab_line,
    slab_line_across,
    tile,
)

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only

_MATRIX = "float32[:, ::1]"
_MULTIPLY = f"void(int64[::1], {_MATRIX}, boolean, {_MATRIX}, boolean, float32[::1], {_MATRIX}, boolean)"

DEPTH = 256  # a tile's sums are over so many products at a time: a panel's piece is 16 KiB
HIGH = 16  # slabs in a rectangle, at most
PARTS = 8  # rectangles, at least, where the result is large enough
PACKED = 1 << 14  # numbers to pack in a part
NEAR = 16  # rows whose lines are packed before going on to the next rows
MOST = 1 << 20  # numbers of b packed at a time


@njit(**_inner)
def _pack(x: Array, packed: Array, first: int, start: int, stop: int) -> None:
    """Columns first + size·p … of x (K, N) to packed[p] (K, size), for k in start..stop; zeros beyond the end."""
    many, depth, size = packed.shape
    n = x.shape[1]
    whole = min(many, (n - first) // size)
    for near in range(start, stop, NEAR):
        far = min(near + NEAR, stop)
        for p in range(whole):
            at = x.ctypes.data + 4 * (first + p * size)
            to = packed.ctypes.data + 4 * p * depth * size
            for k in range(near, far):
                if size == COLUMNS:
                    panel_line(to + 4 * k * size, at + 4 * k * n, 1)
                else:
                    slab_line(to + 4 * k * size, at + 4 * k * n, 1)
        if whole < many:
            for k in range(near, far):
                for j in range(size):
                    left = first + whole * size + j
                    packed[whole, k, j] = x[k, left] if left < n else np.float32(0)


@njit(**_inner)
def _pack_turned(x: Array, packed: Array, first: int, start: int, stop: int) -> None:
    """Rows first + size·p … of x (N, K) to packed[p] (K, size), for p in start..stop; zeros beyond the end."""
    n, depth = x.shape
    size = packed.shape[2]
    for p in range(start, stop):
        left = first + p * size
        at, to = x.ctypes.data + 4 * left * depth, packed.ctypes.data + 4 * p * depth * size
        if left + size > n:
            for k in range(depth):
                for j in range(size):
                    packed[p, k, j] = x[left + j, k] if left + j < n else np.float32(0)
        elif size == COLUMNS:
            for k in range(depth):
                panel_line_across(to + 4 * k * COLUMNS, at + 4 * k, depth)
        else:
            for k in range(depth):
                slab_line_across(to + 4 * k * ROWS, at + 4 * k, depth)


@njit(f"void(int64[::1], {_MATRIX}, boolean, float32[:, :, ::1], int64)", **_inner)
def _pack_all(crew: Array, x: Array, turned: bool, packed: Array, first: int) -> None:
    many, depth, size = packed.shape
    if turned:
        offer(crew, job(_pack_turned, (x, packed, first)), many, max(1, PACKED // (depth * size)))
    else:
        offer(crew, job(_pack, (x, packed, first)), depth, max(1, PACKED // (many * size)))


@njit(**_inner)
def _rectangle(
    a: Array,
    slabs: Array,
    direct: int,
    panels: Array,
    bias: Array,
    c: Array,
    first: int,
    last: int,
    high: int,
    wide: int,
    adds: int,
    start: int,
    stop: int,
) -> None:
    """Rectangles start..stop, `high` slabs by `wide` panels each, of c[:, first:last] = a @ b + bias.

    The first `direct` slabs are not packed.
    """
    m, width = c.shape[0], c.shape[1]
    depth = panels.shape[1]
    all_panels = (last - first + COLUMNS - 1) // COLUMNS
    across = (all_panels + wide - 1) // wide
    edge = np.empty((ROWS, COLUMNS), np.float32)
    for part in range(start, stop):
        q0 = part // across * high
        q1 = min(q0 + high, (m + ROWS - 1) // ROWS)
        p0 = part % across * wide
        p1 = min(p0 + wide, all_panels)
        for k0 in range(0, depth, DEPTH):
            deep = min(DEPTH, depth - k0)
            adding = adds if k0 == 0 else 1
            for p in range(p0, p1):
                left = first + p * COLUMNS
                n = min(COLUMNS, last - left)
                panel = panels.ctypes.data + 4 * (p * depth + k0) * COLUMNS
                for q in range(q0, q1):
                    top = q * ROWS
                    rows, rows_apart, columns_apart = a.ctypes.data + 4 * (top * depth + k0), depth, 1
                    if q >= direct:
                        slab = slabs.ctypes.data + 4 * ((q - direct) * depth + k0) * ROWS
                        rows, rows_apart, columns_apart = slab, 1, ROWS
                    if top + ROWS <= m and n == COLUMNS:
                        to = c.ctypes.data + 4 * (top * width + left)
                        tile(deep, rows, rows_apart, columns_apart, panel, to, width, adding)
                        continue
                    tile(deep, rows, rows_apart, columns_apart, panel, edge.ctypes.data, COLUMNS, 0)
                    for r in range(min(ROWS, m - top)):
                        for j in range(n):
                            if adding:
                                c[top + r, left + j] += edge[r, j]
                            else:
                                c[top + r, left + j] = edge[r, j]
        if len(bias):
            for i in range(q0 * ROWS, min(q1 * ROWS, m)):
                for j in range(first + p0 * COLUMNS, min(first + p1 * COLUMNS, last)):
                    c[i, j] += bias[j]


@njit(_MULTIPLY, **_options)
def multiply(
    crew: Array, a: Array, a_turned: bool, b: Array, b_turned: bool, bias: Array, c: Array, adds: bool
) -> None:
    """c (M, N) = a (M, K) @ b (K, N) + bias (N or 0), or c += where `adds`.

    a is given as (K, M) if turned, b as (N, K); all in one piece; K is not 0.
    """
    m, n = c.shape
    depth = b.shape[1] if b_turned else b.shape[0]
    all_slabs, all_panels = (m + ROWS - 1) // ROWS, (n + COLUMNS - 1) // COLUMNS
    direct = 0 if a_turned else m // ROWS
    slabs = np.empty((all_slabs - direct, depth, ROWS), np.float32)
    if len(slabs):
        _pack_all(crew, a, not a_turned, slabs, direct * ROWS)
    most = max(MOST // depth // COLUMNS, 1)
    panels = np.empty((min(most, all_panels), depth, COLUMNS), np.float32)
    for done in range(0, all_panels, most):
        here = min(most, all_panels - done)
        first, last = done * COLUMNS, min((done + here) * COLUMNS, n)
        _pack_all(crew, b, b_turned, panels[:here], first)
        high = min(HIGH, all_slabs)
        down = (all_slabs + high - 1) // high
        high = (all_slabs + down - 1) // down
        wide = max(1, min(here, here * down // PARTS))
        parts = down * ((here + wide - 1) // wide)
        offer(
            crew,
            job(_rectangle, (a, slabs, direct, panels, bias, c, first, last, high, wide, 1 if adds else 0)),
            parts,
            1,
        )
