"""Dropout: numbers, or whole channels, left out at random, as functions."""

from __future__ import annotations

import math
import warnings

from gradus.engine import random
from gradus.engine.autograd.record import apply
from gradus.engine.functions.drawing import in_order_of
from gradus.engine.ops.dropout import Dropout
from gradus.engine.tensor import Tensor

_ALPHA = 1.7580993408473766  # where SELU ends on the left: SELU_SCALE · SELU_ALPHA (Klambauer et al., 2017)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeros with probability p, the rest divided by 1 - p; nothing when not training."""
    check_probability(p)
    if not training or p == 0:
        return input
    return _left_out(input, input._array.shape, p, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of input (N, C, L), or (C, L)."""
    check_probability(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    if input.ndim == 2:
        return _of_channels(input.unsqueeze(0), p, training, inplace).squeeze(0)
    return _of_channels(input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of input (N, C, H, W); of three dimensions, (N, C, L), with PyTorch's warning."""
    check_probability(p)
    if input.ndim not in (3, 4):
        warnings.warn(_deprecated(2, input.ndim), stacklevel=2)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _of_channels(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of input (N, C, D, H, W), or (C, D, H, W)."""
    check_probability(p)
    if input.ndim not in (4, 5):
        warnings.warn(_deprecated(3, input.ndim), stacklevel=2)
    if input.ndim == 4:
        return _of_channels(input.unsqueeze(0), p, training, inplace).squeeze(0)
    return _of_channels(input, p, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Sets numbers to SELU's lowest value with probability p, and then keeps mean and variance (Klambauer et al.,
    2017).
    """
    check_probability(p)
    return _kept_in_scale(input, tuple(input.shape), p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels of input (N, C, ...)."""
    check_probability(p)
    return _kept_in_scale(input, _channels(input) if training else (), p, training, inplace)


def check_probability(p: float) -> None:
    """Raise a ValueError unless p is in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _channels(input: Tensor) -> tuple[int, ...]:
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return (*input.shape[:2], *(1,) * (input.ndim - 2))


def _of_channels(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0 or not input.numel():
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    return _left_out(input, _channels(input), p, inplace)


def _left_out(input: Tensor, shape: tuple[int, ...], p: float, inplace: bool) -> Tensor:
    x = input._array
    if shape == x.shape:
        keep = in_order_of(x, lambda shape: random.bernoulli(shape, 1 - p, x.dtype))
    else:
        keep = random.bernoulli(shape, 1 - p, x.dtype)
    scale = 1 / (1 - p) if p < 1 else 0.0
    out: Tensor = apply(Dropout, input, keep, option=scale)
    return input.copy_(out) if inplace else out


def _kept_in_scale(input: Tensor, shape: tuple[int, ...], p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0 or not input.numel():
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    keep = Tensor._wrap(random.bernoulli(shape, 1 - p, input._array.dtype))
    a = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    shift = (keep - 1) * (_ALPHA * a) + _ALPHA * a * p
    out = input * (keep * a) + shift
    return input.copy_(out) if inplace else out


def _deprecated(n: int, ndim: int) -> str:
    return (
        f"dropout{n}d: Received a {ndim}-D input to dropout{n}d, which is deprecated and will result in an error in a "
        f"future release. To retain the behavior and silence this warning, please use dropout instead."
    )
