"""Losses with margins, of distances and of distributions, composed of other functions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions import minimum, where
from gradus.engine.functions.activations import logsigmoid
from gradus.engine.nn.functional.distances import pairwise_distance
from gradus.engine.nn.functional.losses import reduced, reduction_of
from gradus.engine.tensor import Tensor


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -t (x₁ - x₂) + margin): t = 1 asks that x₁ be larger, t = -1 that x₂ be."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{list(input1.shape)}, input2: {list(input2.shape)}, target: {list(target.shape)} "
        )
    return reduced((-target * (input1 - input2) + margin).clamp(min=0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where t = 1, max(0, margin - x) where t = -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    apart = where(target != 1, (margin - input).clamp(min=0), 0)
    return reduced(apart + where(target != -1, input, 0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x₁, x₂) where t = 1, max(0, cos(x₁, x₂) - margin) where t = -1.    x (N, D) and t (N,), or (D,) and ()"""
    reduction = reduction_of(size_average, reduce, reduction)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    tiny = 1e-12
    lengths = ((input1 * input1).sum(-1) + tiny) * ((input2 * input2).sum(-1) + tiny)
    cosine = (input1 * input2).sum(-1) / lengths.sqrt()
    near = where(target == 1, 1 - cosine, 0)
    return reduced(near + where(target == -1, (cosine - margin).clamp(min=0), 0), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + e^(-t x)), t 1 or -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    return reduced((-target * input).exp().log1p(), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log σ(x) + (1 - t) log σ(-x)), the mean over classes.    x, t (N, C)"""
    reduction = reduction_of(size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.mean(-1), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ over other classes j of max(0, margin - x[t] + x[j])^p w[t], divided by C.    x (N, C), t (N,)"""
    reduction = reduction_of(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    _check_matrix(input)
    x, t = (input, target) if input.ndim == 2 else (input.reshape(1, -1), target.reshape(-1))
    if t.ndim != 1 or len(t) != len(x):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size {[len(x)]}, but got {list(target.shape)}."
        )
    _check_int64(t)
    classes = x.shape[1]
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    if t.numel() and not bool(((t >= 0) & (t < classes)).all()):
        raise RuntimeError(f"target out of range: it must be between 0 and {classes - 1}")
    short = (margin - x.gather(1, t.unsqueeze(1)) + x).clamp(min=0).pow(p)
    if weight is not None:
        short = short * weight[t].unsqueeze(1)
    others = Tensor._wrap(np.arange(classes) != t._array[:, None])
    losses = where(others, short, 0).sum(1) / classes
    return reduced(losses if input.ndim == 2 or reduction != "none" else losses.reshape(target.shape), reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ over target classes i and others j of max(0, 1 - (x[i] - x[j])), divided by C.

    x (N, C) or (C,); t of that shape, int64: the target classes, then -1.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    _check_matrix(input)
    if target.shape != input.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)} in "
            "multilabel_margin_loss"
        )
    _check_int64(target)
    x = input if input.ndim == 2 else input.reshape(1, -1)
    t = target._array.reshape(x.shape)
    classes = x.shape[1]
    if t.size and (t.min() < -1 or t.max() >= classes):
        raise RuntimeError(f"target out of range: it must be between -1 and {classes - 1}")
    listed = np.logical_and.accumulate(t >= 0, axis=1)  # classes after a -1 do not count
    wanted = np.zeros(t.shape, bool)
    rows, places = np.nonzero(listed)
    wanted[rows, t[rows, places]] = True
    of_wanted = x.gather(1, Tensor._wrap(np.where(listed, t, 0)))
    short = (1 - of_wanted.unsqueeze(2) + x.unsqueeze(1)).clamp(min=0)
    pairs = Tensor._wrap(listed[:, :, None] & ~wanted[:, None, :])
    losses = where(pairs, short, 0).sum((1, 2)) / max(1, classes)
    return reduced(losses if input.ndim == 2 else losses.squeeze(0), reduction)


def _check_matrix(input: Tensor) -> None:
    if input.ndim > 2 or 0 in input.shape[1:] or tuple(input.shape) == (0,):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )


def _check_int64(target: Tensor) -> None:
    if target._array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(target._array.dtype)}")


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """½ (log v + (x - t)² / v), v the variance, at least eps; with `full` also ½ log 2π (Nix and Weigend, 1994).

    Raises:
        ValueError: for a variance below 0, or of another shape than input's, that without its last axis, or with 1 for
            one axis.
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = input.new_full(tuple(input.shape), float(var))
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or sum(v for x, v in zip(input.shape, var.shape, strict=True) if x != v) != 1:
            raise ValueError("var is of incorrect size")
    var = var.clone()
    with no_grad():
        var.clamp_(min=eps)
    losses = 0.5 * (var.log() + (input - target) ** 2 / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """eˣ - t x, or with log_input=False x - t log(x + eps); with `full` also Stirling's t log t - t + ½ log 2πt where
    t > 1.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        losses = losses + stirling.masked_fill(target <= 1, 0)
    return reduced(losses, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, ‖a - p‖ - ‖a - n‖ + margin), the distances p-norms; with `swap` ‖p - n‖ if that is shorter.    (N, D)"""
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction_of(size_average, reduce, reduction),
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with another distance (`pairwise_distance` if none is given)."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced((near - far + margin).clamp(min=0), reduction)
