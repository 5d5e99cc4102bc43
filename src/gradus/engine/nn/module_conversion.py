"""A module's parameters and buffers in another dtype, on another device, or replaced by any function of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from gradus.engine import dtypes
from gradus.engine.autograd import no_grad
from gradus.engine.dtypes.layouts import CHANNELS_LAST, in_format
from gradus.engine.nn.parameter import Parameter
from gradus.engine.tensor import Tensor

Convert = Callable[[Tensor], Tensor]


class ConvertibleModule:
    """The part of `Module` that converts its tensors and those of the modules below."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]

    if TYPE_CHECKING:

        def children(self) -> Iterator[Any]: ...

    def type(self, dst_type: Any) -> Self:
        """All parameters and buffers in another type, given as torch.float64 or torch.DoubleTensor."""
        return self._apply(lambda t: t.type(dst_type))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Parameters and buffers of the same shapes, to be filled; here they start as zeros.

        Raises:
            RuntimeError, AssertionError: for a device that this machine, or this engine, does not have.
        """
        dtypes.check_device(device)
        return self._apply(lambda t: t.new_empty(t.shape), recurse)

    def _apply(self, fn: Convert, recurse: bool = True) -> Self:
        """Put `fn(tensor)` in the place of every parameter's, gradient's and buffer's numbers; parameters stay the
        objects they are.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    parameter.data = fn(parameter.data)
                    if parameter.grad is not None:
                        parameter.grad.data = fn(parameter.grad.data)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """`to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`: floating-point parameters and buffers change
        type.

        Raises:
            TypeError: for a number type that is not floating point.
            RuntimeError, AssertionError: for a device that this machine, or this engine, does not have.
        """
        unknown = kwargs.keys() - {"device", "dtype", "tensor", "non_blocking", "memory_format"}
        if unknown:
            raise TypeError(f"to() received an invalid combination of arguments: it has no {sorted(unknown)[0]!r}")
        if kwargs.get("memory_format") is not None:
            asked = kwargs["memory_format"]
            self._apply(lambda x: in_format(x, asked) if x.ndim == CHANNELS_LAST.get(asked) else x)
        given = [*args, *(kwargs[key] for key in ("device", "dtype", "tensor") if key in kwargs)]
        kind: dtypes.dtype | None = None
        for argument in given:
            if isinstance(argument, dtypes.dtype):
                kind = argument
            elif isinstance(argument, Tensor):
                kind = argument.dtype
            elif isinstance(argument, int) and not isinstance(argument, bool):
                dtypes.check_device(f"cuda:{argument}")  # PyTorch counts its GPUs
            elif isinstance(argument, str | dtypes.device):
                dtypes.check_device(argument)
        if kind is None:
            return self
        if not kind.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={kind}")
        return self._to_float(kind)

    def _to_float(self, dtype: dtypes.dtype) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert all floating-point parameters and buffers to float32."""
        return self._to_float(dtypes.float32)

    def double(self) -> Self:
        """Convert all floating-point parameters and buffers to float64."""
        return self._to_float(dtypes.float64)

    def half(self) -> Self:
        """Convert all floating-point parameters and buffers to float16."""
        return self._to_float(dtypes.float16)

    def bfloat16(self) -> Self:
        """Convert all floating-point parameters and buffers to bfloat16."""
        return self._to_float(dtypes.bfloat16)

    def cpu(self) -> Self:
        """Return the module itself: everything is on the CPU."""
        return self

    def cuda(self, device: int | str | None = None) -> Self:
        """Raises, as PyTorch does on a machine without a GPU."""
        dtypes.check_device("cuda")
        return self
