"""The layers that are less often used, as functions: `functional` offers them beside its own."""

from __future__ import annotations

import warnings

from gradus.engine.functions import broadcast_tensors, empty, zeros_like
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


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + g) / tau) along dim, g drawn from the Gumbel distribution (Jang et al., 2016; Maddison et al.,
    2016).

    Args:
        hard: the result is 1 at its largest number and 0 elsewhere, with the gradient of the soft one.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -empty(logits.shape, dtype=logits.dtype).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    one_hot = zeros_like(soft).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)
    return one_hot - soft.detach() + soft
