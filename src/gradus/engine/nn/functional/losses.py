"""Losses of pairs of numbers: squared, absolute, Huber, binary cross entropy, Kullback-Leibler divergence."""

from __future__ import annotations

import warnings
from typing import Any, cast

import numpy as np

from gradus.engine.autograd.record import apply
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions.checks import check_cast, floating_only
from gradus.engine.functions.operands import binary
from gradus.engine.ops.losses import BinaryCrossEntropy, BinaryCrossEntropyWithLogits, HuberLoss, MseLoss, SmoothL1Loss
from gradus.engine.ops.number_types import widened
from gradus.engine.tensor import Tensor


def mse_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """(input - target)², averaged, summed, or each."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not input.is_floating_point() and not target.is_floating_point():
        floating_only(input, "mse_cpu")
    _warn_of_broadcasting(input, target)
    return binary(MseLoss, input, target, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """|input - target|, averaged, summed, or each."""
    reduction = reduction_of(size_average, reduce, reduction)
    _warn_of_broadcasting(input, target)
    return reduced((input - target).abs(), reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """(input - target)² / 2β where |input - target| < β, else |input - target| - β/2; averaged, summed, or each."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    reduction = reduction_of(size_average, reduce, reduction)
    _warn_of_broadcasting(input, target)
    return cast(Tensor, apply(SmoothL1Loss, input - target, beta=beta, reduction=reduction))


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """(input - target)² / 2 where |input - target| < δ, else δ (|input - target| - δ/2); averaged, summed, or
    each.
    """
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    _check_reduction(reduction)
    _warn_of_broadcasting(input, target)
    if weight is None:
        return cast(Tensor, apply(HuberLoss, input - target, delta=delta, reduction=reduction))
    return reduced(cast(Tensor, apply(HuberLoss, input - target, delta=delta, reduction="none")) * weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log target - input), input being log probabilities; "batchmean" divides the sum by the number of rows."""
    if not (input.is_floating_point() and target.is_floating_point()):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    losses = target.exp() * (target - input) if log_target else target.xlogy(target) - target * input
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if input.ndim else losses
    return reduced(losses, reduction_of(size_average, reduce, reduction))


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log x + (1 - t) log(1 - x)) for probabilities x; averaged, summed, or each.

    Raises:
        ValueError: if the shapes differ.
        RuntimeError: for an x that is not between 0 and 1.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    x, t = widened(input._array), widened(target._array)
    if input.dtype != target.dtype:
        have, got = scalar_name(input._array.dtype), scalar_name(target._array.dtype)
        raise RuntimeError(f"Found dtype {got} but expected {have}")
    floating_only(input, "binary_cross_entropy")
    for name, values in (("input", x), ("target", t)):
        if values.size and (values.min() < 0 or values.max() > 1):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    w = None if weight is None else _broadcast(weight, x.shape)
    return cast(Tensor, apply(BinaryCrossEntropy, input, target, w, reduction=reduction))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-(p t log σ(x) + (1 - t) log(1 - σ(x))) for logits x, p `pos_weight`; averaged, summed, or each.

    Raises:
        ValueError: if the shapes differ.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    check_cast(result_type(input._array, target._array), target._array.dtype)
    w, p = (None if each is None else _broadcast(each, input._array.shape) for each in (weight, pos_weight))
    return cast(Tensor, apply(BinaryCrossEntropyWithLogits, input, target, w, p, reduction=reduction))


def _broadcast(weight: Tensor, shape: tuple[int, ...]) -> Array:
    try:
        return np.broadcast_to(widened(weight._array), shape)
    except ValueError:
        raise RuntimeError(
            f"a weight of shape {list(weight.shape)} does not broadcast to the losses' shape {list(shape)}"
        ) from None


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses, their mean or their sum."""
    _check_reduction(reduction)
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction, also from the arguments of PyTorch before 1.0."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    _check_reduction(reduction)
    return reduction


def _check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def _warn_of_broadcasting(input: Tensor, target: Tensor) -> None:
    if target.shape != input.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )
