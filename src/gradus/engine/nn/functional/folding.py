"""Windows of an image as columns and back; channels as pixels and back; channels shuffled."""

from __future__ import annotations

import math
from typing import Any, cast

from gradus.engine.autograd.record import apply
from gradus.engine.ops.convolution import Sizes, Windows
from gradus.engine.ops.folding import Col2Im, Im2Col
from gradus.engine.tensor import Tensor


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Each window of input (N, C, H, W), or (C, H, W), as a column -> (N, C·K·K, windows).

    Raises:
        RuntimeError: for a window that does not fit, or another number of dimensions.
    """
    if input.ndim not in (3, 4):
        raise IndexError(f"unfold: Expected 3D or 4D (batch mode) tensor for input, but got: {list(input.shape)}")
    batch = input if input.ndim == 4 else input.unsqueeze(0)
    windows = _windows(kernel_size, dilation, padding, stride)
    places = windows.places(tuple(batch.shape[2:]))
    if min(places) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(batch.shape[2:])}, {_said(windows)}, calculated shape of the array "
            f"of sliding blocks as {places}, but its components must be at least one."
        )
    y = cast(Tensor, apply(Im2Col, batch, windows=windows))
    return y if input.ndim == 4 else y.squeeze(0)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The reverse of `unfold`: columns (N, C·K·K, windows), or without N, added up at their positions -> (N, C, H, W).

    Raises:
        RuntimeError: if the columns are not those of an output of this size.
    """
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    batch = input if input.ndim == 3 else input.unsqueeze(0)
    windows, sizes = _windows(kernel_size, dilation, padding, stride), _pair(output_size)
    if batch.shape[1] % math.prod(windows.kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={batch.shape[1]} and kernel_size={windows.kernel}."
        )
    places = windows.places(sizes)
    if math.prod(places) != batch.shape[2] or min(places) < 1:
        raise RuntimeError(
            f"Given output_size={sizes}, {_said(windows)}, stride={windows.stride}, expected size of input's dimension "
            f"2 to match the calculated number of sliding blocks {' * '.join(map(str, places))} = "
            f"{math.prod(places)}, but got input.size(2)={batch.shape[2]}."
        )
    y = cast(Tensor, apply(Col2Im, batch, windows=windows, sizes=sizes, places=places))
    return y if input.ndim == 3 else y.squeeze(0)


def _windows(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Windows:
    kernel, gaps, border, steps = (_pair(x) for x in (kernel_size, dilation, padding, stride))
    for what, sizes in (("kernel size", kernel), ("stride", steps), ("dilation", gaps)):
        if min(sizes) <= 0:
            raise RuntimeError(f"{what} should be greater than zero, but got {sizes}")
    if min(border) < 0:
        raise RuntimeError(f"padding should be non-negative, but got {border}")
    return Windows(kernel, steps, tuple((p, p) for p in border), gaps)


def _pair(value: Any) -> Sizes:
    given = (value,) if isinstance(value, int) else tuple(int(v) for v in value)
    if len(given) not in (1, 2):
        raise RuntimeError(f"expected one number, or two, but got {given}")
    return given * 2 if len(given) == 1 else given


def _said(windows: Windows) -> str:
    border = tuple(low for low, _ in windows.padding)
    return f"kernel_size={windows.kernel}, dilation={windows.dilation}, padding={border}"


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r², H, W) -> (..., C, H r, W r): each r² channels become r x r finer places (Shi et al., 2016).

    Raises:
        RuntimeError: if the channels are no multiple of r².
    """
    r = upscale_factor
    _check_shuffle("pixel_shuffle", "upscale_factor", input, r)
    *outer, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    parts = input.reshape(math.prod(outer), channels // (r * r), r, r, height, width).permute(0, 1, 4, 2, 5, 3)
    return parts.clone().reshape(*outer, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H r, W r) -> (..., C r², H, W), the reverse of `pixel_shuffle`.

    Raises:
        RuntimeError: if the sizes are no multiples of r.
    """
    r = downscale_factor
    _check_shuffle("pixel_unshuffle", "downscale_factor", input, r)
    *outer, channels, height, width = input.shape
    for what, axis, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but input.size({axis})={size} is "
                f"not divisible by {r}"
            )
    parts = input.reshape(math.prod(outer), channels, height // r, r, width // r, r).permute(0, 1, 3, 5, 2, 4)
    return parts.clone().reshape(*outer, channels * r * r, height // r, width // r)


def _check_shuffle(name: str, what: str, input: Tensor, factor: int) -> None:
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, ...): the first channels of all groups, then the second ones, and so on (Zhang et al., 2018).

    Raises:
        RuntimeError: if the channels do not divide into groups.
    """
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    batch, channels, *others = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    return input.reshape(batch, groups, channels // groups, *others).transpose(1, 2).reshape(input.shape)
