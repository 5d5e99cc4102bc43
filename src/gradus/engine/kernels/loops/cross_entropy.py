"""Cross entropy of logits (N, C) and targets (N), row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.calls import job
from gradus.engine.kernels.jit import inner, loop
from gradus.engine.kernels.loops.elementary import ONE, exp32, rows_in_part
from gradus.engine.kernels.loops.softmax import row_maximum, sum_exp
from gradus.engine.kernels.pool import parallel_for
from gradus.engine.kernels.vectors import prefer_wide_vectors


@inner()
def _cross_entropy(
    x: Array, targets: Array, ignore_index: int, losses: Array, logsumexp: Array, start: int, stop: int
) -> None:
    n = x.shape[1]
    for i in range(start, stop):
        row = x.ctypes.data + 4 * i * n
        top = row_maximum(row, n)
        logsumexp[i] = np.float32(math.log(sum_exp(row, top, n))) + top
        losses[i] = logsumexp[i] - x[i, targets[i]] if targets[i] != ignore_index else np.float32(0)


@loop()
def cross_entropy(pool: Array, x: Array, targets: Array, ignore_index: int, losses: Array, logsumexp: Array) -> Any:
    """Computes losses and logsumexp; returns the losses' sum and the count of targets that are not ignored.

    The count is -1, and nothing is computed, if a target is out of bounds.
    """
    count = 0
    for i in range(len(targets)):
        if targets[i] != ignore_index:
            if targets[i] < 0 or targets[i] >= x.shape[1]:
                return 0.0, -1
            count += 1
    part = rows_in_part(x.shape[1])
    parallel_for(pool, job(_cross_entropy, (x, targets, ignore_index, losses, logsumexp)), len(x), part)
    total = 0.0
    for i in range(len(losses)):
        total += losses[i]
    return total, count


@inner()
def _cross_entropy_backward(
    x: Array, targets: Array, logsumexp: Array, scales: Array, ignore_index: int, dx: Array, start: int, stop: int
) -> None:
    n = x.shape[1]
    for i in range(start, stop):
        scale = scales[i if len(scales) > 1 else 0]
        if targets[i] == ignore_index:
            for j in range(n):
                dx[i, j] = np.float32(0)
        else:
            for j in range(n):
                dx[i, j] = exp32(x[i, j] - logsumexp[i]) * scale
            dx[i, targets[i]] -= scale


@loop()
def cross_entropy_backward(
    pool: Array, x: Array, targets: Array, logsumexp: Array, scales: Array, ignore_index: int, dx: Array
) -> None:
    part = rows_in_part(x.shape[1])
    parallel_for(pool, job(_cross_entropy_backward, (x, targets, logsumexp, scales, ignore_index, dx)), len(x), part)


@inner()
def _exp_all(x: Array) -> None:
    prefer_wide_vectors()
    for i in range(len(x)):
        x[i] = exp32(x[i])


@loop()
def cross_entropy_and_gradient(x: Array, targets: Array, ignore_index: int, mean: bool, loss: Array, dx: Array) -> bool:
    """The sum or the mean of the losses, and its gradient; returns False if a target is out of bounds.

    For few logits in short rows: exp is computed for all rows together, in vectors.
    """
    n, count, total = x.shape[1], 0, 0.0
    for i in range(len(targets)):
        if targets[i] != ignore_index:
            if targets[i] < 0 or targets[i] >= n:
                return False
            count += 1
    scale = ONE / np.float32(max(count, 1)) if mean else ONE
    maxima = np.empty(len(targets), np.float32)
    for i in range(len(targets)):
        maxima[i] = row_maximum(x.ctypes.data + 4 * i * n, n)
        for j in range(n):
            dx[i, j] = x[i, j] - maxima[i]
    _exp_all(dx.reshape(-1))
    for i in range(len(targets)):
        sum_exp = np.float32(0)
        for j in range(n):
            sum_exp += dx[i, j]
        weight, target = np.float32(0), 0
        if targets[i] != ignore_index:
            weight, target = scale, targets[i]
            total += np.float64(np.float32(math.log(sum_exp)) + maxima[i] - x[i, target])
        factor = weight / sum_exp
        for j in range(n):
            dx[i, j] *= factor
        dx[i, target] -= weight
    loss[()] = total if not mean else total / count if count else math.nan
    return True
