"""A product of float32 matrices, cut so that each piece lies where it is needed next (Goto and van de Geijn, 2008).

First as much of b as the second cache holds is packed into panels as wide as a tile, unless it is small. Then
rectangles of the result are shared out. In each, up to `DEPTH` of a's columns at a time meet one slab of rows after
another: it stays in the first cache while the tiles go along the panels. a's rows are read where they lie; only where a
is given turned, or has fewer rows than a tile, does a rectangle pack its own part of a, into slabs as high as a tile,
which stay in the second cache.
"""

from __future__ import annotations

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.native import COLUMNS, ROWS, floats, job, slab_line, tile
from gradus.engine.kernels.panels import SPARE, lined_up, pack_panel, turn_panel

_MATRIX = "float32[:, ::1]"
_MULTIPLY = f"void(int64[::1], {_MATRIX}, boolean, {_MATRIX}, boolean, float32[::1], {_MATRIX})"

DEPTH = 192  # a tile's sums are over at most so many products at a time: a slab fits the first cache
LOW, HIGH = 3, 8  # slabs in a rectangle, where there are so many: it stays in the second cache with its part of b
PARTS = 16  # rectangles, at least, where the result is large enough
SHARES = 4  # ... where they are all as wide as the result
NEARBY, FEW = 1 << 16, 16  # numbers of a b that is not worth packing for so few slabs: it stays in the second cache
PACKED = 1 << 14  # numbers to pack in a part
NEAR = 16  # rows whose lines are packed before going on to the next rows
MOST = 1 << 18  # numbers of b packed at a time: they stay in the second cache, or near


@inner()
def _pack(b: int, turned: bool, columns: int, apart: int, depth: int, panels: int, start: int, stop: int) -> None:
    """So many columns of b (K, N), `depth` rows that lie `apart`, into panels, for rows start..stop.

    Of b given turned, as (N, K), whose columns lie `apart` then, panels start..stop.
    """
    if turned:
        for p in range(start, stop):
            left = p * COLUMNS
            turn_panel(panels + 4 * left * depth, b + 4 * left * apart, apart, columns - left, depth)
        return
    for near in range(start, stop, NEAR):
        far = min(near + NEAR, stop)
        for left in range(0, columns, COLUMNS):
            pack_panel(panels + 4 * left * depth, b + 4 * left, apart, columns - left, near, far)


@inner()
def _top(q: int, m: int) -> int:
    """The row with which slab q of m rows begins; the last one ends with the last row, and begins the earlier."""
    return min(q * ROWS, m - ROWS)


@inner()
def _pack_slabs(a: int, turned: bool, m: int, depth: int, first: int, last: int, k0: int, deep: int, to: int) -> None:
    """Slabs first..last of a (M, K), or where turned of (K, M) turned, from column k0 on, to (deep, ROWS) each."""
    down, along = (1, m) if turned else (depth, 1)
    for near in range(0, deep, NEAR):
        far = min(near + NEAR, deep)
        for q in range(first, last):
            top, slab = _top(q, m), to + 4 * (q - first) * deep * ROWS
            at = a + 4 * (k0 * along + top * down)
            for k in range(near, far):
                if turned and top >= 0:
                    slab_line(slab + 4 * k * ROWS, at + 4 * k * along)
                else:
                    line = floats(slab + 4 * k * ROWS, ROWS)
                    for r in range(ROWS):
                        line[r] = floats(at + 4 * (k * along + r * down), 1)[0] if top + r >= 0 else np.float32(0)


