"""Cross entropy of logits, and the negative log likelihood of log probabilities: rules; loops in `kernels/`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, ONE, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import cross_entropy


class CrossEntropy(Function):
    """y = the mean over scored rows of  log Σ eˣⱼ - x[t].    dx = (softmax(x) - onehot(t)) dy / rows

    x (N, C) logits; targets (N,) int64, `ignore_index` marks a row that is not scored; reduction none, sum or mean.
    """

    name_ = "NllLossBackward0"
    keeps = INPUTS
    dx: Any = None  # of few logits, computed at once
    x: Any
    targets: Any
    log_total: Any

    def forward(self, x: Array, targets: Array, scoring: tuple[int, str]) -> Array:
        ignore_index, reduction = scoring
        self.targets = targets
        few = x.size <= cross_entropy.FEW and x.itemsize > 2  # in float16, what is not yet scaled could underflow
        if few and reduction != "none" and self.edges[0] is not None:
            loss, self.dx = cross_entropy.forward_and_gradient(x, targets, ignore_index, reduction == "mean")
            return loss
        self.x, self.ignore_index = x, ignore_index
        losses, self.log_total, total, scored = cross_entropy.forward(x, targets, ignore_index)
        self.count = max(scored, 1) if reduction == "mean" else 1
        if reduction == "none":
            return losses
        if reduction == "mean":
            total = total / scored if scored else math.nan
        return np.array(total, x.dtype)

    def backward(self, dy: Array) -> Any:
        if self.dx is not None:
            return self.dx.copy() if dy is ONE else self.dx * dy, None
        scales = dy.reshape(-1)
        if self.count > 1:
            scales = scales / self.count
        return cross_entropy.backward(self.x, self.targets, self.log_total, scales, self.ignore_index), None

    def release(self) -> None:
        self.dx = self.x = self.targets = self.log_total = self.saved = None


class NllLoss(Function):
    """y = -Σ wₜ x[t] / Σ wₜ (mean), the negative log likelihood of the targets t.    dx[t] = -wₜ dy / Σ wₜ

    x (N, C) log probabilities; targets (N,) int64; reduction none, sum or mean.
    """

    def forward(self, x: Array, targets: Array, weight: Array | None, ignore_index: int, reduction: str) -> Array:
        self.shape, self.reduction = x.shape, reduction
        kept = targets != ignore_index
        self.rows = np.flatnonzero(kept)
        self.targets = targets[self.rows]
        self.w = np.ones(len(self.rows), x.dtype) if weight is None else weight[self.targets]
        losses = -self.w * x[self.rows, self.targets]
        self.total = self.w.sum()
        if reduction == "none":
            y = np.zeros(len(targets), dtype=x.dtype)
            y[self.rows] = losses
            return y
        with np.errstate(invalid="ignore"):
            return np.asarray(losses.sum() if reduction == "sum" else losses.sum() / self.total, dtype=x.dtype)

    def backward(self, dy: Array) -> Any:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        each = dy[self.rows] if self.reduction == "none" else dy
        dx[self.rows, self.targets] = -self.w * each / (self.total if self.reduction == "mean" else 1)
        return dx, None, None
