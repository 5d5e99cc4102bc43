"""Operands: tensors and numbers, read and converted to the dtype that promotion decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.in_place import apply_
from gradus.engine.autograd.node import Function
from gradus.engine.autograd.record import Variable, apply, apply_one, apply_two, unrecorded, wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.promotion import of_number, promote, result_type
from gradus.engine.functions.checks import (
    check_cast,
    explain_broadcast,
    floating_only,
    only_tensors,
    refuse_bool,
    type_name,
)
from gradus.engine.kernels import FLOAT32
from gradus.engine.ops.arithmetic import Div, Mul
from gradus.engine.ops.copying import ToCopy

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


Number = int | float | bool


def is_tensor(obj: Any) -> TypeGuard[Tensor]:
    """Return whether obj is a tensor."""
    return isinstance(obj, Variable)


def tensor_of(x: Any) -> Tensor:
    """A tensor as it is, or one made of a number or an array."""
    if is_tensor(x):
        return x
    return wrap(x if isinstance(x, np.ndarray) else np.asarray(x, dtype=of_number(x)))


def array_of(x: Any) -> Any:
    """An operand for NumPy: a tensor's array, or a Python number."""
    return x._array if isinstance(x, Variable) else x.item() if isinstance(x, np.generic) else x


# Python's own numbers: not np.float64, which is a float, too, but to NumPy has a type to keep.
NUMBERS = frozenset((float, int, bool, complex))


def as_operand(x: Any) -> Any:
    """A tensor or a Python number, from either or from one of NumPy's."""
    if isinstance(x, Variable) or type(x) in NUMBERS:
        return x
    if isinstance(x, np.generic) and x.dtype.kind in "biufcV":
        return float(x) if x.dtype.kind == "b" else x.item()  # np.bool_ counts as a float in PyTorch
    if isinstance(x, np.ndarray):
        return wrap(x)
    if isinstance(x, int):
        return int(x)
    raise TypeError(
        f"unsupported operand type for a Tensor: '{type(x).__name__}'; make a tensor of it with torch.tensor(...)"
    )


def number(x: Any, function: str, argument: str) -> Any:
    """A Python number, from a number, one of NumPy's, or a 0-d tensor that needs no gradient.

    Raises:
        TypeError: if x is anything else.
    """
    if type(x) in NUMBERS:
        return x
    if isinstance(x, (int, float, np.number, np.bool_)):
        return as_operand(x)
    if is_tensor(x) and not x.ndim and not x.requires_grad:
        return x.item()
    raise TypeError(f"{function}(): argument '{argument}' must be Number, not {type_name(x)}")


# Numbers used before, as arrays, which NumPy takes in half the time of a number: 0.2 instead of 0.4 µs.
_numbers: dict[float, Array] = {}


def _number_of(x: float) -> Any:
    """x for `_numbers`: not 0, which equals -0, or NaN, which equals nothing; and a limited number of them."""
    array = np.array(x, np.float32)
    if len(_numbers) > 100:
        _numbers.clear()
    if x and x == x:
        _numbers[x] = array
    return array


def binary(op: type[Function], a: Any, b: Any, option: Any = None) -> Tensor:
    """Apply an operation to two operands, promoted to a common type; one may be a number."""
    try:
        if isinstance(a, Variable):
            if type(b) is not float:
                if isinstance(b, Variable) and a._array.dtype is b._array.dtype:
                    return apply_two(op, a, b, option)
            elif (array := a._array).dtype.kind == "f":  # nothing to convert
                ufunc, recorded = op.ufunc, (a._node is not None or a._base is not None) and state.enabled
                if recorded or ufunc is None or option is not None:
                    return apply(op, a, b, option=option)
                if array.dtype is FLOAT32:
                    return wrap(ufunc(array, _numbers.get(b) or _number_of(b)))
                return wrap(ufunc(array, b)) if array.dtype.char == "d" else apply(op, a, b)
        if op in (Mul, Div) and isinstance(a, Variable) and isinstance(b, Variable):
            if _is_number_beside(b, a):  # a number of more digits than 16 bits hold is taken as it is
                return apply_two(op, a, cast(b, FLOAT32), option)
            if _is_number_beside(a, b):
                return cast(apply_two(op, cast(a, FLOAT32), b, option), b._array.dtype)
        a, b = same_type(a, b)
        both = isinstance(a, Variable) and isinstance(b, Variable)
        return apply_two(op, a, b, option) if both else apply(op, a, b, option=option)
    except ValueError:
        explain_broadcast(a, b)
        raise


def binary_not_bool(op: Any, input: Any, other: Any, name: str) -> Tensor:
    """As `binary`, for an operation that bool does not have."""
    a, b = same_type(input, other)
    refuse_bool(a if is_tensor(a) else b, name)
    return binary(op, a, b)


def binary_of_floats(op: Any, function: str, a: Tensor, b: Tensor) -> Tensor:
    """As `binary`, for two tensors of a floating-point dtype; integers are refused, not converted."""
    only_tensors(function, a, b)
    a, b = same_type(a, b)
    return binary(op, floating_only(a, f"{function}_cpu"), b)


def as_floats(function: str, a: Any, b: Any) -> tuple[Any, Any]:
    """As `both_floating`; a TypeError if neither is a tensor."""
    require_a_tensor(function, a, b)
    return both_floating(a, b)


