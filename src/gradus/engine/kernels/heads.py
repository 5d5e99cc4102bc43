"""Attention, a head and a block of queries at a time: what a block needs stays in the caches, the square of all pairs
is never in memory, and tiles that the causal mask hides are never computed (Dao et al., 2022).

Here is forward; `heads_backward.py` has the gradients.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.loops import exp32
from gradus.engine.kernels.native import COLUMNS, ROWS, job, panel_line, tile
from gradus.engine.kernels.tiles import turn_panel

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only

HEADS = "float32[:, :, :, :]"  # of any strides: compiled once for all of them
BLOCK = 16 * ROWS  # queries; their scores have ROWS spare rows before and after, for tiles that reach beyond
ROOM = BLOCK + 2 * ROWS


@njit(**_inner)
def panels(n: int) -> int:
    return (n + COLUMNS - 1) // COLUMNS


@njit(**_inner)
def pack_turned(x: Array, b: int, h: int, to: Array) -> None:
    """Rows COLUMNS·p … of x[b, h] (N, E) to to[p] (E, COLUMNS), zeros beyond the end."""
    n, depth = x.shape[2], x.shape[3]
    at = x.ctypes.data + b * x.strides[0] + h * x.strides[1]
    for p in range(len(to)):
        start, left = at + p * COLUMNS * x.strides[2], n - p * COLUMNS
        turn_panel(to.ctypes.data + 4 * p * depth * COLUMNS, start, x.strides[2] // 4, left, depth)


@njit(f"void({HEADS}, int64, int64, int64, int64, float32[:, :, ::1])", **_inner)
def pack(x: Array, b: int, h: int, first: int, rows: int, to: Array) -> None:
    """Columns COLUMNS·p … of x[b, h, first:first+rows] (rows, E) to to[p, :rows], zeros beyond the end."""
    width, room = x.shape[3], to.shape[1]
    at = x.ctypes.data + b * x.strides[0] + h * x.strides[1] + first * x.strides[2]
    for p in range(width // COLUMNS):
        for r in range(rows):
            start = at + r * x.strides[2] + 4 * p * COLUMNS
            panel_line(to.ctypes.data + 4 * (p * room + r) * COLUMNS, start)
    for p in range(width // COLUMNS, len(to)):
        for r in range(rows):
            for j in range(COLUMNS):
                to[p, r, j] = x[b, h, first + r, p * COLUMNS + j] if p * COLUMNS + j < width else np.float32(0)


@njit(**_inner)
def scores(x: Array, b: int, h: int, first: int, rows: int, turned: Array, causal: bool, s: Array) -> None:
    """s[ROWS + r] = x[b, h, first + r] · every row that was packed into `turned`, where the mask shows it."""
    depth, width = x.shape[3], s.shape[1]
    at = x.ctypes.data + b * x.strides[0] + h * x.strides[1]
    for r in range(0, rows, ROWS):
        top = min(first + r, x.shape[2] - ROWS)  # the last rows once more, rather than rows beyond the end
        seen = min(len(turned), panels(top + ROWS)) if causal else len(turned)
        for p in range(seen):
            to = s.ctypes.data + 4 * ((ROWS + top - first) * width + p * COLUMNS)
            panel = turned.ctypes.data + 4 * p * depth * COLUMNS
            tile(depth, at + top * x.strides[2], x.strides[2] // 4, 1, panel, to, width, 0, 0)


@njit(**_inner)
def weighted(p: Array, first: int, rows: int, keys: int, causal: bool, packed: Array, out: Array) -> None:
    """out[r] = Σ p[ROWS + r, s] · row s of what was packed into `packed`."""
    width = p.shape[1]
    for r in range(0, rows, ROWS):
        depth = min(keys, first + r + ROWS) if causal else keys
        start = p.ctypes.data + 4 * (ROWS + r) * width
        for n in range(len(packed)):
            panel = packed.ctypes.data + 4 * n * packed.shape[1] * COLUMNS
            to = out.ctypes.data + 4 * (r * out.shape[1] + n * COLUMNS)
            tile(depth, start, width, 1, panel, to, out.shape[1], 0, 0)


@njit(cache=True, nogil=True, error_model="numpy")  # keeps infinities
def _largest(s: Array, row: int, n: int) -> Any:
    top = s[row, 0]
    for j in range(1, n):
        top = max(top, s[row, j])
    return top


@njit(**_inner)
def exp_row(s: Array, row: int, n: int, scale: Any, less: Any) -> None:
    """s = e^(scale s - less) in a row up to n, 0 beyond; done in whole panels, so that all of it is vectors."""
    for p in range(panels(n)):
        part = s[row, p * COLUMNS : (p + 1) * COLUMNS]
        for j in range(COLUMNS):
            part[j] = exp32(part[j] * scale - less)
    for j in range(n, s.shape[1]):
        s[row, j] = np.float32(0)


@njit(**_inner)
def _softmax(s: Array, row: int, n: int, scale: Any) -> Any:
    """s[row, :n] becomes its softmax; the logarithm of the sum, and 0 in what tiles read beyond n."""
    top = _largest(s, row, n) * scale
    exp_row(s, row, n, scale, top)
    total = np.float32(0)
    for j in range(n):
        total += s[row, j]
    share = np.float32(1) / total
    for j in range(n):
        s[row, j] *= share
    return top + np.float32(math.log(total))


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
    turned = np.empty((panels(S), q.shape[3], COLUMNS), np.float32)
    values = np.empty((panels(D), S, COLUMNS), np.float32)
    p = np.empty((ROOM, (panels(S) + 1) * COLUMNS), np.float32)
    out = np.empty((ROOM, panels(D) * COLUMNS), np.float32)
    for head in range(start, stop):
        b, h = head // H, head % H
        pack_turned(k, b, h, turned)
        pack(v, b, h, 0, S, values)
        for first in range(0, T, BLOCK):
            rows = min(BLOCK, T - first)
            scores(q, b, h, first, rows, turned, causal, p)
            for r in range(rows):
                n = min(S, first + r + 1) if causal else S
                log_total[b, h, first + r] = _softmax(p, ROWS + r, n, c)
                if kept.size:
                    for j in range(n):
                        p[ROWS + r, j] *= kept[b, h, first + r, j]
            weighted(p, first, rows, S, causal, values, out)
            for r in range(rows):
                for j in range(D):
                    y[b, h, first + r, j] = out[r, j]


@njit(
    f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, boolean, float64, {HEADS}, float32[:, :, ::1])", **_options
)
def forward(
    crew: Array, q: Array, k: Array, v: Array, kept: Array, causal: bool, scale: float, y: Array, log_total: Array
) -> None:
    """q (B, H, T, E), k (B, H, S, E), v (B, H, S, D) -> y (B, H, T, D), log_total (B, H, T).

    kept (B, H, T, S), or of size 0, multiplies the probabilities. T is at least ROWS; rows are in one piece.
    """
    offer(crew, job(_forward, (q, k, v, kept, causal, scale, y, log_total)), q.shape[0] * q.shape[1], 1)
