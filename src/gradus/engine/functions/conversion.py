"""Conversion to another dtype, and to Python and NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes, printing
from gradus.engine.autograd.record import Variable
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.layouts import in_format
from gradus.engine.dtypes.promotion import RANK, promote
from gradus.engine.dtypes.promotion import result_type as _result_type
from gradus.engine.functions.operands import cast, is_tensor

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "can_cast", "detach", "is_complex", "is_floating_point", "is_nonzero", "is_same_size", "is_tensor",
    "promote_types", "result_type",
]  # fmt: skip


def to(
    input: Tensor,
    *args: Any,
    dtype: DType | None = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Convert this tensor to a dtype or device: to(dtype), to(device), to(device, dtype), to(other).

    Then follow non_blocking, which has no effect, and copy.
    """
    flags = [arg for arg in args if isinstance(arg, bool)]
    copy = flags[1] if len(flags) == 2 else copy
    for arg in args:
        if is_tensor(arg):
            dtype = arg.dtype
        elif isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, bool) or arg is None:
            continue
        elif isinstance(arg, int):
            dtypes.check_device(f"cuda:{arg}")  # PyTorch counts its GPUs
        elif isinstance(arg, (str, dtypes.device)):
            device = arg
        elif arg in (float, int, complex):
            dtype = dtypes.of_numpy(dtypes.to_numpy(arg))
        else:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({type(arg).__name__}), but expected a torch.dtype, a torch.device, a string naming one, or a Tensor"
            )
    dtypes.check_device(device)
    if memory_format is not None:
        input = in_format(input, memory_format)
    if dtype is None or dtypes.to_numpy(dtype) == input._array.dtype:
        return input.clone() if copy else input
    return cast(input, dtypes.to_numpy(dtype))


def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of this tensor's type; or this tensor in another type, given as `torch.int64`, `torch.LongTensor` or
    "torch.LongTensor".
    """
    if dtype is None:
        return printing.type_name(input._array)
    if isinstance(dtype, str):
        on_gpu = dtype.startswith("torch.cuda.")
        kind: Any = dtypes.of_numpy(np.dtype(printing.kind_of_type_name(dtype.replace("torch.cuda.", "torch."))))
    elif isinstance(dtype, type) and issubclass(dtype, Variable):
        on_gpu, kind = False, dtypes.get_default_dtype()
    else:
        on_gpu, kind = getattr(dtype, "is_cuda", False), getattr(dtype, "dtype", dtype)
    if not isinstance(kind, dtypes.dtype):
        raise ValueError(f"invalid type: '{getattr(dtype, '__name__', dtype)}'")
    return to(input, kind, device="cuda" if on_gpu else None, non_blocking=non_blocking)


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """Convert to the dtype of other."""
    return to(input, other.dtype)


def to_float32(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to float32."""
    return to(input, dtypes.float32, memory_format=memory_format)


def to_float64(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to float64."""
    return to(input, dtypes.float64, memory_format=memory_format)


def to_float16(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to float16."""
    return to(input, dtypes.float16, memory_format=memory_format)


def to_bfloat16(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to bfloat16."""
    return to(input, dtypes.bfloat16, memory_format=memory_format)


def to_complex64(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to complex64."""
    return to(input, dtypes.complex64, memory_format=memory_format)


def to_complex128(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to complex128."""
    return to(input, dtypes.complex128, memory_format=memory_format)


def to_int64(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to int64; floats are truncated."""
    return to(input, dtypes.int64, memory_format=memory_format)


def to_int32(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to int32; floats are truncated."""
    return to(input, dtypes.int32, memory_format=memory_format)


def to_int16(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to int16; floats are truncated."""
    return to(input, dtypes.int16, memory_format=memory_format)


def to_int8(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to int8; floats are truncated."""
    return to(input, dtypes.int8, memory_format=memory_format)


def to_uint8(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to uint8; floats are truncated."""
    return to(input, dtypes.uint8, memory_format=memory_format)


def to_bool(input: Tensor, memory_format: Any = None) -> Tensor:
    """Convert to bool: nonzero is True."""
    return to(input, dtypes.bool, memory_format=memory_format)


def cuda(input: Tensor, *_: Any, **__: Any) -> Tensor:
    """Raise an AssertionError, as PyTorch does where it is built without CUDA."""
    return to(input, "cuda")


def as_is(input: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return the tensor itself, as `cpu` and `pin_memory` do on a machine with one kind of memory."""
    return input


def detach(input: Tensor) -> Tensor:
    """Return a tensor that shares input's memory and is not part of the graph."""
    return input.detach()


def is_floating_point(input: Tensor) -> bool:
    """Return whether the dtype is a floating point type (float16, bfloat16, float32 or float64)."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Return whether the dtype is complex64 or complex128."""
    return input.is_complex()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Return whether both tensors have the same shape."""
    return input._array.shape == other._array.shape


def is_nonzero(input: Tensor) -> bool:
    """Return whether the only element of input is nonzero.

    Raises:
        RuntimeError: if input has no element, or more than one.
    """
    if input._array.size != 1:
        raise RuntimeError(
            "Boolean value of Tensor with "
            + ("no values" if not input._array.size else "more than one value")
            + " is ambiguous"
        )
    return bool(input.item())


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """Return the dtype that an operation on both operands (tensors or numbers) computes in."""
    return dtypes.of_numpy(_result_type(*[x._array if is_tensor(x) else x for x in (tensor1, tensor2)]))


def promote_types(type1: DType, type2: DType) -> DType:
    """Return the smallest dtype to which both dtypes can be promoted."""
    return dtypes.of_numpy(promote(type1.numpy, type2.numpy))


def can_cast(from_: DType, to: DType) -> bool:
    """Return whether type promotion allows the cast: not from floats to integers, nor from integers to bool."""
    return RANK[from_.numpy.kind] <= RANK[to.numpy.kind]
