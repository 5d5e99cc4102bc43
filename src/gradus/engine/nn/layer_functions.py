"""The layers that are less often used, as functions: `functional` offers them beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.limits import finfo
from gradus.engine.node import Function
from gradus.engine.ops.network import RMSNorm
from gradus.engine.tensor import Tensor
from gradus.engine.variable import apply


class NativeGroupNorm(Function):
    """y = w x̂ + b, x̂ = (x - mean) / √(var + ε) over each group of channels     (Wu & He, 2018)

    dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / √(var + ε),  dx̂ = w dy;    dw = Σ x̂ dy,  db = Σ dy
    """

    def forward(self, x: Array, weight: Array | None, bias: Array | None, groups: int, eps: float) -> Array:
        self.weight = weight
        self.grouped = (x.shape[0], groups, -1)
        self.wide = (1, -1) + (1,) * (x.ndim - 2)
        rows = x.reshape(self.grouped)
        centred = rows - rows.mean(axis=2, keepdims=True)
        self.rstd = 1 / np.sqrt((centred * centred).mean(axis=2, keepdims=True) + eps)
        self.xhat = (centred * self.rstd).reshape(x.shape)
        y = self.xhat if weight is None else self.xhat * weight.reshape(self.wide)
        return y.copy() if weight is None and bias is None else y if bias is None else y + bias.reshape(self.wide)

    def backward(self, dy: Array) -> Any:
        others = (0, *range(2, dy.ndim))
        dw = (dy * self.xhat).sum(axis=others) if self.edges[1] is not None else None
        db = dy.sum(axis=others) if self.edges[2] is not None else None
        dxhat = (dy if self.weight is None else dy * self.weight.reshape(self.wide)).reshape(self.grouped)
        xhat = self.xhat.reshape(self.grouped)
        product = (dxhat * xhat).mean(axis=2, keepdims=True)
        dx = (dxhat - dxhat.mean(axis=2, keepdims=True) - xhat * product) * self.rstd
        return dx.reshape(dy.shape), dw, db


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each group of channels of input (N, C, ...) to mean 0 and variance 1; then times weight (C,), plus bias (C,)."""
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    if input.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    return cast(Tensor, apply(NativeGroupNorm, input, weight, bias, groups=num_groups, eps=eps))


def rms_norm(
    input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / √(mean(x²) + eps) over the last axes, of normalized_shape; then times weight (Zhang & Sennrich, 2019)."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if tuple(input.shape[input.ndim - len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(input.shape)}"
        )
    small = finfo(input.dtype).eps if eps is None else eps
    return cast(Tensor, apply(RMSNorm, input, weight, axes=len(shape), eps=small))


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x₁ᵀ W_o x₂ + b_o: input1 (..., I), input2 (..., J), weight (O, I, J), bias (O,) -> (..., O)."""
    left = input1.unsqueeze(-2).unsqueeze(-2) @ weight  # (..., O, 1, J)
    y = (left.squeeze(-2) * input2.unsqueeze(-2)).sum(-1)
    return y if bias is None else y + bias


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """input divided by its p-norm along dim, or by eps if that is larger."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x₁ · x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps)) along dim."""
    lengths = [x.norm(2.0, dim, keepdim=True).clamp(min=eps) for x in (x1, x2)]
    return (x1 / lengths[0] * (x2 / lengths[1])).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """‖x₁ - x₂ + eps‖_p along the last axis."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)
