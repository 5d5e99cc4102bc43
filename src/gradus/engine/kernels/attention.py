"""Scaled dot-product attention over all heads at once."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

_FEWEST = 16  # queries, at least, for the compiled loops
_LEAST_SCALE = 1e-20  # with a smaller scale a masked score would not stay negligible
_NO_MASK = np.empty((0, 0, 0, 0), np.float32)


def forward(q: Array, k: Array, v: Array, causal: bool, scale: float, mask: Array | None = None) -> tuple[Array, Array]:
    """q (..., T, E), k (..., S, E), v (..., S, D) -> y (..., T, D), and the logsumexp of the scores (..., T).

    mask (..., T, S) multiplies the probabilities: dropout's 0 or 1/(1 - p).
    """
    if _fused(q, k, v, scale):
        B, H, T, _ = q.shape
        y = np.empty((B, T, H, v.shape[-1]), v.dtype).swapaxes(1, 2)  # so that joining the heads again needs no copy
        logsumexp = np.empty((B, H, T), q.dtype)
        factors = _NO_MASK if mask is None else np.ascontiguousarray(mask)
        kernels.compiled("heads").forward(threads.pool(), q, k, v, factors, causal, scale, y, logsumexp)
        return y, logsumexp
    s = _scores(q, k, causal, scale)
    if not s.size:  # no queries, or no keys
        return s @ v, np.zeros(s.shape[:-1], s.dtype)
    top = s.max(axis=-1, keepdims=True)
    s -= top
    np.exp(s, out=s)
    total = s.sum(axis=-1, keepdims=True)
    s /= total
    return (s if mask is None else s * mask) @ v, (np.log(total) + top)[..., 0]


def backward(
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    logsumexp: Array,
    causal: bool,
    scale: float,
    mask: Array | None = None,
) -> tuple[Array, Array, Array]:
    """-> dq, dk, dv. The probability p of a masked pair is 0, and so is its gradient."""
    if _fused(q, k, v, scale):
        dy = dy if _usable(dy) else dy.copy()
        dq, dk, dv = _gradients(q, k, v)
        factors = _NO_MASK if mask is None else np.ascontiguousarray(mask)
        kernels.compiled("heads_backward").backward(
            threads.pool(), dy, q, k, v, factors, logsumexp, causal, scale, dq, dk, dv
        )
        return dq, dk, dv
    p = _scores(q, k, causal, scale)
    p -= logsumexp[..., None]
    np.exp(p, out=p)
    dp = dy @ v.swapaxes(-1, -2)  # (..., T, D) @ (..., D, S) -> (..., T, S)
    if mask is not None:
        dp *= mask
    ds = dp * p
    ds -= p * ds.sum(axis=-1, keepdims=True)
    ds *= q.dtype.type(scale)
    masked = p if mask is None else p * mask
    return ds @ k, ds.swapaxes(-1, -2) @ q, masked.swapaxes(-1, -2) @ dy


def _gradients(*inputs: Array) -> list[Array]:
    """Empty arrays for the gradients; interleaved if all have one shape, as the outputs of one linear layer are."""
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
    return all(x.dtype == np.float32 and _usable(x) and x.size for x in (q, k, v))


def _usable(x: Array) -> bool:
    """Whether the loops accept an array: writable, the elements of a row adjacent."""
    return x.strides[-1] == x.itemsize and x.flags.behaved
