"""Distances between vectors, and the cosine of the angle between them."""

from __future__ import annotations

from gradus.engine.functions import broadcast_tensors
from gradus.engine.tensor import Tensor


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x₁ · x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps)) along dim."""
    lengths = [x.norm(2.0, dim, keepdim=True).clamp(min=eps) for x in broadcast_tensors(x1, x2)]
    return (x1 / lengths[0] * (x2 / lengths[1])).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """‖x₁ - x₂ + eps‖_p along the last axis."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)