@inner()
def _rectangle(
    a: int,
    turned: bool,
    b: int,
    in_place: bool,
    panels: int,
    bias: int,
    c: int,
    m: int,
    n: int,
    depth: int,
    first: int,
    last: int,
    k_first: int,
    k_last: int,
    high: int,
    wide: int,
    start: int,
    stop: int,
) -> None:
    """Rectangles start..stop, `high` slabs by `wide` panels each, of c[:, first:last] = a @ b + bias.

    Of the products that each number of c is a sum of, those k_first..k_last, added to the earlier ones. b has been
    packed into panels; where it is used in place, only its last columns, if they do not fill a panel.
    """
    all_panels = (last - first + COLUMNS - 1) // COLUMNS
    across = (all_panels + wide - 1) // wide
    chunk = k_last - k_first
    pieces = (chunk + DEPTH - 1) // DEPTH
    most = (chunk + pieces - 1) // pieces
    slabs = np.empty((high if turned else 1) * most * ROWS + ROWS * COLUMNS + SPARE, np.float32)
    edge = lined_up(slabs)
    packed_slabs = edge + 4 * ROWS * COLUMNS
    for part in range(start, stop):
        q0, p0 = part // across * high, part % across * wide
        q1, p1 = min(q0 + high, (m + ROWS - 1) // ROWS), min(p0 + wide, all_panels)
        lie = q0 if turned or m < ROWS else q1  # slabs before this one are read where they lie
        for k0 in range(k_first, k_last, most):
            deep = min(most, k_last - k0)
            _pack_slabs(a, turned, m, depth, lie, q1, k0, deep, packed_slabs)
            for q in range(q0, q1):
                top = _top(q, m)
                rows, down, along = a + 4 * (top * depth + k0), depth, 1
                if q >= lie:
                    rows, down, along = packed_slabs + 4 * (q - lie) * deep * ROWS, 1, ROWS
                for p in range(p0, p1):
                    left = first + p * COLUMNS
                    columns = min(COLUMNS, last - left)
                    panel, panel_apart = panels + 4 * ((0 if in_place else p) * chunk + k0 - k_first) * COLUMNS, COLUMNS
                    if in_place and columns == COLUMNS:
                        panel, panel_apart = b + 4 * (k0 * n + left), n
                    to, apart = c + 4 * (top * n + left), n
                    plus, plus_apart = 0, 0
                    whole = top == q * ROWS and columns == COLUMNS
                    if not whole:
                        to, apart = edge, COLUMNS
                    elif k0 > 0:
                        plus, plus_apart = to, n
                    elif bias != 0:
                        plus = bias + 4 * left
                    tile(deep, rows, down, along, panel, panel_apart, to, apart, plus, plus_apart)
                    if whole:
                        continue
                    for r in range(q * ROWS - top, ROWS):
                        row, result = (
                            floats(edge + 4 * r * COLUMNS, columns),
                            floats(c + 4 * ((top + r) * n + left), columns),
                        )
                        more = floats(bias + 4 * left, columns)
                        for j in range(columns):
                            if k0 > 0:
                                result[j] += row[j]
                            else:
                                result[j] = row[j] + (more[j] if bias != 0 else np.float32(0))
    slabs[0] = np.float32(0)  # needed up to here (`lined_up`)


@loop(_MULTIPLY)
def multiply(crew: Array, a: Array, a_turned: bool, b: Array, b_turned: bool, bias: Array, c: Array) -> None:
    """c (M, N) = a (M, K) @ b (K, N) + bias (N or 0).

    a is given as (K, M) if turned, b as (N, K); all in one piece; K is not 0.
    """
    m, n = c.shape
    depth = b.shape[1] if b_turned else b.shape[0]
    a_at, b_at, c_at = a.ctypes.data, b.ctypes.data, c.ctypes.data
    bias_at = np.int64(bias.ctypes.data) if len(bias) else np.int64(0)  # a uint64 or an int64 would be a float64
    all_slabs = (m + ROWS - 1) // ROWS
    in_place = not b_turned and depth * n <= NEARBY and all_slabs <= FEW
    wide = n if in_place else min(n, max(MOST // DEPTH // COLUMNS, 1) * COLUMNS)  # what is packed at a time
    deep = min(depth, max(MOST // wide // DEPTH, 1) * DEPTH)
    room = np.empty((COLUMNS if in_place else (wide + COLUMNS - 1) // COLUMNS * COLUMNS) * deep + SPARE, np.float32)
    panels = lined_up(room)
    high = min(HIGH, all_slabs)
    if a_turned:  # a rectangle packs its slabs, so it takes all panels; and there are some rectangles all the same
        high = min(high, max(LOW, (all_slabs + SHARES - 1) // SHARES))
    down = (all_slabs + high - 1) // high
    high = (all_slabs + down - 1) // down
    for first in range(0, n, wide):
        last = min(n, first + wide)
        here = (last - first + COLUMNS - 1) // COLUMNS
        across = here if a_turned else max(1, min(here, here * down // PARTS))
        parts = down * ((here + across - 1) // across)
        for k0 in range(0, depth, deep):
            k1 = min(depth, k0 + deep)
            if not in_place:
                at, apart = (b_at + 4 * (first * depth + k0), depth) if b_turned else (b_at + 4 * (k0 * n + first), n)
                length, each = (here, (k1 - k0) * COLUMNS) if b_turned else (k1 - k0, here * COLUMNS)
                work = job(_pack, (at, b_turned, last - first, apart, k1 - k0, panels))
                offer(crew, work, length, max(1, PACKED // each))
            elif n % COLUMNS:
                left = n // COLUMNS * COLUMNS
                pack_panel(panels, b_at + 4 * left, n, n - left, 0, depth)
            where = (c_at, m, n, depth, first, last, k0, k1, high, across)
            offer(crew, job(_rectangle, (a_at, a_turned, b_at, in_place, panels, bias_at, *where)), parts, 1)
    room[0] = np.float32(0)  # needed up to here (`lined_up`)
