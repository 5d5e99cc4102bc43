"""Numbers brought to one scale: by row (layer, RMS), by group of channels, by channel over a batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import normalization
from gradus.engine.ops.broadcast import add_up


class LayerNorm(Function):
    """y = w x̂ + b,  x̂ = (x - mean) / √(var + ε) over the last axes     (Ba et al., 2016)

    dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / √(var + ε),  dx̂ = w dy;    dw = Σ x̂ dy,  db = Σ dy
    """

    name_ = "NativeLayerNormBackward0"

    def forward(self, x: Array, weight: Array | None, bias: Array | None, axes: int, eps: float) -> Array:
        self.x, self.weight, self.inner = x, weight, x.shape[x.ndim - axes :]
        rows = _rows(x, self.inner)
        w, b = (None if p is None else p.reshape(-1) for p in (weight, bias))
        y, self.mean, self.rstd = normalization.layer_norm(rows, w, b, eps)
        return y.reshape(x.shape)

    def backward(self, dy: Array) -> Any:
        rows = _rows(self.x, self.inner)
        w = None if self.weight is None else self.weight.reshape(-1)
        dx, dw, db = normalization.layer_norm_backward(dy.reshape(rows.shape), rows, w, self.mean, self.rstd)
        return (
            dx.reshape(self.x.shape),
            dw.reshape(self.inner) if self.edges[1] is not None else None,
            db.reshape(self.inner) if self.edges[2] is not None else None,
        )


class RMSNorm(Function):
    """y = w x̂,  x̂ = x / √(mean(x²) + ε) over the last axes     (Zhang & Sennrich, 2019)

    dx = (dx̂ - x̂ mean(dx̂ x̂)) / √(mean(x²) + ε),  dx̂ = w dy;    dw = Σ x̂ dy
    """

    name_ = "FusedRmsNormBackward0"

    def forward(self, x: Array, weight: Array | None, axes: int, eps: float) -> Array:
        self.x, self.weight, self.inner = x, weight, x.shape[x.ndim - axes :]
        w = None if weight is None else weight.reshape(-1)
        y, self.rstd = normalization.rms_norm(_rows(x, self.inner), w, eps)
        return y.reshape(x.shape)

    def backward(self, dy: Array) -> Any:
        rows = _rows(self.x, self.inner)
        w = None if self.weight is None else self.weight.reshape(-1)
        dx, dw = normalization.rms_norm_backward(dy.reshape(rows.shape), rows, w, self.rstd)
        return dx.reshape(self.x.shape), dw.reshape(self.inner) if self.edges[1] is not None else None


def _rows(x: Array, inner: tuple[int, ...]) -> Array:
    """x (..., *inner) as a matrix."""
    size = math.prod(inner)
    return x.reshape(x.size // size if size else math.prod(x.shape[: x.ndim - len(inner)]), size)


class BatchNorm(Function):
    """y = w x̂ + b,  x̂ = (x - mean) / √(var + ε) over all axes but the second     (Ioffe & Szegedy, 2015)

    Training: dx = w (dy - mean(dy) - x̂ mean(dy x̂)) / √(var + ε). With running statistics: dx = w dy / √(var + ε).
    dw = Σ x̂ dy,  db = Σ dy
    """

    name_ = "NativeBatchNormBackward0"

    def forward(
        self, x: Array, weight: Array | None, bias: Array | None, mean: Array, var: Array, training: bool, eps: float
    ) -> Array:
        self.axes = (0, *range(2, x.ndim))
        self.wide = (1, -1) + (1,) * (x.ndim - 2)
        self.weight, self.training = weight, training
        self.rstd = (1 / np.sqrt(var + eps)).reshape(self.wide).astype(x.dtype, copy=False)
        self.xhat = x - mean.reshape(self.wide)
        self.xhat *= self.rstd
        y = self.xhat.copy() if weight is None else self.xhat * weight.reshape(self.wide)
        if bias is not None:
            y += bias.reshape(self.wide)
        return y

    def backward(self, dy: Array) -> Any:
        dw, db = add_up(dy * self.xhat, self.axes), add_up(dy, self.axes)
        scale = self.rstd if self.weight is None else self.rstd * self.weight.reshape(self.wide)
        if self.training:
            n = max(1, dy.size // max(1, len(db)))
            dx = self.xhat * (dw / -n).reshape(self.wide)
            dx += dy
            dx -= (db / n).reshape(self.wide)
            dx *= scale
        else:
            dx = dy * scale
        return dx, dw, db, None, None


class NativeGroupNorm(Function):
    """y = w x̂ + b, x̂ = (x - mean) / √(var + ε) over each group of channels     (Wu & He, 2018)

    dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / √(var + ε),  dx̂ = w dy;    dw = Σ x̂ dy,  db = Σ dy
    """

    def forward(self, x: Array, weight: Array | None, bias: Array | None, groups: int, eps: float) -> Array:
        self.weight = weight
        self.grouped = (x.shape[0], groups, x.size // max(1, x.shape[0] * groups))
        self.wide = (1, x.shape[1]) + (1,) * (x.ndim - 2)
        rows = x.reshape(self.grouped)
        n = max(1, rows.shape[2])
        centred = rows - add_up(rows, 2, keepdims=True) / n
        self.rstd = 1 / np.sqrt(add_up(centred * centred, 2, keepdims=True) / n + eps)
        self.xhat = (centred * self.rstd).reshape(x.shape)
        y = self.xhat if weight is None else self.xhat * weight.reshape(self.wide)
        return y.copy() if weight is None and bias is None else y if bias is None else y + bias.reshape(self.wide)

    def backward(self, dy: Array) -> Any:
        others = (0, *range(2, dy.ndim))
        dw = (dy * self.xhat).sum(axis=others) if self.edges[1] is not None else None
        db = dy.sum(axis=others) if self.edges[2] is not None else None
        dxhat = (dy if self.weight is None else dy * self.weight.reshape(self.wide)).reshape(self.grouped)
        xhat = self.xhat.reshape(self.grouped)
        n = max(1, xhat.shape[2])
        product = add_up(dxhat * xhat, 2, keepdims=True) / n
        dx = (dxhat - add_up(dxhat, 2, keepdims=True) / n - xhat * product) * self.rstd
        return dx.reshape(dy.shape), dw, db
