"""Cross entropy from logits, without ever storing the probabilities."""

from __future__ import annotations

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def forward(x: Array, targets: Array, ignore_index: int) -> tuple[Array, Array]:
    """x (N, C), targets (N,) -> losses (N,), 0 where not scored, and log Σ eˣ (N,)."""
    if kernels.fused(x):
        return _fused_forward(x, targets, ignore_index)
    top = x.max(axis=-1)
    log_total = np.log(np.exp(x - top[:, None]).sum(axis=-1)) + top
    scored = targets != ignore_index
    rows = np.where(scored, targets, 0)
    losses = np.where(scored, log_total - x[np.arange(len(x)), rows], 0)
    return losses.astype(x.dtype, copy=False), log_total


def backward(x: Array, targets: Array, log_total: Array, scales: Array, ignore_index: int) -> Array:
    """(softmax(x) - onehot(targets)) scale, row by row; 0 where not scored."""
    if kernels.fused(x):
        return _fused_backward(x, targets, log_total, scales, ignore_index)
    dx = np.exp(x - log_total[:, None])
    scored = np.flatnonzero(targets != ignore_index)
    dx[scored, targets[scored]] -= 1
    dx *= np.where(targets != ignore_index, scales, 0).astype(x.dtype, copy=False)[:, None]
    return dx


def _fused_forward(x: Array, targets: Array, ignore_index: int) -> tuple[Array, Array]:
    losses, log_total = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    kernels.compiled().cross_entropy(threads.crew(), x, targets, ignore_index, losses, log_total)
    return losses, log_total


def _fused_backward(x: Array, targets: Array, log_total: Array, scales: Array, ignore_index: int) -> Array:
    dx = np.empty_like(x)
    scales = np.ascontiguousarray(scales)
    kernels.compiled().cross_entropy_backward(threads.crew(), x, targets, log_total, scales, ignore_index, dx)
    return dx
