"""Convolution layers: the same linear map at every position of a sequence, image or volume; and transposed
convolutions, which add a pattern at every position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.engine.functions import empty
from gradus.engine.nn import functional as F
from gradus.engine.nn import init
from gradus.engine.nn.module import Layer
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor

Size = int | tuple[int, ...]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Layer):
    """Base class: the settings and the parameters, which start uniform in ±1/√fan_in."""

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        output_padding: Size,
        dilation: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if padding == "same" and set(self._each(stride)) != {1}:
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise ValueError(f"padding_mode must be one of {set(_MODES)}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._each(kernel_size)
        self.stride = self._each(stride)
        self.padding = padding if isinstance(padding, str) else self._each(padding)
        self.dilation = self._each(dilation)
        self.output_padding = self._each(output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        rows, columns = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (rows, columns // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty((out_channels,), device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def _each(self, value: Size) -> tuple[int, ...]:
        return (value,) * self.axes if isinstance(value, int) else tuple(value)

    def reset_parameters(self) -> None:
        """Draw W, then b."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        said = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        none = (0,) * self.axes
        if self.padding != none:
            said.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.axes:
            said.append(f"dilation={self.dilation}")
        if self.output_padding != none:
            said.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            said.append(f"groups={self.groups}")
        if self.bias is None:
            said.append("bias=False")
        if self.padding_mode != "zeros":
            said.append(f"padding_mode={self.padding_mode}")
        return ", ".join(said)


class _Conv(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        channels = in_channels, out_channels
        super().__init__(
            *channels, kernel_size, stride, padding, 0, dilation, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        function = (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1]
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._border(), mode=self.padding_mode), 0
        return function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _border(self) -> list[int]:
        """(left, right) of the last axis, then of the one before it, and so on."""
        if isinstance(self.padding, str):
            same = self.padding == "same"
            totals = [d * (k - 1) if same else 0 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            ends = [(total // 2, total - total // 2) for total in totals]
        else:
            ends = [(p, p) for p in self.padding]
        return [size for pair in reversed(ends) for size in pair]


class Conv1d(_Conv):
    """y[n, o, t] = b[o] + Σ_c Σ_k W[o, c, k] x[n, c, t·stride + k·dilation - padding].
    x (N, C, L) or (C, L), W (O, C/groups, K)
    """

    axes = 1


class Conv2d(_Conv):
    """y[n, o, t] = b[o] + Σ_c Σ_k W[o, c, k] x[n, c, t·stride + k·dilation - padding], t and k two numbers each.
    x (N, C, H, W) or (C, H, W), W (O, C/groups, K, K)
    """

    axes = 2


class Conv3d(_Conv):
    """y[n, o, t] = b[o] + Σ_c Σ_k W[o, c, k] x[n, c, t·stride + k·dilation - padding], t and k three numbers each.
    x (N, C, D, H, W) or (C, D, H, W), W (O, C/groups, K, K, K)
    """

    axes = 3


class _ConvTranspose(_ConvNd):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        settings = stride, padding, output_padding, dilation, groups
        super().__init__(in_channels, out_channels, kernel_size, *settings, bias, padding_mode, device, dtype)

    if TYPE_CHECKING:

        def __call__(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor: ...

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.axes - 1]
        padding: Any = self.padding
        more = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return function(input, self.weight, self.bias, self.stride, padding, more, self.groups, self.dilation)

    def _output_padding(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        """How much to add to the end, for an output of this size."""
        others = input.dim() - self.axes
        wanted = list(output_size)[others:] if len(output_size) == input.dim() else list(output_size)
        if len(wanted) != self.axes:
            raise ValueError(
                f"ConvTranspose{self.axes}D: for {input.dim()}D input, output_size must have {self.axes} or "
                f"{others + self.axes} elements (got {len(output_size)})"
            )
        padding: Any = self.padding
        settings = zip(input.shape[others:], self.stride, padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in settings]
        most = [size + s - 1 for size, s in zip(least, self.stride, strict=True)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{input.shape[2:]})"
            )
        return tuple(size - low for size, low in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """y[n, o, t·stride + k·dilation - padding] = b[o] + Σ_c Σ_k W[c, o, k] x[n, c, t], summed where windows overlap.
    x (N, C, L) or (C, L), W (C, O/groups, K)
    """

    axes = 1


class ConvTranspose2d(_ConvTranspose):
    """`ConvTranspose1d` in two dimensions.    x (N, C, H, W) or (C, H, W), W (C, O/groups, K, K)"""

    axes = 2


class ConvTranspose3d(_ConvTranspose):
    """`ConvTranspose1d` in three dimensions.    x (N, C, D, H, W) or (C, D, H, W), W (C, O/groups, K, K, K)"""

    axes = 3
