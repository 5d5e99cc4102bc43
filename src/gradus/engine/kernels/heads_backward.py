"""The gradients of attention (`heads.py`): the probabilities are computed again, a block of queries at a time, from the
scores and the logarithm of their sum that forward has kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gradus.engine.dtypes import Array
from gradus.engine.kernels.crew import offer
from gradus.engine.kernels.heads import BLOCK, HEADS, ROOM, exp_row, pack, pack_turned, panels, scores, weighted
from gradus.engine.kernels.native import COLUMNS, ROWS, job, tile

_options: dict[str, Any] = {"cache": True, "fastmath": True, "nogil": True, "error_model": "numpy"}
_inner = _options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only


@njit(**_inner)
def _gathered(p: Array, first: int, rows: int, keys: int, causal: bool, packed: Array, out: Array) -> None:
    """out[s] += Σ p[ROWS + r, s] · row r of what was packed into `packed`."""
    width = p.shape[1]
    for s in range(0, keys, ROWS):
        above = max(0, s - first) if causal else 0  # rows that do not see key s
        if above >= rows:
            return
        start = p.ctypes.data + 4 * ((ROWS + above) * width + s)
        for n in range(len(packed)):
            panel = packed.ctypes.data + 4 * (n * packed.shape[1] + above) * COLUMNS
            to = out.ctypes.data + 4 * (s * out.shape[1] + n * COLUMNS)
            tile(rows - above, start, 1, width, panel, to, out.shape[1], to, out.shape[1])


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
    k_turned = np.empty((panels(S), E, COLUMNS), np.float32)
    v_turned = np.empty((panels(S), D, COLUMNS), np.float32)
    keys = np.empty((panels(E), S, COLUMNS), np.float32)
    queries = np.empty((panels(E), BLOCK, COLUMNS), np.float32)
    gradients = np.empty((panels(D), BLOCK, COLUMNS), np.float32)
    p = np.empty((ROOM, (panels(S) + 1) * COLUMNS), np.float32)
    d = np.empty((ROOM, (panels(S) + 1) * COLUMNS), np.float32)
    to_q = np.empty((ROOM, panels(E) * COLUMNS), np.float32)
    to_k = np.empty((S + ROWS, panels(E) * COLUMNS), np.float32)
    to_v = np.empty((S + ROWS, panels(D) * COLUMNS), np.float32)
    for head in range(start, stop):
        b, h = head // H, head % H
        pack_turned(k, b, h, k_turned)
        pack_turned(v, b, h, v_turned)
        pack(k, b, h, 0, S, keys)
        to_k[:] = np.float32(0)
        to_v[:] = np.float32(0)
        for first in range(0, T, BLOCK):
            rows = min(BLOCK, T - first)
            pack(q, b, h, first, rows, queries)
            pack(dy, b, h, first, rows, gradients)
            scores(q, b, h, first, rows, k_turned, causal, p)
            scores(dy, b, h, first, rows, v_turned, causal, d)
            for r in range(ROWS, ROWS + rows):
                t = first + r - ROWS
                n = min(S, t + 1) if causal else S
                total = log_total[b, h, t]
                along = np.float32(0)
                if kept.size:
                    for j in range(n):
                        d[r, j] *= kept[b, h, t, j]
                exp_row(p, r, n, c, total)
                for j in range(n):
                    along += p[r, j] * d[r, j]
                for j in range(n):
                    d[r, j] = c * p[r, j] * (d[r, j] - along)
                if kept.size:
                    for j in range(n):
                        p[r, j] *= kept[b, h, t, j]
                for j in range(n, d.shape[1]):
                    d[r, j] = np.float32(0)
            _gathered(p, first, rows, S, causal, gradients, to_v)
            _gathered(d, first, rows, S, causal, queries, to_k)
            weighted(d, first, rows, S, causal, keys, to_q)
            for r in range(rows):
                for j in range(E):
                    dq[b, h, first + r, j] = to_q[r, j]
        for s in range(S):
            for j in range(E):
                dk[b, h, s, j] = to_k[s, j]
            for j in range(D):
                dv[b, h, s, j] = to_v[s, j]


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
    work = job(_backward, (dy, q, k, v, kept, log_total, causal, scale, dq, dk, dv))
    offer(crew, work, q.shape[0] * q.shape[1], 1)
