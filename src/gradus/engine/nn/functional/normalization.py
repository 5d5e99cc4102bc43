"""Normalization as functions: by row, by group of channels, by channel over a batch, by channel of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from gradus.engine.autograd.record import apply
from gradus.engine.dtypes import REAL, float32
from gradus.engine.dtypes.limits import finfo
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import floating_only
from gradus.engine.nn.functional.padding import pad
from gradus.engine.nn.functional.pooling import avg_pool2d, avg_pool3d
from gradus.engine.ops import normalization as norm
from gradus.engine.ops.number_types import widened
from gradus.engine.tensor import Tensor


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Each row to mean 0 and variance 1 over its last axes, of normalized_shape; then times weight, plus bias.

    Raises:
        RuntimeError: for other shapes.
        NotImplementedError: for integers.
    """
    shape = _rows(input, normalized_shape, weight, bias)
    floating_only(input, "LayerNormKernelImpl")
    return cast(Tensor, apply(norm.LayerNorm, input, weight, bias, axes=len(shape), eps=eps))


def rms_norm(
    input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / √(mean(x²) + eps) over the last axes, of normalized_shape; then times weight (Zhang & Sennrich, 2019).

    Raises:
        RuntimeError: for other shapes.
        NotImplementedError: for integers.
    """
    shape = _rows(input, normalized_shape, weight, None)
    floating_only(input, "rms_norm")
    small = finfo(float32 if input.itemsize == 2 else input.dtype).eps if eps is None else eps
    return cast(Tensor, apply(norm.RMSNorm, input, weight, axes=len(shape), eps=small))


def _rows(input: Tensor, given: Any, weight: Tensor | None, bias: Tensor | None) -> tuple[int, ...]:
    shape = (given,) if isinstance(given, int) else tuple(given)
    x = input._array.shape
    if x[len(x) - len(shape) :] != shape or not shape or len(shape) > len(x):
        if not shape:
            raise RuntimeError(
                "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but "
                f"got normalized_shape = {list(shape)}"
            )
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(x)}"
        )
    if weight is not None and weight._array.shape != shape:
        _refuse("weight", weight, shape)
    if bias is not None and bias._array.shape != shape:
        _refuse("bias", bias, shape)
    return shape


def _refuse(what: str, parameter: Tensor, shape: tuple[int, ...]) -> None:
    raise RuntimeError(
        f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(parameter.shape)} and "
        f"normalized_shape = {list(shape)}"
    )


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each group of channels of input (N, C, ...) to mean 0 and variance 1; then times weight (C,), plus bias (C,).

    Raises:
        RuntimeError: for other shapes, and channels that do not divide into the groups.
    """
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    channels = input.shape[1]
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    for what, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter._array.shape != (channels,):
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of "
                f"shape {list(parameter.shape)} and input of shape {list(input.shape)}"
            )
    floating_only(input, "GroupNormKernelImpl")
    return cast(Tensor, apply(norm.NativeGroupNorm, input, weight, bias, groups=num_groups, eps=eps))


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Each channel, input's second axis, to mean 0 and variance 1 over the batch; or else by running statistics.

    Training moves the running mean and (unbiased) variance by `momentum` towards the batch's.

    Raises:
        ValueError: for a single number per channel when training, or only one of the running statistics.
        RuntimeError: for shapes or number types that do not go together.
    """
    x = input._array
    if x.ndim == 1 and not x.size:  # no example at all
        return input.clone()
    if x.ndim < 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [-{x.ndim}, {x.ndim - 1}], but got 1)")
    n = x.size // max(1, x.shape[1])
    if training and n == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
    if (running_mean is None) != (running_var is None) and training:
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, parameter in given.items():
        if parameter is not None and parameter._array.size != x.shape[1]:
            raise RuntimeError(f"{name} should contain {x.shape[1]} elements not {parameter.numel()}")
        if parameter is not None and parameter._array.dtype != x.dtype:
            _check_kind(x, parameter._array)
    floating_only(input, "batch_norm")
    if training and n:
        wide, axes = widened(x), (0, *range(2, x.ndim))
        mean, var = wide.mean(axis=axes), wide.var(axis=axes)
        if running_mean is not None and running_var is not None:
            unbiased = var * (n / (n - 1))
            for running, now in ((running_mean._array, mean), (running_var._array, unbiased)):
                running += (momentum * (now - widened(running))).astype(running.dtype, copy=False)
    elif training:  # the mean of no elements is undefined
        mean, var = (np.zeros(x.shape[1], widened(x).dtype) for _ in range(2))
    elif running_mean is None or running_var is None:
        raise RuntimeError(f"running_{'mean' if running_mean is None else 'var'} must be defined in evaluation mode")
    else:
        mean, var = (np.array(widened(running._array)) for running in (running_mean, running_var))
    return cast(Tensor, apply(norm.BatchNorm, input, weight, bias, mean, var, training=training, eps=eps))


def _check_kind(x: Any, parameter: Any) -> None:
    if x.dtype.kind not in REAL:
        raise NotImplementedError(f"\"batch_norm\" not implemented for '{scalar_name(x.dtype)}'")
    if not (x.dtype.itemsize == 2 and parameter.dtype == np.float32):
        raise RuntimeError(
            f"mixed dtype (CPU): all inputs must share same datatype, got {scalar_name(x.dtype)} and "
            f"{scalar_name(parameter.dtype)}"
        )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each example of input (N, C, ...) to mean 0 and variance 1; or else by running statistics, which
    move by `momentum` towards the mean of the examples' (Ulyanov et al., 2016).

    Raises:
        ValueError: for a single number per channel and example.
    """
    n, c, *places = input.shape
    if use_input_stats and int(np.prod(places)) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    mean, var, w, b = (None if each is None else each.repeat(n) for each in (running_mean, running_var, weight, bias))
    y = batch_norm(input.reshape(1, n * c, *places), mean, var, w, b, use_input_stats, momentum, eps)
    for running, moved in ((running_mean, mean), (running_var, var)):
        if running is not None and moved is not None:
            running._array[...] = moved._array.reshape(n, c).mean(0)
    return y.view(n, c, *places)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha · mean of x² over the nearest `size` channels)^beta.    input (N, C, ...)

    Raises:
        ValueError: for fewer than three dimensions.
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if input.numel() == 0:
        return input
    squares = (input * input).unsqueeze(1)
    ends = size // 2, (size - 1) // 2
    if input.ndim == 3:
        means = avg_pool2d(pad(squares, (0, 0, *ends)), (size, 1), stride=1).squeeze(1)
    else:
        flat = squares.reshape(input.shape[0], 1, input.shape[1], input.shape[2], -1)
        means = avg_pool3d(pad(flat, (0, 0, 0, 0, *ends)), (size, 1, 1), stride=1).squeeze(1).reshape(input.shape)
    return input / (means * alpha + k).pow(beta)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """input divided by its p-norm along dim, or by eps if that is larger."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)
