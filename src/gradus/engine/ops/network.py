"""What neural networks are made of and frameworks fuse: softmax, cross entropy, normalisation, attention, dropout.

The loops are in `kernels/`, each beside the plain NumPy form that says what it computes; here are the rules.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, ONE, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import attention, cross_entropy, softmax
from gradus.engine.ops.broadcast import sum_to


class Softmax(Function):
    """yᵢ = eˣᵢ / Σ eˣⱼ along one axis.    dx = y (dy - Σ y dy)"""

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        self.y = softmax.softmax(x, axis)
        return self.y

    def backward(self, dy: Array) -> Array:
        return softmax.softmax_backward(dy, self.y, self.axis)


class SafeSoftmax(Softmax):
    """`Softmax`, but 0 where all x of a row are -inf: attention that may see nothing.    dx = y (dy - Σ y dy)"""

    name_ = "SafeSoftmaxBackward0"

    def forward(self, x: Array, axis: int) -> Array:
        super().forward(x, axis)
        if x.size and (blind := x.max(axis=axis, keepdims=True) == -np.inf).any():
            self.y[np.broadcast_to(blind, x.shape)] = 0
        return self.y


class LogSoftmax(Function):
    """yᵢ = xᵢ - log Σ eˣⱼ along one axis.    dx = dy - eʸ Σ dy"""

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        self.y = softmax.log_softmax(x, axis)
        return self.y

    def backward(self, dy: Array) -> Array:
        return softmax.log_softmax_backward(dy, self.y, self.axis)


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


class MseLoss(Function):
    """y = Σ (a - b)², or that divided by n (mean), or each (none).    da = 2 (a - b) dy / n,  db = -da"""

    def forward(self, a: Array, b: Array, reduction: str) -> Array:
        self.shapes, self.reduction = (a.shape, b.shape), reduction
        self.d = a - b
        squares = self.d * self.d
        return squares if reduction == "none" else np.asarray(squares.sum() if reduction == "sum" else squares.mean())

    def backward(self, dy: Array) -> Any:
        da = self.d * (dy * (2 / max(self.d.size, 1) if self.reduction == "mean" else 2))
        return sum_to(da, self.shapes[0]), sum_to(-da, self.shapes[1])


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
        self.dx = self.x = self.targets = self.log_total = self.notes = None


class Attention(Function):
    """y = softmax(q kᵀ s + mask) v, s = 1/√E     (Vaswani et al., 2017)

    q (..., T, E), k (..., S, E), v (..., S, D); kept (..., T, S) is dropout's m / (1 - p) on the probabilities, if any.
    With p the softmax and dp = dy vᵀ (and without dropout):
    dv = pᵀ dy,  ds = p (dp - Σ p dp),  dq = s ds k,  dk = s dsᵀ q
    """

    name_ = "ScaledDotProductFlashAttentionForCpuBackward0"

    def forward(self, q: Array, k: Array, v: Array, kept: Array | None, causal: bool, scale: float) -> Array:
        self.q, self.k, self.v, self.kept, self.causal, self.scale = q, k, v, kept, causal, scale
        y, self.log_total = attention.forward(q, k, v, causal, scale, kept)
        return y

    def backward(self, dy: Array) -> Any:
        inputs = self.q, self.k, self.v, self.log_total
        return *attention.backward(dy, *inputs, self.causal, self.scale, self.kept), None


class Dropout(Function):
    """y = x m / (1 - p), m 1 with probability 1 - p, else 0     (Srivastava et al., 2014).    dx = dy m / (1 - p)"""

    name_ = "MulBackward0"

    def forward(self, x: Array, keep: Array, scale: float) -> Array:
        self.keep, self.scale = keep, scale
        return x * (keep * x.dtype.type(scale))

    def backward(self, dy: Array) -> Any:
        return dy * (self.keep * dy.dtype.type(self.scale)), None
