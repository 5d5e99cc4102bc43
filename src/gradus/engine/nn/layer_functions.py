"""The layers that are less often used, as functions: `functional` offers them beside its own."""

from __future__ import annotations

from gradus.engine.functions import broadcast_tensors
from gradus.engine.tensor import Tensor


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
    lengths = [x.norm(2.0, dim, keepdim=True).clamp(min=eps) for x in broadcast_tensors(x1, x2)]
    return (x1 / lengths[0] * (x2 / lengths[1])).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """‖x₁ - x₂ + eps‖_p along the last axis."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)
