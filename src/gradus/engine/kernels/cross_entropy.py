"""Cross entropy from logits, without ever storing the probabilities."""

from __future__ import annotations

import math

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def forward(x: Array, targets: Array, ignore_index: int) -> tuple[Array, Array, float, int]:
    """x (N, C), targets (N,) -> losses (N,), 0 where not scored, log Σ eˣ (N,), the losses' sum, how many are scored.

    Raises:
        IndexError: if a target is neither a column of x nor `ignore_index`.
    """
    if kernels.fused(x):
        n = len(x)
        losses, log_total = np.empty(n, np.float32), np.empty(n, np.float32)
        loop = kernels.compiled().cross_entropy
        total, count = loop(threads.crew(), x, targets, ignore_index, losses, log_total)
        if count < 0:
            raise _out_of_bounds(targets[targets != ignore_index], x.shape[1])
        return losses, log_total, total, count
    scored = targets != ignore_index
    kept = targets[scored]
    if kept.size and (kept.min() < 0 or kept.max() >= x.shape[1]):
        raise _out_of_bounds(kept, x.shape[1])
    top = x.max(axis=-1)
    log_total = np.log(np.exp(x - top[:, None]).sum(axis=-1)) + top
    rows = np.where(scored, targets, 0)
    losses = np.where(scored, log_total - x[np.arange(len(x)), rows], 0).astype(x.dtype, copy=False)
    return losses, log_total, float(losses.sum()), kept.size


FEW = 1 << 14  # logits, for which a second visit costs more than a gradient kept


def forward_and_gradient(x: Array, targets: Array, ignore_index: int, mean: bool) -> tuple[Array, Array]:
    """The sum or the mean of the losses, (), NaN where none is scored; and its gradient by x (N, C)."""
    if kernels.fused(x):
        loss, dx = np.empty((), np.float32), np.empty(x.shape, np.float32)
        if not kernels.compiled().cross_entropy_and_gradient(x, targets, ignore_index, mean, loss, dx):
            raise _out_of_bounds(targets[targets != ignore_index], x.shape[1])
        return loss, dx
    _, log_total, total, count = forward(x, targets, ignore_index)
    if mean:
        total = total / count if count else math.nan
    scale = np.full(1, 1 / max(count, 1) if mean else 1, x.dtype)
    return np.array(total, x.dtype), backward(x, targets, log_total, scale, ignore_index)


def backward(x: Array, targets: Array, log_total: Array, scales: Array, ignore_index: int) -> Array:
    """(softmax(x) - onehot(targets)) scale, row by row; 0 where not scored. scales (N,), or (1,) for all rows."""
    if kernels.fused(x):
        dx = np.empty_like(x)
        loop = kernels.compiled().cross_entropy_backward
        scales = scales if scales.flags.carray else scales.copy()
        loop(threads.crew(), x, targets, log_total, scales, ignore_index, dx)
        return dx
    dx = np.exp(x - log_total[:, None])
    scored = np.flatnonzero(targets != ignore_index)
    dx[scored, targets[scored]] -= 1
    dx *= np.where(targets != ignore_index, scales, 0).astype(x.dtype, copy=False)[:, None]
    return dx


def _out_of_bounds(targets: Array, classes: int) -> IndexError:
    wrong = targets[(targets < 0) | (targets >= classes)][0]
    return IndexError(f"Target {wrong} is out of bounds.")
