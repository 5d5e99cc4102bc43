"""Attention, a head and a few queries at a time: what they need stays in the caches, the square of all pairs is never
in memory, and tiles that the causal mask hides are never computed (Dao et al., 2022).

Here is forward; `heads_backward.py` has the gradients. Queries are taken in slabs of ROWS, as high as a tile; where the
last ones are fewer, the last slab begins earlier and computes some queries once more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.loops import exp32
from gradus.engine.kernels.native import COLUMNS, LANES, ROWS, floats, job, largest, panel_line, tile, wide
from gradus.engine.kernels.tiles import lined_up, turn_panel

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only

HEADS = "float32[:, :, :, :]"  # of any strides, but for the last axis: compiled once for all of them
PARTS = 16  # into which the heads are cut, if there are as many

HIDDEN = np.float32(-3e38)  # a score that the mask hides


@njit(**_inner)
def panels(n: int) -> int:
    return (n + COLUMNS - 1) // COLUMNS


@njit(**_inner)
def row_of(x: Array, b: int, h: int, t: int) -> int:
    """The address of x[b, h, t]."""
    at: int = x.ctypes.data + b * x.strides[0] + h * x.strides[1] + t * x.strides[2]
    return at


@njit(**_inner)
def turn_rows(x: Array, b: int, h: int, to: Array) -> None:
    """Rows COLUMNS·p … of x[b, h] (N, E) to to[p] (E, COLUMNS), zeros beyond the end."""
    n, depth = x.shape[2], x.shape[3]
    for p in range(len(to)):
        at = row_of(x, b, h, p * COLUMNS)
        turn_panel(to.ctypes.data + 4 * p * depth * COLUMNS, at, x.strides[2] // 4, n - p * COLUMNS, depth)


@njit(f"void({HEADS}, int64, int64, int64, int64, float32[:, :, ::1])", **_inner)
def pack_rows(x: Array, b: int, h: int, first: int, rows: int, to: Array) -> None:
    """Columns COLUMNS·p … of x[b, h, first:first+rows] (rows, E) to to[p, :rows], zeros beyond the end."""
    width, room = x.shape[3], to.shape[1]
    for r in range(rows):
        at = row_of(x, b, h, first + r)
        for p in range(width // COLUMNS):
            panel_line(to.ctypes.data + 4 * (p * room + r) * COLUMNS, at + 4 * p * COLUMNS)
        row = floats(at, width)
        for p in range(width // COLUMNS, len(to)):
            for j in range(COLUMNS):
                to[p, r, j] = row[p * COLUMNS + j] if p * COLUMNS + j < width else np.float32(0)


@njit(**_inner)
def scores(x: Array, b: int, h: int, first: int, turned: Array, seen: int, s: Array, row: int) -> None:
    """s[row + r] = x[b, h, first + r] · each row in the first `seen` panels of `turned`, for a slab of rows."""
    depth, width = x.shape[3], s.shape[1]
    for p in range(seen):
        panel = turned.ctypes.data + 4 * p * depth * COLUMNS
        to = s.ctypes.data + 4 * (row * width + p * COLUMNS)
        tile(depth, row_of(x, b, h, first), x.strides[2] // 4, 1, panel, COLUMNS, to, width, 0, 0)


@njit(**_inner)
def weighted(p: Array, row: int, depth: int, packed: Array, out: Array, out_row: int) -> None:
    """out[out_row + r] = Σ p[row + r, s] · row s of what was packed, for a slab of rows and s < depth."""
    width = out.shape[1]
    for n in range(len(packed)):
        panel = packed.ctypes.data + 4 * n * packed.shape[1] * COLUMNS
        to = out.ctypes.data + 4 * (out_row * width + n * COLUMNS)
        tile(depth, p.ctypes.data + 4 * row * p.shape[1], p.shape[1], 1, panel, COLUMNS, to, width, 0, 0)


@njit(**_inner)
def hide(s: Array, n: int, value: Any) -> None:
    for j in range(n, len(s)):
        s[j] = value


@njit(**_inner)
def _exponentials(s: Array, scale: Any, less: Any) -> Any:
    """s = e^(scale s - less), and the sum of it. s is of whole panels, so that all of it is vectors."""
    wide()
    total = np.float32(0)
    for j in range(len(s)):
        s[j] = exp32(s[j] * scale - less)
        total += s[j]
    return total


@njit(**_inner)
def _scaled(x: Array, factor: Any, to: Array) -> None:
    for j in range(len(to)):
        to[j] = x[j] * factor


@njit(**_inner)
def _times(s: Array, by: Array) -> None:
    for j in range(len(by)):
        s[j] *= by[j]


@njit(**_inner)
def _forward(
    q: Array,
    k: Array,
    v: Array,
    kept: Array,
    causal: bool,
    scale: float,
    y: Array,
    log_total: Array,
    start: int,
    stop: int,
) -> None:
    H, T, S, D = q.shape[1], q.shape[2], k.shape[2], v.shape[3]
    c = np.float32(scale)
    turned = lined_up(panels(S), q.shape[3], COLUMNS)
    values = lined_up(panels(D), S, COLUMNS)
    p = lined_up(1, ROWS, panels(S) * COLUMNS)[0]
    out = lined_up(1, ROWS, panels(D) * COLUMNS)[0]
    tops, totals = np.empty(ROWS, np.float32), np.empty(ROWS, np.float32)
    for head in range(start, stop):
        b, h = head // H, head % H
        turn_rows(k, b, h, turned)
        pack_rows(v, b, h, 0, S, values)
        for slab in range(0, T, ROWS):
            first = min(slab, T - ROWS)
            keys = min(S, first + ROWS) if causal else S
            scores(q, b, h, first, turned, panels(keys), p, 0)
            across = panels(keys) * COLUMNS
            for r in range(ROWS):
                hide(p[r, :across], min(S, first + r + 1) if causal else S, HIDDEN)
            for r in range(ROWS):
                tops[r] = largest(p[r].ctypes.data, across // LANES) * c
                totals[r] = _exponentials(p[r, :across], c, tops[r])
            for r in range(ROWS):
                log_total[b, h, first + r] = tops[r] + np.float32(math.log(totals[r]))
                if kept.size:
                    _times(p[r], floats(row_of(kept, b, h, first + r), keys))
            weighted(p, 0, keys, values, out, 0)
            for r in range(ROWS):
                _scaled(out[r], np.float32(1) / totals[r], floats(row_of(y, b, h, first + r), D))


@njit(
    f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, boolean, float64, {HEADS}, float32[:, :, ::1])", **_options
)
def forward(
    crew: Array, q: Array, k: Array, v: Array, kept: Array, causal: bool, scale: float, y: Array, log_total: Array
) -> None:
    """q (B, H, T, E), k (B, H, S, E), v (B, H, S, D) -> y (B, H, T, D), log_total (B, H, T).

    kept (B, H, T, S), or of size 0, multiplies the probabilities. T is at least ROWS; rows are in one piece.
    """
    heads = q.shape[0] * q.shape[1]
    offer(crew, job(_forward, (q, k, v, kept, causal, scale, y, log_total)), heads, max(1, heads // PARTS))
