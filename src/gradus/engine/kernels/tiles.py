"""A product of float32 matrices, cut so that each piece lies where it is needed next (Goto and van de Geijn, 2008).

First b is packed into panels as wide as a tile. Then rectangles of the result are shared out. In each, up to `DEPTH` of
a's columns at a time meet one slab of rows after another: it stays in the first cache while the tiles go along the
panels. a's rows are read where they lie; only where a is given turned, and at its last few rows, does a
rectangle pack its own part of a, into slabs as high as a tile, which stay in the second cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.native import (
    COLUMNS,
    LANES,
    ROWS,
    floats,
    job,
    panel_line,
    slab_line,
    tile,
    turn,
)

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only

_MATRIX = "float32[:, ::1]"
_MULTIPLY = f"void(int64[::1], {_MATRIX}, boolean, {_MATRIX}, boolean, float32[::1], {_MATRIX})"

DEPTH = 192  # a tile's sums are over at most so many products at a time: a slab fits the first cache
LOW, HIGH = 3, 16  # slabs in a rectangle, where there are so many
PARTS = 16  # rectangles, at least, where the result is large enough
SHARES = 4  # ... where they are all as wide as the result
NEARBY = 1 << 16  # numbers of a b that is not worth packing: it stays in the second cache as it is
PACKED = 1 << 14  # numbers to pack in a part
NEAR = 16  # rows whose lines are packed before going on to the next rows
MOST = 1 << 20  # numbers of b packed at a time


@njit(**_inner)
def lined_up(many: int, depth: int, width: int) -> Array:
    """Room for (many, depth, width) numbers that begins where a line of the caches does."""
    size = many * depth * width
    room = np.empty(size + 16, np.float32)
    start = (-room.ctypes.data >> 2) & 15
    return room[start : start + size].reshape(many, depth, width)


@njit(**_inner)
def _pack(x: Array, panels: Array, first: int, start: int, stop: int) -> None:
    """Columns first + COLUMNS·p … of x (K, N) to panels[p] (K, COLUMNS), for k in start..stop; zeros beyond the end."""
    many, depth, _ = panels.shape
    n = x.shape[1]
    whole = min(many, (n - first) // COLUMNS)
    for near in range(start, stop, NEAR):
        far = min(near + NEAR, stop)
        for p in range(whole):
            at, to = x.ctypes.data + 4 * (first + p * COLUMNS), panels.ctypes.data + 4 * p * depth * COLUMNS
            for k in range(near, far):
                panel_line(to + 4 * k * COLUMNS, at + 4 * k * n)
        if whole < many:
            for k in range(near, far):
                for j in range(COLUMNS):
                    left = first + whole * COLUMNS + j
                    panels[whole, k, j] = x[k, left] if left < n else np.float32(0)


@njit("void(int64, int64, int64, int64, int64)", **_inner)
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


@njit(**_inner)
def _pack_turned(x: Array, panels: Array, first: int, start: int, stop: int) -> None:
    """Rows first + COLUMNS·p … of x (N, K) to panels[p] (K, COLUMNS), for p in start..stop; zeros beyond the end."""
    n, depth = x.shape
    for p in range(start, stop):
        left = first + p * COLUMNS
        to = panels.ctypes.data + 4 * p * depth * COLUMNS
        turn_panel(to, x.ctypes.data + 4 * left * depth, depth, n - left, depth)


@njit(**_inner)
def _pack_slabs(a: Array, turned: bool, m: int, first: int, last: int, k0: int, deep: int, slabs: Array) -> None:
    """Slabs first..last of a (M, K), or where turned of (K, M) turned, from column k0 on, to (deep, ROWS) each."""
    for near in range(0, deep, NEAR):
        far = min(near + NEAR, deep)
        for q in range(first, last):
            top, to = _top(q, m), slabs[q - first]
            if top >= 0 and turned:
                at = a.ctypes.data + 4 * (k0 * m + top)
                for k in range(near, far):
                    slab_line(to.ctypes.data + 4 * k * ROWS, at + 4 * k * m)
                continue
            for k in range(near, far):
                for r in range(ROWS):
                    if top + r < 0:
                        to[k, r] = np.float32(0)
                    else:
                        to[k, r] = a[k0 + k, top + r] if turned else a[top + r, k0 + k]


@njit(**_inner)
def _top(q: int, m: int) -> int:
    """The row with which slab q of m rows begins; the last one ends with the last row, and begins the earlier."""
    return min(q * ROWS, m - ROWS)


@njit(**_inner)
def _rectangle(
    a: Array,
    turned: bool,
    b: Array,
    in_place: bool,
    panels: Array,
    bias: Array,
    c: Array,
    first: int,
    last: int,
    high: int,
    wide: int,
    start: int,
    stop: int,
) -> None:
    """Rectangles start..stop, `high` slabs by `wide` panels each, of c[:, first:last] = a @ b + bias.

    b has been packed into panels; where it is used in place, only its last columns, if they do not fill a panel.
    """
    m, width = c.shape
    depth = panels.shape[1]
    all_panels = (last - first + COLUMNS - 1) // COLUMNS
    across = (all_panels + wide - 1) // wide
    pieces = (depth + DEPTH - 1) // DEPTH
    most = (depth + pieces - 1) // pieces
    slabs = lined_up(high if turned else 1, most, ROWS)
    edge = np.empty((ROWS, COLUMNS), np.float32)
    for part in range(start, stop):
        q0, p0 = part // across * high, part % across * wide
        q1, p1 = min(q0 + high, (m + ROWS - 1) // ROWS), min(p0 + wide, all_panels)
        lie = q0 if turned or m < ROWS else q1  # slabs before this one are read where they lie
        for k0 in range(0, depth, most):
            deep = min(most, depth - k0)
            _pack_slabs(a, turned, m, lie, q1, k0, deep, slabs)
            for q in range(q0, q1):
                top = _top(q, m)
                rows, down, along = a.ctypes.data + 4 * (top * depth + k0), depth, 1
                if q >= lie:
                    rows, down, along = slabs.ctypes.data + 4 * (q - lie) * most * ROWS, 1, ROWS
                for p in range(p0, p1):
                    left = first + p * COLUMNS
                    n = min(COLUMNS, last - left)
                    if in_place and n == COLUMNS:
                        panel, panel_apart = b.ctypes.data + 4 * (k0 * width + left), width
                    else:
                        packed = 0 if in_place else p
                        panel, panel_apart = panels.ctypes.data + 4 * (packed * depth + k0) * COLUMNS, COLUMNS
                    to, apart = c.ctypes.data + 4 * (top * width + left), width
                    plus, plus_apart = 0, 0
                    whole = top == q * ROWS and n == COLUMNS
                    if not whole:
                        to, apart = edge.ctypes.data, COLUMNS
                    elif k0 > 0:
                        plus, plus_apart = to, width
                    elif len(bias):
                        plus = bias.ctypes.data + 4 * left
                    tile(deep, rows, down, along, panel, panel_apart, to, apart, plus, plus_apart)
                    if whole:
                        continue
                    for r in range(q * ROWS - top, ROWS):
                        for j in range(n):
                            if k0 > 0:
                                c[top + r, left + j] += edge[r, j]
                            else:
                                c[top + r, left + j] = edge[r, j] + (bias[left + j] if len(bias) else np.float32(0))


@njit(_MULTIPLY, **_options)
def multiply(crew: Array, a: Array, a_turned: bool, b: Array, b_turned: bool, bias: Array, c: Array) -> None:
    """c (M, N) = a (M, K) @ b (K, N) + bias (N or 0).

    a is given as (K, M) if turned, b as (N, K); all in one piece; K is not 0.
    """
    m, n = c.shape
    depth = b.shape[1] if b_turned else b.shape[0]
    all_slabs, all_panels = (m + ROWS - 1) // ROWS, (n + COLUMNS - 1) // COLUMNS
    most = max(MOST // depth // COLUMNS, 1)
    in_place = not b_turned and depth * n <= NEARBY
    panels = lined_up(1 if in_place else min(most, all_panels), depth, COLUMNS)
    for done in range(0, all_panels, most):
        here = min(most, all_panels - done)
        first, last = done * COLUMNS, min((done + here) * COLUMNS, n)
        if b_turned:
            offer(crew, job(_pack_turned, (b, panels[:here], first)), here, max(1, PACKED // (depth * COLUMNS)))
        elif not in_place:
            offer(crew, job(_pack, (b, panels[:here], first)), depth, max(1, PACKED // (here * COLUMNS)))
        elif n % COLUMNS:
            _pack(b, panels, n // COLUMNS * COLUMNS, 0, depth)
        high = min(HIGH, all_slabs)
        if a_turned:  # a rectangle packs its slabs, so it takes all panels; and there are some rectangles all the same
            high = min(high, max(LOW, (all_slabs + SHARES - 1) // SHARES))
        down = (all_slabs + high - 1) // high
        high = (all_slabs + down - 1) // down
        wide = here if a_turned else max(1, min(here, here * down // PARTS))
        parts = down * ((here + wide - 1) // wide)
        offer(crew, job(_rectangle, (a, a_turned, b, in_place, panels, bias, c, first, last, high, wide)), parts, 1)
