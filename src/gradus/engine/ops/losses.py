"""Losses of pairs of numbers, averaged, summed, or each; cross entropy is in `cross_entropy.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.activations import logistic
from gradus.engine.ops.broadcast import sum_to


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


class Reduced(Function):
    """A loss per element, then reduced; its derivative by the first argument is noted by forward."""

    def note(self, losses: Array, slope: Array, reduction: str) -> Array:
        self.slope, self.count = slope, losses.size if reduction == "mean" else 1
        if reduction == "none":
            return losses
        total = losses.mean() if reduction == "mean" else losses.sum()
        return np.asarray(total, losses.dtype)

    def each(self, dy: Array) -> Array:
        """The gradient of each element's loss."""
        return dy / self.count if self.count != 1 else dy


class SmoothL1Loss(Reduced):
    """y = z² / 2β where |z| < β, else |z| - β/2.    dz = z/β dy, else sign(z) dy     (Girshick, 2015)"""

    def forward(self, z: Array, beta: float, reduction: str) -> Array:
        size = np.abs(z)
        if beta == 0:
            return self.note(size, np.sign(z), reduction)
        near = size < beta
        losses = np.where(near, 0.5 * z * z / beta, size - 0.5 * beta)
        return self.note(losses, np.where(near, z / beta, np.sign(z)), reduction)

    def backward(self, dy: Array) -> Array:
        return self.slope * self.each(dy)


class HuberLoss(Reduced):
    """y = z² / 2 where |z| < δ, else δ (|z| - δ/2).    dz = z clamped to ±δ, times dy     (Huber, 1964)"""

    def forward(self, z: Array, delta: float, reduction: str) -> Array:
        size = np.abs(z)
        losses = np.where(size < delta, 0.5 * z * z, delta * (size - 0.5 * delta))
        return self.note(losses, np.clip(z, -delta, delta), reduction)

    def backward(self, dy: Array) -> Array:
        return self.slope * self.each(dy)


class BinaryCrossEntropy(Reduced):
    """y = -w (t log x + (1 - t) log(1 - x)), logs not below -100.
    dx = w (x - t) / (x (1 - x)) dy, dt = w log((1 - x) / x) dy
    """

    def forward(self, x: Array, t: Array, w: Array | None, reduction: str) -> Array:
        with np.errstate(divide="ignore"):
            log, log_other = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
        losses = (t - 1) * log_other - t * log
        slope = (x - t) / np.maximum((1 - x) * x, 1e-12)
        self.target_slope = log_other - log
        if w is not None:
            losses, slope, self.target_slope = losses * w, slope * w, self.target_slope * w
        return self.note(losses, slope, reduction)

    def backward(self, dy: Array) -> Any:
        return self.slope * self.each(dy), self.target_slope * self.each(dy), None


class BinaryCrossEntropyWithLogits(Reduced):
    """y = -w (p t log σ(x) + (1 - t) log σ(-x)).
    dx = w ((p t + 1 - t) σ(x) - p t) dy, dt = w (log σ(-x) - p log σ(x)) dy
    """

    def forward(self, x: Array, t: Array, w: Array | None, p: Array | None, reduction: str) -> Array:
        tail = np.log1p(np.exp(-np.abs(x)))
        log, log_other = np.minimum(x, 0) - tail, np.minimum(-x, 0) - tail
        pt = t if p is None else p * t
        losses = -(pt * log + (1 - t) * log_other)
        slope = (pt + 1 - t) * logistic(x) - pt
        self.target_slope = log_other - (log if p is None else p * log)
        if w is not None:
            losses, slope, self.target_slope = losses * w, slope * w, self.target_slope * w
        return self.note(losses, slope, reduction)

    def backward(self, dy: Array) -> Any:
        return self.slope * self.each(dy), self.target_slope * self.each(dy), None, None
