"""Attention in blocks, as in FlashAttention (Dao et al., 2022): a head and a slab of queries at a time.

What a slab needs stays in the caches, the (T, S) matrix of scores is never stored, and tiles above the causal mask's
diagonal are never computed. Here is forward; `heads_backward.py` has the gradients. A slab has ROWS queries, as high as
a tile; if fewer are left, the last slab begins earlier and computes some queries again.
"""

from __future__ import annotations

import math
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
from gradus.engine.kernels.target import COLUMNS, LANES, ROWS
from gradus.engine.kernels.vectors import maximum, prefer_wide_vectors


@inner()
def _exponentials(row: int, width: int, scale: Any, shift: Any) -> Any:
    """s = exp(scale * s - shift), in place; returns its sum. The width is a multiple of COLUMNS, so all is vectors."""
    prefer_wide_vectors()
    s = floats(row, width)
    total = np.float32(0)
    for j in range(len(s)):
        s[j] = exp32(s[j] * scale - shift)
        total += s[j]
    return total


@inner()
def _multiply(row: int, factors: int, n: int) -> None:
    x, y = floats(row, n), floats(factors, n)
    for j in range(n):
        x[j] *= y[j]


@inner()
def _forward(
    q: Array,
    k: Array,
    v: Array,
    mask: Array,
    causal: bool,
    scale: float,
    y: Array,
    logsumexp: Array,
    start: int,
    stop: int,
) -> None:
    H, T, E = q.shape[1], q.shape[2], q.shape[3]
    S, D = k.shape[2], v.shape[3]
    c = np.float32(scale)
    width, v_width = padded(S), padded(D)
    workspace = np.empty(width * E + v_width * S + ROWS * (width + v_width) + LINE, np.float32)
    keys_transposed = aligned(workspace)
    values = keys_transposed + 4 * width * E
    p = values + 4 * v_width * S
    out = p + 4 * ROWS * width
    maxima, sums = np.empty(ROWS, np.float32), np.empty(ROWS, np.float32)
    for head in range(start, stop):
        b, h = head // H, head % H
        pack_transposed_rows(keys_transposed, row_of(k, b, h, 0), k.strides[2] // 4, S, E)
        pack_rows(values, row_of(v, b, h, 0), v.strides[2] // 4, S, D, S)
        for each in range(0, T, ROWS):
            first = min(each, T - ROWS)
            visible = min(S, first + ROWS) if causal else S
            keys = padded(visible)
            slab(
                E,
                row_of(q, b, h, first),
                q.strides[2] // 4,
                1,
                keys_transposed,
                E * COLUMNS,
                keys,
                p,
                width,
                False,
            )
            for r in range(ROWS):
                fill_tail(p + 4 * r * width, min(S, first + r + 1) if causal else S, keys, MASKED)
            for r in range(ROWS):
                maxima[r] = maximum(p + 4 * r * width, keys // LANES) * c
                sums[r] = _exponentials(p + 4 * r * width, keys, c, maxima[r])
            for r in range(ROWS):
                logsumexp[b, h, first + r] = maxima[r] + np.float32(math.log(sums[r]))
                if mask.size:
                    _multiply(p + 4 * r * width, row_of(mask, b, h, first + r), visible)
            slab(visible, p, width, 1, values, S * COLUMNS, v_width, out, v_width, False)
            for r in range(ROWS):
                scale_row(row_of(y, b, h, first + r), out + 4 * r * v_width, D, np.float32(1) / sums[r])
    workspace[0] = np.float32(0)  # used until here: see `aligned`


@loop(f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, boolean, float64, {HEADS}, float32[:, :, ::1])")
def forward(
    pool: Array, q: Array, k: Array, v: Array, mask: Array, causal: bool, scale: float, y: Array, logsumexp: Array
) -> None:
    """q (B, H, T, E), k (B, H, S, E), v (B, H, S, D) -> y (B, H, T, D), logsumexp (B, H, T).

    mask (B, H, T, S), or of size 0, multiplies the probabilities. T is at least ROWS; the last axis has stride 1.
    """
    heads = q.shape[0] * q.shape[1]
    parallel_for(pool, job(_forward, (q, k, v, mask, causal, scale, y, logsumexp)), heads, max(1, heads // PARTS))
