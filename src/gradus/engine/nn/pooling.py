"""Pooling layers: the maximum, mean or power mean of each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gradus.engine.nn import functional as F
from gradus.engine.nn.module import Layer, Module
from gradus.engine.tensor import Tensor

Size = int | tuple[int, ...]


class _Pool(Module):
    axes: ClassVar[int]

    def _function(self, kind: str) -> Any:
        return getattr(F, f"{kind}{self.axes}d")

    def _each(self, value: Any) -> tuple[Any, ...]:
        return tuple(value) if isinstance(value, (tuple, list)) else (value,) * self.axes


class _MaxPool(_Pool):
    """The largest number of each window; with `return_indices` also where it was."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    if TYPE_CHECKING:

        def __call__(self, input: Tensor) -> Any: ...

    def forward(self, input: Tensor) -> Any:
        settings = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        return self._function("max_pool")(input, *settings)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _MaxUnpool(_Pool):
    """Each number where the pooling that gave the indices found it, zeros elsewhere."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size = self._each(kernel_size)
        self.stride = self._each(kernel_size if stride is None else stride)
        self.padding = self._each(padding)

    if TYPE_CHECKING:

        def __call__(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor: ...

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        settings = self.kernel_size, self.stride, self.padding, output_size
        unpooled: Tensor = self._function("max_unpool")(input, indices, *settings)
        return unpooled

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPool(_Pool, Layer):
    """The mean of each window."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size: Any = kernel_size
        self.stride: Any = kernel_size if stride is None else stride
        self.padding: Any = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        settings = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        divisor = () if self.axes == 1 else (self.divisor_override,)
        means: Tensor = self._function("avg_pool")(input, *settings, *divisor)
        return means

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(_Pool, Layer):
    """(Σ xᵖ)^(1/p) over each window, p `norm_type`."""

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        settings = float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        means: Tensor = self._function("lp_pool")(input, *settings)
        return means

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _AdaptiveAvgPool(_Pool, Layer):
    """The means of `output_size` parts, as equal as can be."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        means: Tensor = self._function("adaptive_avg_pool")(input, self.output_size)
        return means

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveMaxPool(_Pool):
    """The largest of each of `output_size` parts, as equal as can be; with `return_indices` also where it was."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    if TYPE_CHECKING:

        def __call__(self, input: Tensor) -> Any: ...

    def forward(self, input: Tensor) -> Any:
        return self._function("adaptive_max_pool")(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _FractionalMaxPool(_Pool):
    """The largest of each of `output_size` windows, drawn at random about equally far apart (Graham, 2014)."""

    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Size,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = self._each(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else self._each(output_size)
        self.output_ratio = None if output_ratio is None else self._each(output_ratio)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    if TYPE_CHECKING:

        def __call__(self, input: Tensor) -> Any: ...

    def forward(self, input: Tensor) -> Any:
        settings = self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        return self._function("fractional_max_pool")(input, *settings)


class MaxPool1d(_MaxPool):
    """y = the largest of x in each window.    x (N, C, L) or (C, L)"""

    axes = 1


class MaxPool2d(_MaxPool):
    """y = the largest of x in each window.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class MaxPool3d(_MaxPool):
    """y = the largest of x in each window.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class MaxUnpool1d(_MaxUnpool):
    """y = x where the pooling found it, else 0.    x (N, C, L) or (C, L)"""

    axes = 1


class MaxUnpool2d(_MaxUnpool):
    """y = x where the pooling found it, else 0.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class MaxUnpool3d(_MaxUnpool):
    """y = x where the pooling found it, else 0.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class AvgPool1d(_AvgPool):
    """y = the mean of x in each window.    x (N, C, L) or (C, L)"""

    axes = 1

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.kernel_size, self.stride, self.padding = map(self._each, (self.kernel_size, self.stride, self.padding))


class AvgPool2d(_AvgPool):
    """y = the mean of x in each window.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class AvgPool3d(_AvgPool):
    """y = the mean of x in each window.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class LPPool1d(_LPPool):
    """y = (Σ xᵖ)^(1/p) in each window.    x (N, C, L) or (C, L)"""

    axes = 1


class LPPool2d(_LPPool):
    """y = (Σ xᵖ)^(1/p) in each window.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class LPPool3d(_LPPool):
    """y = (Σ xᵖ)^(1/p) in each window.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """y = the means of `output_size` equal parts of x.    x (N, C, L) or (C, L)"""

    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """y = the means of `output_size` equal parts of x.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """y = the means of `output_size` equal parts of x.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """y = the largest of each of `output_size` equal parts of x.    x (N, C, L) or (C, L)"""

    axes = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """y = the largest of each of `output_size` equal parts of x.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """y = the largest of each of `output_size` equal parts of x.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3


class FractionalMaxPool2d(_FractionalMaxPool):
    """y = the largest of x in each of `output_size` windows.    x (N, C, H, W) or (C, H, W)"""

    axes = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """y = the largest of x in each of `output_size` windows.    x (N, C, D, H, W) or (C, D, H, W)"""

    axes = 3
