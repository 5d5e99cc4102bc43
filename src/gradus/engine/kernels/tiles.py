"""A product of float32 matrices, blocked for the caches (Goto and van de Geijn, 2008; BLIS, 2015).

First as much of b as fits the second-level cache is packed into panels as wide as a tile, unless b is small. Then
blocks of the result are shared among the threads. Within a block, slabs of a's rows, `DEPTH` columns at a time, stay in
the first-level cache while the tiles go along the panels. a is read in place; only if it is transposed, or has fewer
rows than a tile, does a block pack its part of a into slabs as high as a tile, which stay in the second-level cache.
"""

from __future__ import annotations

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.micro_kernel import tile
from gradus.engine.kernels.panels import LINE, aligned, pack_panel, pack_transposed_panel
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.target import COLUMNS, ROWS
from gradus.engine.kernels.vectors import copy_slab_column

_MATRIX = "float32[:, ::1]"
_MULTIPLY = f"void(int64[::1], {_MATRIX}, boolean, {_MATRIX}, boolean, float32[::1], {_MATRIX})"

DEPTH = 192  # of a tile, at most (BLIS's KC): a slab then fits the first-level cache
LOW, HIGH = 3, 8  # slabs in a block, at least and at most: with its part of b they fit the second-level cache
PARTS = 16  # blocks, at least, if the result is large enough
SHARES = 4  # ... if each is as wide as the result
NEARBY, FEW = 1 << 16, 16  # elements of a b that fits the second-level cache: not worth packing for so few slabs
PACKED = 1 << 14  # elements to pack in a part
NEAR = 16  # rows to pack for all panels before the next rows
MOST = 1 << 18  # elements of b packed at a time: they fit the second-level cache, or nearly


@inner()
def _pack(b: int, transposed: bool, columns: int, ldb: int, depth: int, panels: int, start: int, stop: int) -> None:
    """Pack rows start..stop of b (depth, columns) into panels; or, of b given transposed, panels start..stop."""
    if transposed:
        for p in range(start, stop):
            left = p * COLUMNS
            pack_transposed_panel(panels + 4 * left * depth, b + 4 * left * ldb, ldb, columns - left, depth)
        return
    for near in range(start, stop, NEAR):
        far = min(near + NEAR, stop)
        for left in range(0, columns, COLUMNS):
            pack_panel(panels + 4 * left * depth, b + 4 * left, ldb, columns - left, near, far)


@inner()
def _top(q: int, m: int) -> int:
    """The first row of slab q; the last slab ends with the last of m rows, so it may overlap the one before."""
    return min(q * ROWS, m - ROWS)


@inner()
def _pack_slabs(
    a: int, transposed: bool, m: int, depth: int, first: int, last: int, k0: int, deep: int, to: int
) -> None:
    """Pack slabs first..last of a (M, K), or (K, M) if transposed, columns k0..k0 + deep, as (deep, ROWS) each."""
    row_stride, column_stride = (1, m) if transposed else (depth, 1)
    for near in range(0, deep, NEAR):
        far = min(near + NEAR, deep)
        for q in range(first, last):
            top, slab = _top(q, m), to + 4 * (q - first) * deep * ROWS
            source = a + 4 * (k0 * column_stride + top * row_stride)
            for k in range(near, far):
                if transposed and top >= 0:
                    copy_slab_column(slab + 4 * k * ROWS, source + 4 * k * column_stride)
                else:
                    line = floats(slab + 4 * k * ROWS, ROWS)
                    for r in range(ROWS):
                        at = source + 4 * (k * column_stride + r * row_stride)
                        line[r] = floats(at, 1)[0] if top + r >= 0 else np.float32(0)


