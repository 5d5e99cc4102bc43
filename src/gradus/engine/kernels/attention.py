"""Scaled dot-product attention over all heads at once."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

BLOCK = 64  # queries at a time when causal: a block sees the keys up to its end, and what lies beyond is never computed


def forward(q: Array, k: Array, v: Array, causal: bool, scale: float) -> tuple[Array, Array]:
    """q (..., T, E), k (..., S, E), v (..., S, D) -> y (..., T, D), and the attention p, which backward needs.

    p is (..., T, S), or where the loops are used, its causal blocks one after the other.
    """
    if causal and _blocked(q, k, v):
        return _causal(q, k, v, scale)
    p = q @ k.swapaxes(-1, -2)  # (..., T, E) @ (..., E, S) -> (..., T, S)
    p *= q.dtype.type(scale)
    if causal:
        T, S = p.shape[-2:]
        p[..., ~np.tri(T, S, dtype=bool)] = -np.inf
    p -= p.max(axis=-1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=-1, keepdims=True)
    return p @ v, p


def backward(
    dy: Array, q: Array, k: Array, v: Array, p: Array, causal: bool, scale: float
) -> tuple[Array, Array, Array]:
    """-> dq, dk, dv. Where the mask hid a pair, p is 0, and so is its gradient."""
    if p.ndim == 1 and q.ndim == 4:
        return _causal_backward(dy, q, k, v, p, scale)
    dv = p.swapaxes(-1, -2) @ dy
    ds = dy @ v.swapaxes(-1, -2)  # (..., T, D) @ (..., D, S) -> (..., T, S)
    ds *= p
    ds -= p * ds.sum(axis=-1, keepdims=True)
    ds *= q.dtype.type(scale)
    return ds @ k, ds.swapaxes(-1, -2) @ q, dv


def _blocked(q: Array, k: Array, v: Array) -> bool:
    same = q.ndim == 4 and q.shape == k.shape == v.shape and q.dtype == k.dtype == v.dtype == np.float32
    return same and q.size >= kernels.LEAST and kernels.enabled


def _blocks(p: Array, B: int, H: int, T: int) -> list[tuple[int, int, Array]]:
    """The blocks (B, H, rows, keys) of the flat p, each with its first query and the one after its last."""
    blocks, place = [], 0
    for start in range(0, T, BLOCK):
        stop = min(start + BLOCK, T)
        size = B * H * (stop - start) * stop
        blocks.append((start, stop, p[place : place + size].reshape(B, H, stop - start, stop)))
        place += size
    return blocks


def _causal(q: Array, k: Array, v: Array, scale: float) -> tuple[Array, Array]:
    B, H, T, D = v.shape
    y = np.empty((B, T, H, D), v.dtype).swapaxes(1, 2)  # so that the heads lie side by side again without a copy
    p = np.empty(B * H * sum((min(i + BLOCK, T) - i) * min(i + BLOCK, T) for i in range(0, T, BLOCK)), q.dtype)
    blocks = _blocks(p, B, H, T)
    softmax = kernels.compiled().causal_softmax
    keys = k.swapaxes(-1, -2)

    def sequences(a: int, b: int) -> None:
        for start, stop, block in blocks:
            part = block[a:b]
            np.matmul(q[a:b, :, start:stop], keys[a:b, :, :, :stop], out=part)
            softmax(part.reshape(-1, stop - start, stop), scale, start + 1)
            np.matmul(part, v[a:b, :, :stop], out=y[a:b, :, start:stop])

    threads.split(B, sequences)
    return y, p


def _causal_backward(dy: Array, q: Array, k: Array, v: Array, p: Array, scale: float) -> tuple[Array, Array, Array]:
    B, H, T, E = q.shape
    dq, dk, dv = (np.empty((B, T, H, E), q.dtype).swapaxes(1, 2) for _ in range(3))
    blocks = _blocks(p, B, H, T)
    loop = kernels.compiled().causal_softmax_backward
    values = v.swapaxes(-1, -2)

    def sequences(a: int, b: int) -> None:
        for start, stop, block in reversed(
            blocks
        ):  # the last block first: it reaches every key, and the others add to it
            part, rows = block[a:b], slice(start, stop)
            ds = np.matmul(dy[a:b, :, rows], values[a:b, :, :, :stop])
            loop(ds.reshape(-1, stop - start, stop), part.reshape(-1, stop - start, stop), scale, start + 1)
            np.matmul(ds, k[a:b, :, :stop], out=dq[a:b, :, rows])
            whole = stop == T
            to_k = np.matmul(ds.swapaxes(-1, -2), q[a:b, :, rows], out=dk[a:b] if whole else None)
            to_v = np.matmul(part.swapaxes(-1, -2), dy[a:b, :, rows], out=dv[a:b] if whole else None)
            if not whole:
                dk[a:b, :, :stop] += to_k
                dv[a:b, :, :stop] += to_v

    threads.split(B, sequences)
    return dq, dk, dv
