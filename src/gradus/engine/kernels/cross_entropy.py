"""Cross entropy from logits, without storing the probabilities."""

from __future__ import annotations

import math

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def forward(x: Array, targets: Array, ignore_index: int) -> tuple[Array, Array, float, int]:
    """x (N, C), targets (N,) -> losses (N,), logsumexp (N,), the sum of the losses, the count of targets.

    An ignored target has loss 0 and is not counted.

    Raises:
        IndexError: if a target is neither in 0..C-1 nor `ignore_index`.
    """
    if kernels.accepts(x):
        n = len(x)
        losses, logsumexp = np.empty(n, np.float32), np.empty(n, np.float32)
        loop = kernels.compiled().cross_entropy
        total, count = loop(threads.pool(), x, targets, ignore_index, losses, logsumexp)
        if count < 0:
            raise _out_of_bounds(targets[targets != ignore_index], x.shape[1])
        return losses, logsumexp, total, count
    counted = targets != ignore_index
    valid = targets[counted]
    if valid.size and (valid.min() < 0 or valid.max() >= x.shape[1]):
        raise _out_of_bounds(valid, x.shape[1])
    top = x.max(axis=-1)
    logsumexp = np.log(np.exp(x - top[:, None]).sum(axis=-1)) + top
    rows = np.where(counted, targets, 0)
    losses = np.where(counted, logsumexp - x[np.arange(len(x)), rows], 0).astype(x.dtype, copy=False)
    return losses, logsumexp, float(losses.sum()), valid.size


FEW = 1 << 14  # logits; below, computing the gradient with the loss is cheaper than a second pass


def forward_and_gradient(x: Array, targets: Array, ignore_index: int, mean: bool) -> tuple[Array, Array]:
    """The sum or the mean of the losses, (), and its gradient with respect to x (N, C); a mean of none is NaN."""
    if kernels.accepts(x):
        loss, dx = np.empty((), np.float32), np.empty(x.shape, np.float32)
        if not kernels.compiled().cross_entropy_and_gradient(x, targets, ignore_index, mean, loss, dx):
            raise _out_of_bounds(targets[targets != ignore_index], x.shape[1])
        return loss, dx
    _, logsumexp, total, count = forward(x, targets, ignore_index)
    if mean:
        total = total / count if count else math.nan
    scale = np.full(1, 1 / max(count, 1) if mean else 1, x.dtype)
    return np.array(total, x.dtype), backward(x, targets, logsumexp, scale, ignore_index)


def backward(x: Array, targets: Array, logsumexp: Array, scales: Array, ignore_index: int) -> Array:
    """(softmax(x) - onehot(targets)) scale, row by row; 0 for an ignored target. scales (N,), or (1,) for all rows."""
    if kernels.accepts(x):
        dx = np.empty_like(x)
        loop = kernels.compiled().cross_entropy_backward
        scales = scales if scales.flags.carray else scales.copy()
        loop(threads.pool(), x, targets, logsumexp, scales, ignore_index, dx)
        return dx
    dx = np.exp(x - logsumexp[:, None])
    counted = np.flatnonzero(targets != ignore_index)
    dx[counted, targets[counted]] -= 1
    dx *= np.where(targets != ignore_index, scales, 0).astype(x.dtype, copy=False)[:, None]
    return dx


def _out_of_bounds(targets: Array, classes: int) -> IndexError:
    wrong = targets[(targets < 0) | (targets >= classes)][0]
    return IndexError(f"Target {wrong} is out of bounds.")