def both_floating(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands in the floating-point dtype that promotion decides."""
    a, b = as_operand(a), as_operand(b)
    dtype = result_type(array_of(a), array_of(b))
    if not is_tensor(a) and not is_tensor(b):
        a = tensor_of(a)
    if dtype.kind in dtypes.FLOATING:
        return a, b
    dtype = dtypes.get_default_dtype().numpy
    return (cast(a, dtype) if is_tensor(a) else a), (cast(b, dtype) if is_tensor(b) else b)


def require_a_tensor(function: str, a: Any, b: Any) -> None:
    """Raise a TypeError if both operands are numbers."""
    if not is_tensor(a) and not is_tensor(b):
        raise TypeError(
            f"{function}() received an invalid combination of arguments - got ({type_name(a)}, {type_name(b)}), but "
            "one of the two must be a Tensor"
        )


_WRAPPING = (np.add, np.subtract, np.multiply)  # what NumPy does to whole numbers as PyTorch, modulo their range


def in_place(target: Tensor, op: type[Function], other: Any, option: Any = None) -> Tensor:
    """As `binary`, writing the result into `target`, whose type must be able to hold it."""
    before = target._array
    if option is None and ((target._node is None and target._base is None) or unrecorded(target)):
        # Where there is nothing to record, nothing to convert and nothing to refuse, NumPy writes over the numbers.
        if isinstance(other, Variable):
            operand = other._array
            plainly = (
                operand.dtype is before.dtype
                and ((other._node is None and other._base is None) or unrecorded(other))
                and (other._counter is not target._counter or target._counter is None)
            )
        else:
            operand = other
            plainly = type(other) in (float, int) and before.dtype.char in "fd"
            if type(other) is int and before.dtype.kind == "i":
                plainly = op.ufunc in _WRAPPING
        if plainly and (ufunc := op.ufunc) is not None and (before.base is None or 0 not in before.strides):
            try:
                ufunc(before, operand, before)
                if target._counter is None:
                    target._counter = [1]
                else:
                    target._counter[0] += 1
                return target
            except (ValueError, OverflowError):
                pass  # the shapes or the number do not fit: the code below raises the error
    if isinstance(other, Variable):
        if other._array.dtype is not before.dtype:
            check_cast(result_type(before, other._array), before.dtype)
            other = cast(other, before.dtype)
    else:
        other = as_operand(other)
        if before.dtype.kind not in dtypes.REAL or type(other) is complex:
            check_cast(result_type(before, array_of(other)), before.dtype)
            other = other if isinstance(other, Variable) else wrapped(other, before.dtype)
    try:
        return apply_(target, op, other, option=option)
    except ValueError:
        explain_broadcast(target, other)
        raise


def same_type(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands in the dtype that promotion decides; a Python number stays one where NumPy promotes it alike."""
    if isinstance(a, Variable):
        dtype = a._array.dtype
        if isinstance(b, Variable):
            if b._array.dtype is dtype or b._array.dtype == dtype:
                return a, b
            dtype = result_type(a._array, b._array)
            return cast(a, dtype), cast(b, dtype)
        if type(b) not in NUMBERS:
            return same_type(a, as_operand(b))
        if dtype.kind in dtypes.REAL and not isinstance(b, complex):
            return a, b
        dtype = result_type(a._array, b)
        return cast(a, dtype), wrapped(b, dtype)
    if type(a) not in NUMBERS:
        return same_type(as_operand(a), b)
    if isinstance(b, Variable):
        b, a = same_type(b, a)
        return a, b
    b = as_operand(b)
    if isinstance(b, Variable):
        return same_type(a, b)
    dtype = result_type(a, b)
    return wrap(np.asarray(a, dtype=dtype)), wrap(np.asarray(b, dtype=dtype))


def _is_number_beside(number: Variable, x: Variable) -> bool:
    """Whether the first is a 0-d tensor of floats, and the second has 16-bit floats and dimensions."""
    array = number._array
    return x._array.dtype.char in "eE" and x._array.ndim > 0 and not array.ndim and array.dtype.kind in dtypes.REAL


def wrapped(x: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number beside integers; one too large for their type wraps around, as in C."""
    if dtype.kind in "iu" and dtype.itemsize < 8:
        limits = np.iinfo(dtype)
        if not limits.min <= x <= limits.max:
            return int(np.asarray(x).astype(dtype))
    return x


def fitting(x: Any, dtype: np.dtype[Any]) -> Any:
    """A number as an integer type can hold it; below 0 it wraps around in an unsigned one."""
    if isinstance(x, complex) and dtype.kind != "c":
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    if dtype.kind in "iu" and isinstance(x, (int, float)):
        limits = np.iinfo(dtype)
        if not (limits.min or -limits.max) <= x <= limits.max:
            raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
        return wrapped(int(x), dtype)
    return x


def same_types(tensors: list[Tensor]) -> list[Any]:
    """Tensors in the one dtype that promotion decides, whatever their dimensions."""
    dtype = tensors[0]._array.dtype
    for x in tensors[1:]:
        dtype = promote(dtype, x._array.dtype)
    return [cast(x, dtype) for x in tensors]


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """x in another number type; integers have no gradient."""
    if x._array.dtype == dtype:
        return x
    return apply_one(ToCopy, x if dtype.kind in dtypes.FLOATING else x.detach(), dtype)


def rounded_once(compute: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """A function of several operations: computed in float32 for float16 and bfloat16, and rounded only at the end."""
    dtype = tensors[0]._array.dtype
    if dtype.char not in "eE" or any(x._array.dtype is not dtype for x in tensors):
        return compute(*tensors)
    out: Tensor = cast(compute(*[cast(x, FLOAT32) for x in tensors]), dtype)
    return out


def floating(x: Any) -> Any:
    """x, converted to floats if it is of integers, as exp and sqrt need."""
    if x._array.dtype.kind in dtypes.FLOATING:
        return x
    return apply_one(ToCopy, x, dtypes.get_default_dtype().numpy)
