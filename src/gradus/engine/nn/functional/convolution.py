"""Convolution and transposed convolution in one, two and three dimensions, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gradus.engine.autograd.record import apply
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.ops.convolution import Convolution, ConvTbc, Sizes, TransposedConvolution, Windows
from gradus.engine.tensor import Tensor

Size = int | Sequence[int]

_BATCHED = {1: "2D (unbatched) or 3D", 2: "3D (unbatched) or 4D", 3: "4D (unbatched) or 5D"}
_C_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long int"}


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide weight (O, C/groups, K) along input (N, C, L), or (C, L) -> (N, O, L'), or (O, L').

    padding: how many zeros at each end, or "valid" (none) or "same" (as many as keep the length).

    Raises:
        RuntimeError: for shapes or dtypes that do not match, and for a kernel longer than the input.
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide weight (O, C/groups, K, K) over input (N, C, H, W), or (C, H, W) -> (N, O, H', W'); else as `conv1d`."""
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide weight (O, C/groups, K, K, K) through input (N, C, D, H, W), or (C, D, H, W); else as `conv1d`."""
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The transpose (gradient) of `conv1d`: every element of input (N, C, L), or (C, L), times weight (C, O/groups, K),
    laid `stride` apart and added up -> (N, O, (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1).

    Raises:
        RuntimeError: for shapes or number types that do not go together.
    """
    return _convolve_back(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The transpose of `conv2d`: input (N, C, H, W), weight (C, O/groups, K, K); see `conv_transpose1d`."""
    return _convolve_back(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The transpose of `conv3d`: input (N, C, D, H, W), weight (C, O/groups, K, K, K); as `conv_transpose1d`."""
    return _convolve_back(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Slide weight (K, C, O) along input (T, B, C), time first, batch second -> (T + 2 pad - K + 1, B, O).

    Args:
        pad: how many zeros at each end of the time dimension; if negative, how many steps are left out there.

    Raises:
        RuntimeError: for shapes or number types that do not go together, and for a kernel longer than the input.
    """
    if input.ndim != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if weight.ndim != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if bias.ndim != 1:
        raise RuntimeError("Bias must be 1-D")
    if input.shape[2] != weight.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if weight.shape[2] != bias.shape[0]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    steps = input.shape[0] + 2 * pad - weight.shape[0] + 1
    if steps < 0:
        raise RuntimeError(f"kernel of width {weight.shape[0]} does not fit into time {input.shape[0]} with pad {pad}")
    _check_kinds(input, weight, bias)
    return cast(Tensor, apply(ConvTbc, input, weight, bias, pad=pad))


def _convolve(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> Tensor:
    batch = _batch(input, n, f"conv{n}d")
    _check_weight(n, weight, groups)
    steps, gaps = each(stride, n, "stride"), each(dilation, n, "dilation")
    kernel = tuple(weight.shape[2:])
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        if padding == "same" and set(steps) != {1}:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        totals = [d * (k - 1) if padding == "same" else 0 for d, k in zip(gaps, kernel, strict=True)]
        ends = tuple((total // 2, total - total // 2) for total in totals)
    else:
        ends = tuple((p, p) for p in each(padding, n, "padding"))
    _check(weight, steps, ends, gaps)
    w = weight.shape
    if w[0] < groups or w[0] % groups:
        what = f"at least {groups}" if w[0] < groups else f"divisible by {groups}"
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be {what} at dimension 0, but got weight of size {list(w)} "
            "instead"
        )
    if batch.shape[1] != w[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(w)}, expected input{list(input.shape)} to have "
            f"{w[1] * groups} channels, but got {batch.shape[1]} channels instead"
        )
    _check_bias(bias, w[0], f"Given weight of size {list(w)}")
    sizes = [size + sum(pair) for size, pair in zip(batch.shape[2:], ends, strict=True)]
    reach = [d * (k - 1) + 1 for d, k in zip(gaps, kernel, strict=True)]
    if any(r > size for r, size in zip(reach, sizes, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({_times(sizes)}). Kernel size: ({_times(reach)}). Kernel size "
            "can't be greater than actual input size"
        )
    _check_kinds(input, weight, bias)
    windows = Windows(kernel, steps, ends, gaps)
    y = cast(Tensor, apply(Convolution, batch, weight, bias, windows=windows, groups=groups))
    return y if input.ndim == n + 2 else y.squeeze(0)


def _convolve_back(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Tensor:
    batch = _batch(input, n, f"conv_transpose{n}d")
    _check_weight(n, weight, groups)
    steps, gaps = each(stride, n, "stride"), each(dilation, n, "dilation")
    border, more = each(padding, n, "padding"), each(output_padding, n, "output_padding")
    if min(more) < 0:
        raise RuntimeError("negative output_padding is not supported")
    kernel, w = tuple(weight.shape[2:]), weight.shape
    _check(weight, steps, tuple((p, p) for p in border), gaps)
    if batch.shape[1] != w[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(w)}, expected input{list(input.shape)} to have {w[0]} channels, "
            f"but got {batch.shape[1]} channels instead"
        )
    if w[0] % groups:
        raise RuntimeError(f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0")
    _check_bias(bias, w[1] * groups, f"Given transposed=1, weight of size {list(w)}")
    if any(m >= max(s, d) for m, s, d in zip(more, steps, gaps, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding "
            f"{list(more)}, stride {list(steps)}, dilation {list(gaps)}"
        )
    sizes = tuple(
        (size - 1) * s - 2 * p + d * (k - 1) + m + 1
        for size, s, p, d, k, m in zip(batch.shape[2:], steps, border, gaps, kernel, more, strict=True)
    )
    if min(sizes) < 1:
        raise RuntimeError(
            f"Given input size per channel: ({_times(batch.shape[2:])}). Calculated output size per channel: "
            f"({_times(sizes)}). Output size is too small"
        )
    _check_kinds(input, weight, bias)
    windows = Windows(kernel, steps, tuple((p, p) for p in border), gaps)
    y = apply(TransposedConvolution, batch, weight, bias, windows=windows, sizes=sizes, groups=groups)
    return cast(Tensor, y if input.ndim == n + 2 else y.squeeze(0))


def each(value: Size, n: int, name: str) -> Sizes:
    """A number for each of n dimensions, given one by one, or one for all."""
    given = (value,) if isinstance(value, int) else tuple(int(v) for v in value)
    if len(given) not in (1, n):
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values to match the convolution "
            f"dimensions, but got {name}={list(given)}"
        )
    return given * n if len(given) == 1 else given


def _batch(input: Tensor, n: int, name: str) -> Tensor:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {_BATCHED[n]} (batched) input to {name}, but got input of size: {list(input.shape)}"
        )
    return input if input.ndim == n + 2 else input.unsqueeze(0)


def _check_weight(n: int, weight: Tensor, groups: int) -> None:
    if weight.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if weight.ndim != n + 2:
        raise RuntimeError(
            f"Expected {n + 2}-dimensional input for {n + 2}-dimensional weight {list(weight.shape)}, "
            f"but got weight of {weight.ndim} dimensions"
        )


def _check(weight: Tensor, stride: Sizes, padding: tuple[tuple[int, int], ...], dilation: Sizes) -> None:
    if min(map(min, padding)) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if 0 in weight.shape[2:]:
        raise RuntimeError(f"kernel size should be greater than zero, but got {list(weight.shape[2:])}")


def _check_bias(bias: Tensor | None, channels: int, given: str) -> None:
    if bias is not None and tuple(bias.shape) != (channels,):
        raise RuntimeError(
            f"{given}, expected bias to be 1-dimensional with {channels} elements, but got bias of size "
            f"{list(bias.shape)} instead"
        )


def _check_kinds(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    x, w = input._array.dtype, weight._array.dtype
    if bias is not None and bias._array.dtype != x:
        names = [_C_NAMES.get(kind.name, kind.name) for kind in (x, bias._array.dtype)]
        raise RuntimeError(f"Input type ({names[0]}) and bias type ({names[1]}) should be the same")
    if x != w:
        raise RuntimeError(f"expected scalar type {scalar_name(x)} but found {scalar_name(w)}")


def _times(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
