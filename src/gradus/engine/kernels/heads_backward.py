"""The gradients of attention (`heads.py`): the probabilities are computed again, a block of queries at a time, from the
scores and the logarithm of their sum that forward has kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.heads import (
    HEADS,
    HIDDEN,
    PARTS,
    hide,
    pack_rows,
    panels,
    row_of,
    scores,
    turn_rows,
    weighted,
)
from gradus.engine.kernels.loops import exp32
from gradus.engine.kernels.native import COLUMNS, ROWS, floats, job, tile, wide
from gradus.engine.kernels.tiles import lined_up

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only

BLOCK = 96 // ROWS * ROWS  # queries; with a few more, where they are the last


@njit(**_inner)
def _gathered(p: Array, first: int, rows: int, keys: int, causal: bool, packed: Array, out: Array) -> None:
    """out[s] += Σ p[r, s] · row r of what was packed, over the rows r of a block that see key s."""
    width = p.shape[1]
    for s in range(0, keys, ROWS):
        above = max(0, s - first) if causal else 0
        if above >= rows:
            return
        for n in range(len(packed)):
            panel = packed.ctypes.data + 4 * (n * packed.shape[1] + above) * COLUMNS
            to = out.ctypes.data + 4 * (s * out.shape[1] + n * COLUMNS)
            start = p.ctypes.data + 4 * (above * width + s)
            tile(rows - above, start, 1, width, panel, COLUMNS, to, out.shape[1], to, out.shape[1])


@njit(**_inner)
def _slopes(p: Array, d: Array, scale: Any, log_total: Any) -> None:
    """From scores p and the gradients d of the probabilities: probabilities p, and the gradients d of the scores."""
    wide()
    along = np.float32(0)
    for j in range(len(p)):
        p[j] = exp32(p[j] * scale - log_total)
        along += p[j] * d[j]
    for j in range(len(p)):
        d[j] = scale * p[j] * (d[j] - along)


@njit(**_inner)
def _slopes_of_kept(p: Array, d: Array, kept: Array, scale: Any, log_total: Any) -> None:
    """The same where the probabilities were multiplied by `kept`; p becomes what they were then."""
    along = np.float32(0)
    for j in range(len(kept)):
        p[j] = exp32(p[j] * scale - log_total)
        d[j] *= kept[j]
        along += p[j] * d[j]
    for j in range(len(kept)):
        d[j] = scale * p[j] * (d[j] - along)
        p[j] *= kept[j]


@njit(**_inner)
def _copy(rows: Array, x: Array, b: int, h: int, first: int, n: int) -> None:
    """x[b, h, first + r] = the beginning of rows[r], for r < n."""
    for r in range(n):
        source, to = rows[r], floats(row_of(x, b, h, first + r), x.shape[3])
        for j in range(len(to)):
            to[j] = source[j]


@njit(**_inner)
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
    H, T, E, S, D = q.shape[1], q.shape[2], q.shape[3], k.shape[2], v.shape[3]
    c = np.float32(scale)
    k_turned, v_turned = lined_up(panels(S), E, COLUMNS), lined_up(panels(S), D, COLUMNS)
    keys = lined_up(panels(E), S, COLUMNS)
    queries, gradients = lined_up(panels(E), BLOCK + ROWS, COLUMNS), lined_up(panels(D), BLOCK + ROWS, COLUMNS)
    across = panels(S + ROWS) * COLUMNS  # tiles of keys may reach beyond the last
    p, d = lined_up(1, BLOCK + ROWS, across)[0], lined_up(1, BLOCK + ROWS, across)[0]
    p[:, S:] = np.float32(0)
    d[:, S:] = np.float32(0)
    to_q = lined_up(1, BLOCK + ROWS, panels(E) * COLUMNS)[0]
    to_k, to_v = lined_up(1, S + ROWS, panels(E) * COLUMNS)[0], lined_up(1, S + ROWS, panels(D) * COLUMNS)[0]
    for head in range(start, stop):
        b, h = head // H, head % H
        turn_rows(k, b, h, k_turned)
        turn_rows(v, b, h, v_turned)
        pack_rows(k, b, h, 0, S, keys)
        to_k[:] = np.float32(0)
        to_v[:] = np.float32(0)
        first = 0
        while first < T:
            rows = BLOCK if first + BLOCK + ROWS <= T else T - first
            pack_rows(q, b, h, first, rows, queries)
            pack_rows(dy, b, h, first, rows, gradients)
            for slab in range(0, rows, ROWS):
                top = min(slab, rows - ROWS)
                seen = min(S, first + top + ROWS) if causal else S
                scores(q, b, h, first + top, k_turned, panels(seen), p, top)
                scores(dy, b, h, first + top, v_turned, panels(seen), d, top)
                across = panels(seen) * COLUMNS
                for r in range(top, top + ROWS):
                    n = min(S, first + r + 1) if causal else S
                    hide(p[r, :across], n, HIDDEN)
                    hide(d[r, :across], n, np.float32(0))
                for r in range(top, top + ROWS):
                    total = log_total[b, h, first + r]
                    if kept.size:
                        mask = floats(row_of(kept, b, h, first + r), seen)
                        _slopes_of_kept(p[r], d[r], mask, c, total)
                    else:
                        _slopes(p[r, :across], d[r, :across], c, total)
                weighted(d, top, seen, keys, to_q, top)
            _gathered(p, first, rows, S, causal, gradients, to_v)
            _gathered(d, first, rows, S, causal, queries, to_k)
            _copy(to_q, dq, b, h, first, rows)
            first += rows
        _copy(to_k, dk, b, h, 0, S)
        _copy(to_v, dv, b, h, 0, S)


@njit(
    f"void(int64[::1], {HEADS}, {HEADS}, {HEADS}, {HEADS}, {HEADS}, float32[:, :, ::1], boolean, float64, "
    f"{HEADS}, {HEADS}, {HEADS})",
    **_options,
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
