"""PyTorch's older tensor types by dtype, such as `torch.FloatTensor`.

They are not classes of tensors: calling one makes a tensor of its dtype, `isinstance` tests a tensor's dtype, and
`x.type(torch.LongTensor)` converts to it. Those of `torch.cuda` can be used in `isinstance`, but not called.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from gradus.engine import dtypes
from gradus.engine.dtypes import dtype as DType
from gradus.engine.functions.creation import new
from gradus.engine.tensor import Tensor

__all__ = ["NAMES", "of_module", "set_default_tensor_type", "tensortype"]

NAMES = {
    "FloatTensor": dtypes.float32,
    "DoubleTensor": dtypes.float64,
    "HalfTensor": dtypes.float16,
    "BFloat16Tensor": dtypes.bfloat16,
    "LongTensor": dtypes.int64,
    "IntTensor": dtypes.int32,
    "ShortTensor": dtypes.int16,
    "CharTensor": dtypes.int8,
    "ByteTensor": dtypes.uint8,
    "BoolTensor": dtypes.bool,
}


class tensortype(type):
    """The class of tensor types such as `torch.FloatTensor`.

    torch.FloatTensor([1, 2])   a float32 tensor of these numbers
    torch.FloatTensor(2, 3)     one of this shape
    """

    dtype: DType
    is_cuda: bool

    def __new__(cls, name: str, dtype: DType, module: str = "torch") -> Any:
        made: Any = super().__new__(cls, name, (), {"__module__": module, "__doc__": f"Tensors of {dtype}."})
        made.dtype, made.is_cuda = dtype, module == "torch.cuda"
        return made

    def __init__(cls, *_: Any) -> None:
        """Everything is done in `__new__`."""

    def __call__(cls, *data: Any, device: Any = None, **size: Any) -> Tensor:
        cls._check()
        return new(dtypes.to_numpy(cls.dtype), *data, device=device, **size)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and not cls.is_cuda and instance.dtype is cls.dtype

    def __getattr__(cls, name: str) -> Any:
        """The methods of a tensor: `torch.FloatTensor.add_`."""
        try:
            return getattr(Tensor, name)
        except AttributeError:
            raise AttributeError(
                f"type object 'torch.{cls.__name__}' has no attribute '{name}'", name=name, obj=cls
            ) from None

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"

    def _check(cls) -> None:
        if cls.is_cuda:
            name = f"{cls.__module__}.{cls.__name__}"
            raise TypeError(f"type {name} not available. Torch not compiled with CUDA enabled.")


@functools.cache
def of_module(module: str) -> dict[str, tensortype]:
    """The tensor types of a module: "torch" or "torch.cuda"."""
    return {name: tensortype(name, kind, module) for name, kind in NAMES.items()}


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype to that of a tensor type.

    Args:
        t: a tensor type such as torch.DoubleTensor, or its name.

    Raises:
        TypeError: if it is not a tensor type, not of floating point, or needs a GPU.
    """
    if isinstance(t, str):
        named = {f"{m}.{name}": kind for m in ("torch", "torch.cuda") for name, kind in of_module(m).items()}
        if t not in named:
            raise TypeError(f"invalid type name: '{t}'")
        t = named[t]
    if not isinstance(t, tensortype):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if not t.dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    t._check()
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives.",
        UserWarning,
        stacklevel=2,
    )
    dtypes.set_default_dtype(t.dtype)
