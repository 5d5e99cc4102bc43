"""Scaled dot-product attention over all heads at once."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

_FEWEST = 16  # queries for which a head is worth the loops
_LEAST_SCALE = 1e-20  # by which a hidden score stays one
_ALL_KEPT = np.empty((0, 0, 0, 0), np.float32)


def forward(q: Array, k: Array, v: Array, causal: bool, scale: float, kept: Array | None = None) -> tuple[Array, Array]:
    """q (..., T, E), k (..., S, E), v (..., S, D) -> y (..., T, D), and log Σ eˢ of the scores s (..., T).

    kept (..., T, S) multiplies the probabilities: 0 for one that dropout leaves out, else 1/(1 - p).
    """
    if _fused(q, k, v, scale):
        B, H, T, _ = q.shape
        y = np.empty((B, T, H, v.shape[-1]), v.dtype).swapaxes(1, 2)  # the heads lie side by side again, without a copy
        log_total = np.empty((B, H, T), q.dtype)
        mask = _ALL_KEPT if kept is None else np.ascontiguousarray(kept)
        kernels.compiled("heads").forward(threads.crew(), q, k, v, mask, causal, scale, y, log_total)
        return y, log_total
    s = _scores(q, k, causal, scale)
    if not s.size:  # nobody looks, or there is nothing to look at
        return s @ v, np.zeros(s.shape[:-1], s.dtype)
    top = s.max(axis=-1, keepdims=True)
    s -= top
    np.exp(s, out=s)
    total = s.sum(axis=-1, keepdims=True)
    s /= total
    return (s if kept is None else s * kept) @ v, (np.log(total) + top)[..., 0]


def backward(
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    log_total: Array,
    causal: bool,
    scale: float,
    kept: Array | None = None,
) -> tuple[Array, Array, Array]:
    """-> dq, dk, dv. Where the mask hid a pair, its probability p is 0, and so is its gradient."""
    if _fused(q, k, v, scale):
        dy = dy if _in_rows(dy) else dy.copy()
        dq, dk, dv = _gradients(q, k, v)
        mask = _ALL_KEPT if kept is None else np.ascontiguousarray(kept)
        kernels.compiled("heads_backward").backward(
            threads.crew(), dy, q, k, v, mask, log_total, causal, scale, dq, dk, dv
        )
        return dq, dk, dv
    p = _scores(q, k, causal, scale)
    p -= log_total[..., None]
    np.exp(p, out=p)
    dp = dy @ v.swapaxes(-1, -2)  # (..., T, D) @ (..., D, S) -> (..., T, S)
    if kept is not None:
        dp *= kept
    ds = dp * p
    ds -= p * ds.sum(axis=-1, keepdims=True)
    ds *= q.dtype.type(scale)
    seen = p if kept is None else p * kept
    return ds @ k, ds.swapaxes(-1, -2) @ q, seen.swapaxes(-1, -2) @ dy


def _gradients(*inputs: Array) -> list[Array]:
    """Room for a gradient of each; where all are of one shape side by side, as one layer's outputs were."""
    if len({x.shape for x in inputs}) == 1:
        B, H, T, E = inputs[0].shape
        together = np.empty((B, T, len(inputs), H, E), np.float32)
        return [together[:, :, i].swapaxes(1, 2) for i in range(len(inputs))]
    return [np.empty((len(x), x.shape[2], x.shape[1], x.shape[3]), x.dtype).swapaxes(1, 2) for x in inputs]


def _scores(q: Array, k: Array, causal: bool, scale: float) -> Array:
    s: Array = q @ k.swapaxes(-1, -2)  # (..., T, E) @ (..., E, S) -> (..., T, S)
    s *= q.dtype.type(scale)
    if causal:
        T, S = s.shape[-2:]
        s[..., np.logical_not(np.tri(T, S, dtype=np.bool_))] = -np.inf
    return s


def _fused(q: Array, k: Array, v: Array, scale: float) -> bool:
    if not (q.ndim == 4 and q.shape[2] >= _FEWEST and q.size >= kernels.LEAST):
        return False
    if not (kernels.enabled and scale >= _LEAST_SCALE):
        return False
    return all(x.dtype == np.float32 and _in_rows(x) and x.size for x in (q, k, v))


def _in_rows(x: Array) -> bool:
    """Whether the loops, which take no read-only array, can take this one's rows."""
    return x.strides[-1] == x.itemsize and x.flags.behaved
