"""The gradients of attention (`heads.py`): the probabilities are computed again, a block of queries at a time, from the
scores and the logarithm of their sum that forward has kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops import exp32
from gradus.engine.kernels.native import COLUMNS, ROWS, floats, job, wide
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

BLOCK = 96 // ROWS * ROWS  # queries; with a few more, where they are the last


@inner()
def _gathered(p: int, width: int, first: int, rows: int, causal: bool, packed: int, to: int, n: int, keys: int) -> None:
    """to[s] += Σ p[r, s] · row r of what was packed, over the rows r of a block that see key s."""
    for s in range(0, keys, ROWS):
        above = max(0, s - first) if causal else 0
        if above < rows:
            panels, apart = packed + 4 * above * COLUMNS, (BLOCK + ROWS) * COLUMNS
            slab(rows - above, p + 4 * (above * width + s), 1, width, panels, apart, n, to + 4 * s * n, n, True)


@inner()
def _slopes(p_row: int, d_row: int, width: int, scale: Any, log_total: Any) -> None:
    """From scores p and the gradients d of the probabilities: probabilities p, and the gradients d of the scores."""
    wide()
    p, d = floats(p_row, width), floats(d_row, width)
    along = np.float32(0)
    for j in range(width):
        p[j] = exp32(p[j] * scale - log_total)
        along += p[j] * d[j]
    for j in range(width):
        d[j] = scale * p[j] * (d[j] - along)


@inner()
def _slopes_of_kept(p_row: int, d_row: int, mask: int, width: int, scale: Any, log_total: Any) -> None:
    """The same where the probabilities were multiplied by a mask; p becomes what they were then."""
    p, d, kept = floats(p_row, width), floats(d_row, width), floats(mask, width)
    for j in range(width):
        d[j] *= kept[j]
    _slopes(p_row, d_row, width, scale, log_total)
    for j in range(width):
        p[j] *= kept[j]


@inner()
def _copy(to: int, apart: int, rows: int, width: int, many: int, n: int) -> None:
    """So many rows of n numbers, to where they lie `apart`."""
    for r in range(many):
        scaled(to + 4 * r * apart, rows + 4 * r * width, n, np.float32(1))


@inner()
def _backward(
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    kept: Array,
    log_total: Array,
    causal: bool,
    scale: float,
    dq: Array,
    dk: Array,
    dv: Array,
    start: int,
    stop: int,
) -> None:
    H, T, E = q.shape[1], q.shape[2], q.shape[3]
    S, D = k.shape[2], v.shape[3]
    c = np.float32(scale)
    most = BLOCK + ROWS
    width, wide_k, wide_v = filled(S + ROWS), filled(E), filled(D)  # tiles of keys may reach beyond the last
    sizes = width * (E + D) + wide_k * S + most * (2 * wide_k + wide_v + 2 * width) + (S + ROWS) * (wide_k + wide_v)
    room = np.zeros(sizes + SPARE, np.float32)
    k_turned = lined_up(room)
    v_turned = k_turned + 4 * width * E
    keys = v_turned + 4 * width * D
    queries = keys + 4 * wide_k * S
    gradients = queries + 4 * wide_k * most
    p = gradients + 4 * wide_v * most
    d = p + 4 * width * most
    to_q = d + 4 * width * most
    to_k = to_q + 4 * wide_k * most
    to_v = to_k + 4 * wide_k * (S + ROWS)
    for head in range(start, stop):
        b, h = head // H, head % H
        turn_rows(k_turned, row_of(k, b, h, 0), k.strides[2] // 4, S, E)
        turn_rows(v_turned, row_of(v, b, h, 0), v.strides[2] // 4, S, D)
        pack_rows(keys, row_of(k, b, h, 0), k.strides[2] // 4, S, E, S)
        hide(to_k, 0, (wide_k + wide_v) * (S + ROWS), np.float32(0))
        first = 0
        while first < T:
            rows = BLOCK if first + BLOCK + ROWS <= T else T - first
            pack_rows(queries, row_of(q, b, h, first), q.strides[2] // 4, rows, E, most)
            pack_rows(gradients, row_of(dy, b, h, first), dy.strides[2] // 4, rows, D, most)
            for each in range(0, rows, ROWS):
                top = min(each, rows - ROWS)
                t = first + top
                seen = min(S, t + ROWS) if causal else S
                across = filled(seen)
                p_top, d_top = p + 4 * top * width, d + 4 * top * width
                slab(E, row_of(q, b, h, t), q.strides[2] // 4, 1, k_turned, E * COLUMNS, across, p_top, width, False)
                slab(D, row_of(dy, b, h, t), dy.strides[2] // 4, 1, v_turned, D * COLUMNS, across, d_top, width, False)
                for r in range(ROWS):
                    n = min(S, t + r + 1) if causal else S
                    hide(p_top + 4 * r * width, n, across, HIDDEN)
                    hide(d_top + 4 * r * width, n, across, np.float32(0))
                for r in range(ROWS):
                    p_row, d_row, total = p_top + 4 * r * width, d_top + 4 * r * width, log_total[b, h, t + r]
                    if kept.size:
                        _slopes_of_kept(p_row, d_row, row_of(kept, b, h, t + r), seen, c, total)
                        hide(p_row, seen, across, np.float32(0))
                    else:
                        _slopes(p_row, d_row, across, c, total)
                slab(seen, d_top, width, 1, keys, S * COLUMNS, wide_k, to_q + 4 * top * wide_k, wide_k, False)
            _gathered(p, width, first, rows, causal, gradients, to_v, wide_v, S)
            _gathered(d, width, first, rows, causal, queries, to_k, wide_k, S)
            _copy(row_of(dq, b, h, first), dq.strides[2] // 4, to_q, wide_k, rows, E)
            first += rows
        _copy(row_of(dk, b, h, 0), dk.strides[2] // 4, to_k, wide_k, S, E)
        _copy(row_of(dv, b, h, 0), dv.strides[2] // 4, to_v, wide_v, S, D)
    room[0] = np.float32(0)  # needed up to here (`lined_up`)


@loop(
    f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, {HEADS}, float32[:, :, ::1], boolean, float64, "
    f"{HEADS}, {HEADS}, {HEADS})",
)
def backward(
    crew: Array,
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    kept: Array,
    log_total: Array,
    causal: bool,
    scale: float,
    dq: Array,
    dk: Array,
    dv: Array,
) -> None:
    """dy (B, H, T, D) -> dq, dk, dv, of the shapes of q, k and v; the rest as in forward."""
    heads = q.shape[0] * q.shape[1]
    work = job(_backward, (dy, q, k, v, kept, log_total, causal, scale, dq, dk, dv))
    offer(crew, work, heads, max(1, heads // PARTS))
