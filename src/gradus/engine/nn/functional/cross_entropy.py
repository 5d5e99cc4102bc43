"""Cross entropy and negative log likelihood; targets are class numbers or probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.record import apply, apply_two
from gradus.engine.dtypes import REAL
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import floating_only
from gradus.engine.nn.functional.linear import linear
from gradus.engine.nn.functional.losses import reduced, reduction_of
from gradus.engine.ops.cross_entropy import CrossEntropy, NllLoss
from gradus.engine.tensor import Tensor

_INT64 = np.dtype(np.int64)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input)[target], the surprise in nats at the target, averaged over what is scored.

    Args:
        input: logits (N, C), (C,), or (N, C, ...).
        target: int64 (N,), () or (N, ...), values 0..C-1 or ignore_index; or probabilities of input's shape.
        weight: (C,), how much each class counts.
        ignore_index: a target that is not scored.
        reduction: "mean", "sum" or "none".
        label_smoothing: this much of the target is spread evenly over all classes (Szegedy et al., 2016).
    """
    x, t = input._array, target._array
    simple = weight is None and reduction == "mean" and label_smoothing == 0 and size_average is None and reduce is None
    if simple and x.ndim == 2 and t.dtype is _INT64 and t.shape == x.shape[:1] and x.dtype.kind == "f":  # mostly
        mean: Tensor = apply_two(CrossEntropy, input, target, (ignore_index, reduction))
        return mean
    reduction = reduction_of(size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    floating_only(input, "log_softmax_lastdim_kernel_impl")
    if target._array.dtype.kind in REAL and target._array.shape == input._array.shape:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        _check_weight(weight, x.shape[0 if x.ndim == 1 else 1])
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    logits, flat, shape = _rows(input, target)
    if weight is None and label_smoothing == 0:
        _check_kind(flat)
        flat = flat.long()
        out: Tensor = apply_two(CrossEntropy, logits, flat, (ignore_index, reduction))
        return out.reshape(shape) if reduction == "none" else out
    _check_weight(weight, logits.shape[1], logits)
    _check_targets(flat, logits.shape[1], ignore_index)
    log_p = logits.log_softmax(-1)
    loss = _nll(log_p, flat, weight, ignore_index, reduction)
    if label_smoothing:
        scored = Tensor._wrap((flat._array != ignore_index).astype(logits._array.dtype))
        spread = -(log_p if weight is None else log_p * weight).sum(-1) * scored / logits.shape[1]
        if reduction == "mean":
            counted = scored if weight is None else weight[flat.clamp(0)] * scored
            spread = spread.sum() / counted.sum()
        elif reduction == "sum":
            spread = spread.sum()
        loss = loss * (1 - label_smoothing) + spread * label_smoothing
    return loss.reshape(shape) if reduction == "none" else loss


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    axis = 0 if input.ndim == 1 else 1
    classes = input.size(axis)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    terms = input.log_softmax(axis) * target
    if weight is not None:
        terms = terms * weight.reshape(*[-1 if i == axis else 1 for i in range(input.ndim)])
    losses = -terms.sum(axis)
    return losses.sum() / (input.numel() // max(1, classes)) if reduction == "mean" else reduced(losses, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """-input[target], for log probabilities; arguments as `cross_entropy`."""
    reduction = reduction_of(size_average, reduce, reduction)
    floating_only(input, "nll_loss_out_frame")
    rows, flat, shape = _rows(input, target)
    _check_weight(weight, rows.shape[1], rows)
    _check_targets(flat, rows.shape[1], ignore_index)
    out = _nll(rows, flat, weight, ignore_index, reduction)
    return out.reshape(shape) if reduction == "none" else out


def _nll(log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    loss: Tensor = apply(
        NllLoss,
        log_p,
        target,
        None if weight is None else weight.detach(),
        ignore_index=ignore_index,
        reduction=reduction,
    )
    return loss


def _rows(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Logits as (N, C) and targets as (N,), and the shape that unreduced losses have."""
    sizes = input._array.shape
    if input.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if input.ndim == 1:
        if target.ndim > 1 or target.numel() != 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {list(target.shape)}")
        return input.unsqueeze(0), target.reshape(1), tuple(target.shape)
    expected = (sizes[0], *sizes[2:])
    if target._array.shape != expected:
        if input.ndim == 2 and target.ndim == 1:
            raise ValueError(
                f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({target.shape[0]})."
            )
        if input.ndim == 2:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(target.shape)}")
    if input.ndim > 2:
        input, target = input.movedim(1, -1).reshape(-1, input.shape[1]), target.reshape(-1)
    return input, target, expected


def _check_targets(target: Tensor, classes: int, ignore_index: int) -> None:
    _check_kind(target)
    t = target._array
    scored = t[t != ignore_index]
    if scored.size and (scored.min() < 0 or scored.max() >= classes):
        wrong = scored.min() if scored.min() < 0 else scored.max()
        raise IndexError(f"Target {wrong} is out of bounds.")


def _check_kind(target: Tensor) -> None:
    if target._array.dtype not in (np.int64, np.uint8):
        name = scalar_name(target._array.dtype)
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {name}: targets are class numbers, so convert them "
            "with .long()"
        )


def _check_weight(weight: Tensor | None, classes: int, rows: Tensor | None = None) -> None:
    if weight is None:
        return
    if weight._array.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    if rows is not None and weight._array.dtype != rows._array.dtype:
        have, got = scalar_name(rows._array.dtype), scalar_name(weight._array.dtype)
        raise RuntimeError(f"expected scalar type {have} but found {got}")


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: None = None,
) -> Tensor:
    """The cross entropy of logits = input Wᵀ + b and target.

    Args:
        input: (I) or (N, I).
        linear_weight: W, (C, I); or (C, d1, ..., I), with input (N, I), for logits (N, C, d1, ...).
        target: the classes, () or (N) or (N, d1, ...) int64; or probabilities of the logits' shape.
        linear_bias: b, of W's shape without I.
        weight, reduction, ignore_index, label_smoothing: as for `cross_entropy`; ignore_index not with probabilities.

    Raises:
        RuntimeError: for shapes that do not go together.
        NotImplementedError: for options, PyTorch's ways to the same result in less memory.
    """
    if options is not None:
        raise NotImplementedError("linear_cross_entropy's options are not offered")
    if input.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if linear_weight.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}")
    features, outs = input.shape[-1], tuple(linear_weight.shape[:-1])
    if features != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{features} and {linear_weight.shape[-1]}, respectively"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != outs:
        raise RuntimeError(f"expected linear_bias shape {outs}, got {tuple(linear_bias.shape)}")
    if len(outs) > 1 and input.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {features}), got unbatched input with shape {tuple(input.shape)}"
        )
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, features), bias).reshape(*input.shape[:-1], *outs)
    if ignore_index is not None and target.shape == logits.shape:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(
        logits, target, weight, ignore_index=ignored, reduction=reduction, label_smoothing=label_smoothing
    )