@inner()
def _blocks(
    a: int,
    transposed: bool,
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
    """Blocks start..stop, `high` slabs by `wide` panels each, of c[:, first:last] = a @ b + bias.

    Adds the products of a[:, k_first:k_last] and b[k_first:k_last] to those of the columns before. b is packed into
    panels; if it is used in place, only its last columns are, if they do not fill a panel.
    """
    all_panels = (last - first + COLUMNS - 1) // COLUMNS
    panel_blocks = (all_panels + wide - 1) // wide
    chunk = k_last - k_first
    pieces = (chunk + DEPTH - 1) // DEPTH
    most = (chunk + pieces - 1) // pieces
    slabs = np.empty((high if transposed else 1) * most * ROWS + ROWS * COLUMNS + LINE, np.float32)
    edge = aligned(slabs)
    packed_slabs = edge + 4 * ROWS * COLUMNS
    for part in range(start, stop):
        q0, p0 = part // panel_blocks * high, part % panel_blocks * wide
        q1, p1 = min(q0 + high, (m + ROWS - 1) // ROWS), min(p0 + wide, all_panels)
        packed = q0 if transposed or m < ROWS else q1  # slabs before this one are read in place
        for k0 in range(k_first, k_last, most):
            deep = min(most, k_last - k0)
            _pack_slabs(a, transposed, m, depth, packed, q1, k0, deep, packed_slabs)
            for q in range(q0, q1):
                top = _top(q, m)
                rows, row_stride, column_stride = a + 4 * (top * depth + k0), depth, 1
                if q >= packed:
                    rows, row_stride, column_stride = packed_slabs + 4 * (q - packed) * deep * ROWS, 1, ROWS
                for p in range(p0, p1):
                    left = first + p * COLUMNS
                    columns = min(COLUMNS, last - left)
                    panel, ldb = panels + 4 * ((0 if in_place else p) * chunk + k0 - k_first) * COLUMNS, COLUMNS
                    if in_place and columns == COLUMNS:
                        panel, ldb = b + 4 * (k0 * n + left), n
                    to, ldc = c + 4 * (top * n + left), n
                    addend, ld_addend = 0, 0
                    whole = top == q * ROWS and columns == COLUMNS
                    if not whole:
                        to, ldc = edge, COLUMNS
                    elif k0 > 0:
                        addend, ld_addend = to, n
                    elif bias != 0:
                        addend = bias + 4 * left
                    tile(deep, rows, row_stride, column_stride, panel, ldb, to, ldc, addend, ld_addend)
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
    slabs[0] = np.float32(0)  # used until here: see `aligned`


@loop(_MULTIPLY)
def multiply(pool: Array, a: Array, a_transposed: bool, b: Array, b_transposed: bool, bias: Array, c: Array) -> None:
    """c (M, N) = a (M, K) @ b (K, N) + bias (N or 0).

    a is given as (K, M) if transposed, b as (N, K); all are C-contiguous; K is not 0.
    """
    m, n = c.shape
    depth = b.shape[1] if b_transposed else b.shape[0]
    a_at, b_at, c_at = a.ctypes.data, b.ctypes.data, c.ctypes.data
    bias_at = np.int64(bias.ctypes.data) if len(bias) else np.int64(0)  # a uint64 or an int64 would be a float64
    all_slabs = (m + ROWS - 1) // ROWS
    in_place = not b_transposed and depth * n <= NEARBY and all_slabs <= FEW
    wide = n if in_place else min(n, max(MOST // DEPTH // COLUMNS, 1) * COLUMNS)  # columns packed at a time
    deep = min(depth, max(MOST // wide // DEPTH, 1) * DEPTH)
    workspace = np.empty((COLUMNS if in_place else (wide + COLUMNS - 1) // COLUMNS * COLUMNS) * deep + LINE, np.float32)
    panels = aligned(workspace)
    high = min(HIGH, all_slabs)
    if a_transposed:  # a block packs its slabs, so it takes all panels; there still have to be several blocks
        high = min(high, max(LOW, (all_slabs + SHARES - 1) // SHARES))
    slab_blocks = (all_slabs + high - 1) // high
    high = (all_slabs + slab_blocks - 1) // slab_blocks
    for first in range(0, n, wide):
        last = min(n, first + wide)
        panel_count = (last - first + COLUMNS - 1) // COLUMNS
        block_width = panel_count if a_transposed else max(1, min(panel_count, panel_count * slab_blocks // PARTS))
        parts = slab_blocks * ((panel_count + block_width - 1) // block_width)
        for k0 in range(0, depth, deep):
            k1 = min(depth, k0 + deep)
            if not in_place:
                at, ldb = (b_at + 4 * (first * depth + k0), depth) if b_transposed else (b_at + 4 * (k0 * n + first), n)
                length, each = (panel_count, (k1 - k0) * COLUMNS) if b_transposed else (k1 - k0, panel_count * COLUMNS)
                work = job(_pack, (at, b_transposed, last - first, ldb, k1 - k0, panels))
                parallel_for(pool, work, length, max(1, PACKED // each))
            elif n % COLUMNS:
                left = n // COLUMNS * COLUMNS
                pack_panel(panels, b_at + 4 * left, n, n - left, 0, depth)
            shape = (c_at, m, n, depth, first, last, k0, k1, high, block_width)
            parallel_for(pool, job(_blocks, (a_at, a_transposed, b_at, in_place, panels, bias_at, *shape)), parts, 1)
    workspace[0] = np.float32(0)  # used until here: see `aligned`
