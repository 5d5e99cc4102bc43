"""Attention, a head and a few queries at a time: what they need stays in the caches, the square of all pairs is never
in memory, and tiles that the causal mask hides are never computed (Dao et al., 2022).

Here is forward; `heads_backward.py` has the gradients. Queries are taken in slabs of ROWS, as high as a tile; where the
last ones are fewer, the last slab begins earlier and computes some queries once more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops import exp32
from gradus.engine.kernels.native import COLUMNS, LANES, ROWS, floats, job, largest, wide
from gradus.engine.kernels.panels import (
    HEADS,
    HIDDEN,
    PARTS,
    SPARE,
    filled,
    hide,
    lined_up,
    pack_rows,
    row_of,
    scaled,
    slab,
    turn_rows,
)


@inner()
def _exponentials(row: int, width: int, scale: Any, less: Any) -> Any:
    """s = e^(scale s - less), and the sum of it. The width is of whole panels, so that all of it is vectors."""
    wide()
    s = floats(row, width)
    total = np.float32(0)
    for j in range(len(s)):
        s[j] = exp32(s[j] * scale - less)
        total += s[j]
    return total


@inner()
def _times(row: int, by: int, n: int) -> None:
    x, y = floats(row, n), floats(by, n)
    for j in range(n):
        x[j] *= y[j]


@inner()
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
    H, T, E = q.shape[1], q.shape[2], q.shape[3]
    S, D = k.shape[2], v.shape[3]
    c = np.float32(scale)
    width, wide_v = filled(S), filled(D)
    room = np.empty(width * E + wide_v * S + ROWS * (width + wide_v) + SPARE, np.float32)
    turned = lined_up(room)
    values = turned + 4 * width * E
    p = values + 4 * wide_v * S
    out = p + 4 * ROWS * width
    tops, totals = np.empty(ROWS, np.float32), np.empty(ROWS, np.float32)
    for head in range(start, stop):
        b, h = head // H, head % H
        turn_rows(turned, row_of(k, b, h, 0), k.strides[2] // 4, S, E)
        pack_rows(values, row_of(v, b, h, 0), v.strides[2] // 4, S, D, S)
        for each in range(0, T, ROWS):
            first = min(each, T - ROWS)
            keys = min(S, first + ROWS) if causal else S
            across = filled(keys)
            slab(E, row_of(q, b, h, first), q.strides[2] // 4, 1, turned, E * COLUMNS, across, p, width, False)
            for r in range(ROWS):
                hide(p + 4 * r * width, min(S, first + r + 1) if causal else S, across, HIDDEN)
            for r in range(ROWS):
                tops[r] = largest(p + 4 * r * width, across // LANES) * c
                totals[r] = _exponentials(p + 4 * r * width, across, c, tops[r])
            for r in range(ROWS):
                log_total[b, h, first + r] = tops[r] + np.float32(math.log(totals[r]))
                if kept.size:
                    _times(p + 4 * r * width, row_of(kept, b, h, first + r), keys)
            slab(keys, p, width, 1, values, S * COLUMNS, wide_v, out, wide_v, False)
            for r in range(ROWS):
                scaled(row_of(y, b, h, first + r), out + 4 * r * wide_v, D, np.float32(1) / totals[r])
    room[0] = np.float32(0)  # needed up to here (`lined_up`)


@loop(f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, boolean, float64, {HEADS}, float32[:, :, ::1])")
def forward(
    crew: Array, q: Array, k: Array, v: Array, kept: Array, causal: bool, scale: float, y: Array, log_total: Array
) -> None:
    """q (B, H, T, E), k (B, H, S, E), v (B, H, S, D) -> y (B, H, T, D), log_total (B, H, T).

    kept (B, H, T, S), or of size 0, multiplies the probabilities. T is at least ROWS; rows are in one piece.
    """
    heads = q.shape[0] * q.shape[1]
    offer(crew, job(_forward, (q, k, v, kept, causal, scale, y, log_total)), heads, max(1, heads // PARTS))
