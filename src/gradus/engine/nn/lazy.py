"""Layers whose number of inputs is inferred from the first input; after it they are ordinary layers.

>>> layer = LazyLinear(10)      # LazyLinear(in_features=0, out_features=10, bias=True)
>>> layer(torch.ones(2, 5))     # draws the weights
>>> layer                       # Linear(in_features=5, out_features=10, bias=True)
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from gradus.engine import dtypes
from gradus.engine.autograd import no_grad
from gradus.engine.functions import tensor
from gradus.engine.nn import batchnorm, conv
from gradus.engine.nn.linear import Linear
from gradus.engine.nn.module import Module
from gradus.engine.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from gradus.engine.tensor import Tensor


class LazyModuleMixin(Module):
    """A module whose `initialize_parameters` infers the parameters' shapes from the arguments of the first forward."""

    cls_to_become: ClassVar[type[Module] | None] = None  # its class after that
    weight: Any
    bias: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize every parameter and buffer that has no shape yet."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(is_lazy(each) for held in (self._parameters, self._buffers) for each in held.values())

    def _to_float(self, dtype: dtypes.dtype) -> Self:
        """Called on the layer itself, not on the model it is in, which converts it with all others."""
        if self.has_uninitialized_params():
            raise NotImplementedError(
                f"{self._get_name()} by itself has no numbers to convert before its first input: call forward first, "
                "or make it with dtype="
            )
        return super()._to_float(dtype)

    def _leave_uninitialized(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def _infer_parameters(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        module.initialize_parameters(*args, **kwargs)
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        del module._initialize_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` whose in_features is inferred from the first input (..., in_features)."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self._leave_uninitialized(bias, device, dtype)

    def reset_parameters(self) -> None:
        """Draw W, then b, once there is something to draw."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """W (out_features, in_features), b (out_features)."""
        if self.has_uninitialized_params():
            with no_grad():
                self.in_features = input.shape[-1]
                _shape(self.weight, self.out_features, self.in_features)
                _shape(self.bias, self.out_features)
                self.reset_parameters()
        if self.in_features == 0:  # the parameters were loaded
            if input.shape[-1] != self.weight.shape[-1]:
                raise AssertionError(
                    f"The in_features inferred from input: {input.shape[-1]} is not equal to in_features from "
                    f"self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = input.shape[-1]


class _LazyConvNd(LazyModuleMixin, conv._ConvNd):
    def reset_parameters(self) -> None:
        """Draw W, then b, once there is something to draw."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *_: Any, **__: Any) -> None:
        """W (out_channels, in_channels / groups, *kernel_size), the first two swapped if transposed; b
        (out_channels).
        """
        if not self.has_uninitialized_params():
            return
        if input.dim() not in (self.axes + 1, self.axes + 2):
            raise RuntimeError(
                f"Expected {self.axes + 1}D (unbatched) or {self.axes + 2}D (batched) input to {type(self).__name__}, "
                f"but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[-self.axes - 1]
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        rows, columns = self.out_channels, self.in_channels
        if self.transposed:
            rows, columns = columns, rows
        _shape(self.weight, rows, columns // self.groups, *self.kernel_size)
        _shape(self.bias, self.out_channels)
        self.reset_parameters()


class _LazyConv(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: conv.Size,
        stride: conv.Size = 1,
        padding: conv.Size | str = 0,
        dilation: conv.Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        self.out_channels = out_channels
        self._leave_uninitialized(bias, device, dtype)


class _LazyConvTranspose(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: conv.Size,
        stride: conv.Size = 1,
        padding: conv.Size = 0,
        output_padding: conv.Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: conv.Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = kernel_size, stride, padding, output_padding, groups
        super().__init__(0, 0, *settings, False, dilation, padding_mode, device, dtype)
        self.out_channels = out_channels
        self._leave_uninitialized(bias, device, dtype)


class LazyConv1d(_LazyConv, conv.Conv1d):
    """`Conv1d` whose in_channels is inferred from the first input."""

    cls_to_become = conv.Conv1d


class LazyConv2d(_LazyConv, conv.Conv2d):
    """`Conv2d` whose in_channels is inferred from the first input."""

    cls_to_become = conv.Conv2d


class LazyConv3d(_LazyConv, conv.Conv3d):
    """`Conv3d` whose in_channels is inferred from the first input."""

    cls_to_become = conv.Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, conv.ConvTranspose1d):
    """`ConvTranspose1d` whose in_channels is inferred from the first input."""

    cls_to_become = conv.ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, conv.ConvTranspose2d):
    """`ConvTranspose2d` whose in_channels is inferred from the first input."""

    cls_to_become = conv.ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, conv.ConvTranspose3d):
    """`ConvTranspose3d` whose in_channels is inferred from the first input."""

    cls_to_become = conv.ConvTranspose3d


class _LazyNorm(LazyModuleMixin, batchnorm._Norm):
    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self._leave_uninitialized(bias, device, dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = tensor(0, dtype=dtypes.int64)

    def reset_parameters(self) -> None:
        """w = 1, b = 0, and no batches seen, once there is something to set."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """All (num_features,): the size of the input's axis 1."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for each in (self.weight, self.bias, self.running_mean, self.running_var):
                _shape(each, self.num_features)
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, batchnorm.BatchNorm1d):
    """`BatchNorm1d` whose num_features is inferred from the first input."""

    cls_to_become = batchnorm.BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, batchnorm.BatchNorm2d):
    """`BatchNorm2d` whose num_features is inferred from the first input."""

    cls_to_become = batchnorm.BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, batchnorm.BatchNorm3d):
    """`BatchNorm3d` whose num_features is inferred from the first input."""

    cls_to_become = batchnorm.BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, batchnorm.InstanceNorm1d):
    """`InstanceNorm1d` whose num_features is inferred from the first input."""

    cls_to_become = batchnorm.InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, batchnorm.InstanceNorm2d):
    """`InstanceNorm2d` whose num_features is inferred from the first input."""

    cls_to_become = batchnorm.InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, batchnorm.InstanceNorm3d):
    """`InstanceNorm3d` whose num_features is inferred from the first input."""

    cls_to_become = batchnorm.InstanceNorm3d


def _shape(param: Tensor | None, *shape: int) -> None:
    """Give a parameter or buffer that has none a shape."""
    if isinstance(param, UninitializedParameter | UninitializedBuffer):
        param.materialize(shape)
