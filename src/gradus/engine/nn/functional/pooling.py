"""Pooling in one, two and three dimensions, as functions."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from gradus.engine.autograd.record import apply
from gradus.engine.functions.checks import floating_only, refuse_bool
from gradus.engine.ops import pooling
from gradus.engine.ops.convolution import Sizes, Windows
from gradus.engine.tensor import Tensor

Size = int | Sequence[int]


def _max_pool(
    n: int,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    name = f"max_pool{n}d"
    refuse_bool(input, name)
    batch, windows, places = _windows(n, name, input, kernel_size, stride, padding, dilation, ceil_mode)
    index = pooling.largest(batch._array, windows, places)
    node = f"MaxPool{max(n, 2)}DWithIndicesBackward0"
    return picked(input, batch, index, node, return_indices)


def picked(input: Tensor, batch: Tensor, index: Any, node: str, return_indices: bool) -> Any:
    """The numbers of a batch at an index, without the axis that `batch_of` has added."""
    y = cast(Tensor, apply(pooling.Pick, batch, index, name=node))
    if batch is not input:
        y, index = y.squeeze(0), index[0]
    return (y, Tensor._wrap(index)) if return_indices else y


_signature = functools.cache(inspect.signature)


def with_indices(pool: Callable[..., Any]) -> Callable[..., tuple[Tensor, Tensor]]:
    """A pooling function that always returns the indices, too, whatever `return_indices` says."""

    @functools.wraps(pool)
    def both(*args: Any, **kwargs: Any) -> Any:
        given = _signature(pool).bind(*args, **kwargs).arguments
        return pool(**{**given, "return_indices": True})

    both.__name__ += "_with_indices"
    return both


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number in each window of input (N, C, L), or (C, L).

    Args:
        stride: from one window to the next; by default the size of a window.
        padding: how much border, which is never the largest, there is at each end; at most half the window.
        dilation: from one number of a window to the next.
        ceil_mode: a window may reach over the end, if it begins before it.
        return_indices: also give where in the input each was found, int64.

    Raises:
        RuntimeError: for settings that make no window, or an input of another number of dimensions.
    """
    if not return_indices:
        floating_only(input, "max_pool1d_impl")
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number in each window of input (N, C, H, W), or (C, H, W); see `max_pool1d`. Indices count through a
    plane's H·W numbers.
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number in each window of input (N, C, D, H, W), or (C, D, H, W); see `max_pool1d`."""
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


max_pool1d_with_indices = with_indices(max_pool1d)
max_pool2d_with_indices = with_indices(max_pool2d)
max_pool3d_with_indices = with_indices(max_pool3d)


def _avg_pool(
    n: int,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Tensor:
    name = f"avg_pool{n}d"
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    refuse_bool(input, name)
    batch, windows, places = _windows(n, name, input, kernel_size, stride, padding, 1, ceil_mode)
    counts: Any = np.ones((1,) * n)
    border = per_axis(padding, n, name, "padding")
    for axis, (out, k, s, size) in enumerate(zip(places, windows.kernel, windows.stride, batch.shape[2:], strict=True)):
        start = np.arange(out) * s - border[axis]
        stop = np.minimum(start + k, size + border[axis])
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, size)
        counts = counts * (stop - start).reshape(-1, *(1,) * (n - 1 - axis))
    if divisor is not None:
        counts = np.asarray(divisor, float)
    y = cast(Tensor, apply(pooling.AvgPool, batch, windows=windows, places=places, counts=np.asarray(counts)))
    return y if batch is input else y.squeeze(0)


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of input (N, C, L), or (C, L).

    Args:
        stride: from one window to the next; by default the size of a window.
        padding: how many zeros there are at each end; at most half the window.
        ceil_mode: a window may reach over the end, if it begins before it.
        count_include_pad: whether a mean counts the zeros of the border.

    Raises:
        RuntimeError: for settings that make no window, or an input of another number of dimensions.
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of input (N, C, H, W), or (C, H, W); see `avg_pool1d`. divisor_override: what sums are
    divided by instead of how many numbers they are of.
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of input (N, C, D, H, W), or (C, D, H, W); see `avg_pool2d`."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window of input (N, C, L), or (C, L), p `norm_type`; infinite: the largest."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window of input (N, C, H, W), or (C, H, W), p `norm_type`; infinite: the largest."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window of input (N, C, D, H, W), or (C, D, H, W), p `norm_type`; infinite: the largest."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(n: int, input: Tensor, p: float, kernel_size: Size, stride: Size | None, ceil_mode: bool) -> Tensor:
    if p == math.inf:
        return cast(Tensor, _max_pool(n, input, kernel_size, stride, 0, 1, ceil_mode, False))
    if p == -math.inf:
        return cast(Tensor, -_max_pool(n, -input, kernel_size, stride, 0, 1, ceil_mode, False))
    if p == 0:
        raise ValueError("norm_type must be nonzero")
    means = _avg_pool(n, input.pow(p), kernel_size, stride, 0, ceil_mode, True, None)
    size = math.prod(per_axis(kernel_size, n, f"lp_pool{n}d", "kernel_size"))
    return (means.sign() * means.abs().relu() * size).pow(1 / p)


# ---- back again


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Each number of input where `max_pool1d` found it, by the indices that it gave; zeros elsewhere.

    Raises:
        ValueError: for an output_size that the pooling could not have come from.
        RuntimeError: for indices that are not int64, of input's shape, and within the output.
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Each number of input where `max_pool2d` found it; see `max_unpool1d`."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Each number of input where `max_pool3d` found it; see `max_unpool1d`."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    n: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Tensor:
    name = f"max_unpool{n}d"
    kernel = per_axis(kernel_size, n, name, "kernel_size")
    steps = kernel if stride is None else per_axis(stride, n, name, "stride")
    border = per_axis(padding, n, name, "padding")
    usual = [(size - 1) * s + k - 2 * p for size, s, k, p in zip(input.shape[-n:], steps, kernel, border, strict=True)]
    sizes = list(usual if output_size is None else output_size)
    sizes = sizes[2:] if len(sizes) == n + 2 else sizes
    if len(sizes) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
            f"'{len(sizes)}'"
        )
    for d, (size, middle, s) in enumerate(zip(sizes, usual, steps, strict=True)):
        if not middle - s < size < middle + s:
            raise ValueError(
                f'invalid output_size "{output_size}" (dim {d} must be between {middle - s} and {middle + s})'
            )
    if indices._array.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype}")
    if input.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}"
        )
    batch = batch_of(input, n, name)
    places = indices._array
    if places.size and not 0 <= (wrong := places.max() if places.min() >= 0 else places.min()) < math.prod(sizes):
        raise RuntimeError(
            f"Found an invalid max index: {wrong} (output volumes are of size {'x'.join(map(str, sizes))})"
        )
    places = places.reshape(batch.shape)
    y = cast(Tensor, apply(pooling.Unpool, batch, places, sizes=tuple(sizes)))
    return y if batch is input else y.squeeze(0)


# ---- windows


def batch_of(input: Tensor, n: int, name: str) -> Tensor:
    """An input with n spatial axes as a batch (N, C, ...)."""
    good = input.ndim in (n + 1, n + 2) and 0 not in input.shape[input.ndim - n - 1 :]
    if not good:
        raise RuntimeError(
            f"{name}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}"
        )
    return input if input.ndim == n + 2 else input.unsqueeze(0)


def _windows(
    n: int,
    name: str,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
) -> tuple[Tensor, Windows, Sizes]:
    """The input as a batch, the windows, with as much border as they reach into, and how many they are along each
    axis.
    """
    kernel, gaps = per_axis(kernel_size, n, name, "kernel_size"), per_axis(dilation, n, name, "dilation")
    steps = kernel if stride is None or stride == () or stride == [] else per_axis(stride, n, name, "stride")
    border = per_axis(padding, n, name, "padding")
    for what, sizes in (("kernel_size", kernel), ("stride", steps), ("dilation", gaps)):
        if min(sizes) <= 0:
            raise RuntimeError(f"{name}() {what} must be greater than zero, but got {min(sizes)}")
    if min(border) < 0:
        raise RuntimeError(f"{name}: pad must be non-negative, but got pad: {min(border)}")
    for k, p, d in zip(kernel, border, gaps, strict=True):
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )
    batch = batch_of(input, n, name)
    places, ends = [], []
    for size, k, s, p, d in zip(batch.shape[2:], kernel, steps, border, gaps, strict=True):
        spare = size + 2 * p - d * (k - 1) - 1
        out = (spare + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (out - 1) * s >= size + p:
            out -= 1
        places.append(out)
        ends.append((p, p + max(0, (out - 1) * s - spare)))
    if min(places) < 1:
        given, made = (f"({'x'.join(map(str, (batch.shape[1], *each)))})" for each in (batch.shape[2:], places))
        raise RuntimeError(
            f"{name}: Given input size: {given}. Calculated output size: {made}. Output size is too small"
        )
    return batch, Windows(kernel, steps, tuple(ends), gaps), tuple(places)


def per_axis(value: Any, n: int, name: str, what: str) -> Sizes:
    """A number for each of n axes, given one by one, or one for all."""
    given = (value,) if isinstance(value, int) else tuple(int(v) for v in value)
    if len(given) not in (1, n):
        raise RuntimeError(f"{name}: {what} must either be a single int, or a tuple of {n} ints, but got {given}")
    return given * n if len(given) == 1 else given
