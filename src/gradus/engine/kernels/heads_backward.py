"""The gradients of attention (`heads.py`).

The probabilities are recomputed, a block of queries at a time, from the scores and the logsumexp that forward saved.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import floats, job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import exp32
from gradus.engine.kernels.panels import (
    HEADS,
    LINE,
    MASKED,
    PARTS,
    aligned,
    fill_tail,
    pack_rows,
    pack_transposed_rows,
    padded,
    row_of,
    scale_row,
    slab,
)
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.target import COLUMNS, ROWS
from gradus.engine.kernels.vectors import prefer_wide_vectors

BLOCK = 96 // ROWS * ROWS  # queries; with a few more, where they are the last


@inner()
def _accumulate(
    p: int, width: int, first: int, rows: int, causal: bool, packed: int, to: int, n: int, keys: int
) -> None:
    """to[s] += Σ p[r, s] * packed row r, over the rows r of a block that attend to key s."""
    for s in range(0, keys, ROWS):
        above = max(0, s - first) if causal else 0
        if above < rows:
            panels, panel_stride = packed + 4 * above * COLUMNS, (BLOCK + ROWS) * COLUMNS
            slab(rows - above, p + 4 * (above * width + s), 1, width, panels, panel_stride, n, to + 4 * s * n, n, True)


@inner()
def _softmax_backward(p_row: int, d_row: int, width: int, scale: Any, logsumexp: Any) -> None:
    """p: scores become probabilities. d: gradients of the probabilities become those of the scores."""
    prefer_wide_vectors()
    p, d = floats(p_row, width), floats(d_row, width)
    dot = np.float32(0)
    for j in range(width):
        p[j] = exp32(p[j] * scale - logsumexp)
        dot += p[j] * d[j]
    for j in range(width):
        d[j] = scale * p[j] * (d[j] - dot)


@inner()
def _masked_softmax_backward(p_row: int, d_row: int, mask_row: int, width: int, scale: Any, logsumexp: Any) -> None:
    """The same if the probabilities were multiplied by a mask; p becomes the masked probabilities."""
    p, d, mask = floats(p_row, width), floats(d_row, width), floats(mask_row, width)
    for j in range(width):
        d[j] *= mask[j]
    _softmax_backward(p_row, d_row, width, scale, logsumexp)
    for j in range(width):
        p[j] *= mask[j]


@inner()
def _copy(to: int, ld_to: int, source: int, ld_source: int, rows: int, columns: int) -> None:
    """Copy a matrix of so many rows and columns."""
    for r in range(rows):
        scale_row(to + 4 * r * ld_to, source + 4 * r * ld_source, columns, np.float32(1))


@inner()
def _backward(
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    mask: Array,
    logsumexp: Array,
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
    width, k_width, v_width = padded(S + ROWS), padded(E), padded(D)  # the last tile of keys may extend beyond S
    size = width * (E + D) + k_width * S + most * (2 * k_width + v_width + 2 * width)
    size += (S + ROWS) * (k_width + v_width)
    workspace = np.zeros(size + LINE, np.float32)
    k_transposed = aligned(workspace)
    v_transposed = k_transposed + 4 * width * E
    keys = v_transposed + 4 * width * D
    queries = keys + 4 * k_width * S
    gradients = queries + 4 * k_width * most
    p = gradients + 4 * v_width * most
    d = p + 4 * width * most
    to_q = d + 4 * width * most
    to_k = to_q + 4 * k_width * most
    to_v = to_k + 4 * k_width * (S + ROWS)
    for head in range(start, stop):
        b, h = head // H, head % H
        pack_transposed_rows(k_transposed, row_of(k, b, h, 0), k.strides[2] // 4, S, E)
        pack_transposed_rows(v_transposed, row_of(v, b, h, 0), v.strides[2] // 4, S, D)
        pack_rows(keys, row_of(k, b, h, 0), k.strides[2] // 4, S, E, S)
        fill_tail(to_k, 0, (k_width + v_width) * (S + ROWS), np.float32(0))
        first = 0
        while first < T:
            rows = BLOCK if first + BLOCK + ROWS <= T else T - first
            pack_rows(queries, row_of(q, b, h, first), q.strides[2] // 4, rows, E, most)
            pack_rows(gradients, row_of(dy, b, h, first), dy.strides[2] // 4, rows, D, most)
            for each in range(0, rows, ROWS):
                top = min(each, rows - ROWS)
                t = first + top
                visible = min(S, t + ROWS) if causal else S
                n_keys = padded(visible)
                p_top, d_top = p + 4 * top * width, d + 4 * top * width
                slab(
                    E,
                    row_of(q, b, h, t),
                    q.strides[2] // 4,
                    1,
                    k_transposed,
                    E * COLUMNS,
                    n_keys,
                    p_top,
                    width,
                    False,
                )
                slab(
                    D,
                    row_of(dy, b, h, t),
                    dy.strides[2] // 4,
                    1,
                    v_transposed,
                    D * COLUMNS,
                    n_keys,
                    d_top,
                    width,
                    False,
                )
                for r in range(ROWS):
                    n = min(S, t + r + 1) if causal else S
                    fill_tail(p_top + 4 * r * width, n, n_keys, MASKED)
                    fill_tail(d_top + 4 * r * width, n, n_keys, np.float32(0))
                for r in range(ROWS):
                    p_row, d_row, total = p_top + 4 * r * width, d_top + 4 * r * width, logsumexp[b, h, t + r]
                    if mask.size:
                        _masked_softmax_backward(p_row, d_row, row_of(mask, b, h, t + r), visible, c, total)
                        fill_tail(p_row, visible, n_keys, np.float32(0))
                    else:
                        _softmax_backward(p_row, d_row, n_keys, c, total)
                slab(visible, d_top, width, 1, keys, S * COLUMNS, k_width, to_q + 4 * top * k_width, k_width, False)
            _accumulate(p, width, first, rows, causal, gradients, to_v, v_width, S)
            _accumulate(d, width, first, rows, causal, queries, to_k, k_width, S)
            _copy(row_of(dq, b, h, first), dq.strides[2] // 4, to_q, k_width, rows, E)
            first += rows
        _copy(row_of(dk, b, h, 0), dk.strides[2] // 4, to_k, k_width, S, E)
        _copy(row_of(dv, b, h, 0), dv.strides[2] // 4, to_v, v_width, S, D)
    workspace[0] = np.float32(0)  # used until here: see `aligned`


@loop(
    f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, {HEADS}, float32[:, :, ::1], boolean, float64, "
    f"{HEADS}, {HEADS}, {HEADS})",
)
def backward(
    pool: Array,
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    mask: Array,
    logsumexp: Array,
    causal: bool,
    scale: float,
    dq: Array,
    dk: Array,
    dv: Array,
) -> None:
    """dy (B, H, T, D) -> dq, dk, dv, of the shapes of q, k and v; the other arguments as in forward."""
    heads = q.shape[0] * q.shape[1]
    work = job(_backward, (dy, q, k, v, mask, logsumexp, causal, scale, dq, dk, dv))
    parallel_for(pool, work, heads, max(1, heads // PARTS))
