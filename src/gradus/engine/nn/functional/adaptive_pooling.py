"""Pooling into a given number of windows: of nearly equal sizes, or at random positions."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from gradus.engine import random
from gradus.engine.autograd.record import apply
from gradus.engine.functions.checks import floating_only
from gradus.engine.nn.functional.pooling import Size, batch_of, per_axis, picked, with_indices
from gradus.engine.ops import interpolation, pooling
from gradus.engine.tensor import Tensor


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """`output_size` means of input (N, C, L), or (C, L), over parts as equal as can be.

    Raises:
        RuntimeError: for an input of another number of dimensions, or an empty one, and a size below 0.
    """
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of input (N, C, H, W), or (C, H, W), over output_size parts as equal as can be; None keeps a size."""
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of input (N, C, D, H, W), or (C, D, H, W), over output_size parts; None keeps a size."""
    return _adaptive_avg_pool(3, input, output_size)


def _adaptive_avg_pool(n: int, input: Tensor, output_size: Any) -> Tensor:
    name = f"adaptive_avg_pool{n}d"
    outs = _outputs(n, input, output_size, name)
    floating_only(input, name)
    if set(outs) == {1}:
        return input.mean(dim=list(range(-n, 0)), keepdim=True)
    taps = tuple(interpolation.averages(size, out) for size, out in zip(input.shape[-n:], outs, strict=True))
    return cast(Tensor, apply(interpolation.Resample, input, taps=taps, name=f"AdaptiveAvgPool{n}DBackward0"))


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of each of `output_size` parts of input (N, C, L), or (C, L), as equal as can be.

    Raises:
        RuntimeError: for an input of another number of dimensions, or an empty one, and a size below 0.
    """
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of each of output_size parts of input (N, C, H, W), or (C, H, W); None keeps a size."""
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of each of output_size parts of input (N, C, D, H, W), or (C, D, H, W); None keeps a size."""
    return _adaptive_max_pool(3, input, output_size, return_indices)


def _adaptive_max_pool(n: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{n}d"
    outs = _outputs(n, input, output_size, name)
    floating_only(input, name)
    batch = input if input.ndim == n + 2 else input.unsqueeze(0)
    ranges = [
        [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
        for size, out in zip(input.shape[-n:], outs, strict=True)
    ]
    index = pooling.largest_of(batch._array, ranges)
    return picked(input, batch, index, f"AdaptiveMaxPool{max(n, 2)}DBackward0", return_indices)


def _outputs(n: int, input: Tensor, output_size: Any, name: str) -> list[int]:
    if n > 1 and isinstance(output_size, (tuple, list)) and input.ndim <= len(output_size):
        raise ValueError(f"Input dimension should be at least {n + 1}")
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(input.shape)}")
    given = list(output_size) if isinstance(output_size, (tuple, list)) else [output_size] * n
    if len(given) != n:
        raise RuntimeError(f"{name}: output_size must be {n}")
    outs = [size if out is None else int(out) for out, size in zip(given, input.shape[-n:], strict=True)]
    if min(outs) < 0:
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {outs}")
    for axis in range(input.ndim - n - 1, input.ndim):
        if input.shape[axis] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {axis} being empty"
            )
    return outs


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Size,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest number in output_size windows of input (N, C, H, W), or (C, H, W), drawn at random so that they are
    about equally far apart (Graham, 2014). output_ratio: the output's size as a share of the input's.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Size,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool2d` for input (N, C, D, H, W), or (C, D, H, W)."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def _fractional(
    n: int,
    input: Tensor,
    kernel_size: Size,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Tensor | None,
) -> Any:
    name = f"fractional_max_pool{n}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    batch = batch_of(input, n, name)
    sizes, kernel = tuple(batch.shape[2:]), per_axis(kernel_size, n, name, "kernel_size")
    if output_size is None:
        ratios = list(output_ratio) if isinstance(output_ratio, (tuple, list)) else [output_ratio] * n
        if not all(0 < ratio < 1 for ratio in ratios):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")
        output_size = [int(size * ratio) for size, ratio in zip(sizes, ratios, strict=True)]
    outs = per_axis(output_size, n, name, "output_size")
    for size, k, out in zip(sizes, kernel, outs, strict=True):
        if out + k - 1 > size:
            raise RuntimeError(f"{name}(): pool size {k} too large relative to input size {size}")
    drawn = random.rand((*batch.shape[:2], n), batch._array.dtype) if samples is None else samples._array[: len(batch)]
    x, place = batch._array, np.zeros((1,) * (2 + 2 * n), np.int64)
    for axis, (size, k, out) in enumerate(zip(sizes, kernel, outs, strict=True)):
        # PyTorch draws the last axis's number first in two dimensions, the first axis's first in three.
        u = drawn[..., n - 1 - axis if n == 2 else axis][..., None]
        alpha = x.dtype.type((size - k) / (out - 1)) if out > 1 else x.dtype.type(0)
        i = np.arange(out).astype(x.dtype)
        starts = ((i + u) * alpha).astype(np.int64) - (u * alpha).astype(np.int64)
        starts[..., -1] = size - k
        shape = [*batch.shape[:2], *(1,) * (2 * n)]
        shape[2 + axis] = out
        span = [1] * (2 + 2 * n)
        span[2 + n + axis] = k
        place = place * size + starts.reshape(shape) + np.arange(k).reshape(span)
    seen = place.reshape(*batch.shape[:2], math.prod(outs), math.prod(kernel))
    planes = x.reshape(*x.shape[:2], 1, math.prod(sizes))
    best = pooling.last_nan_or_first_largest(np.take_along_axis(planes, seen, 3))
    index = np.take_along_axis(seen, best[..., None], 3).reshape(*batch.shape[:2], *outs)
    return picked(input, batch, index, f"FractionalMaxPool{n}DBackward0", return_indices)


adaptive_max_pool1d_with_indices = with_indices(adaptive_max_pool1d)
adaptive_max_pool2d_with_indices = with_indices(adaptive_max_pool2d)
adaptive_max_pool3d_with_indices = with_indices(adaptive_max_pool3d)
fractional_max_pool2d_with_indices = with_indices(fractional_max_pool2d)
fractional_max_pool3d_with_indices = with_indices(fractional_max_pool3d)
