"""Comparison and logic: tensors of truth values, which have no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import wrap
from gradus.engine.dtypes import FLOATING
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions.checks import explain_broadcast, only_tensors, refuse_complex
from gradus.engine.functions.operands import array_of, is_tensor, same_type, tensor_of
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axes_of

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "all", "allclose", "any", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "count_nonzero", "eq", "equal", "ge", "greater", "greater_equal", "gt",
    "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "le", "less", "less_equal",
    "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip


_SHORT = {
    np.equal: "eq",
    np.not_equal: "ne",
    np.less: "lt",
    np.less_equal: "le",
    np.greater: "gt",
    np.greater_equal: "ge",
}


def _compare(how: Any, a: Any, b: Any) -> Tensor:
    if not is_tensor(a):
        only_tensors(_SHORT[how], a)
    x, y = same_type(a, b)
    if how not in (np.equal, np.not_equal):
        for operand in map(np.asarray, (array_of(x), array_of(y))):
            message = f"\"{_SHORT[how]}_cpu\" not implemented for '{scalar_name(operand.dtype)}'"
            refuse_complex(operand, message, NotImplementedError)
    return _broadcast(how, x, y)


def _broadcast(how: Any, a: Any, b: Any) -> Tensor:
    try:
        return wrap(how(array_of(a), array_of(b)))
    except ValueError:
        explain_broadcast(a, b)
        raise


def eq(input: Tensor, other: Any) -> Tensor:
    """Return whether input = other, elementwise: a bool tensor; other is a tensor or a number, and both broadcast."""
    return _compare(np.equal, input, other)


def ne(input: Tensor, other: Any) -> Tensor:
    """Return whether input ≠ other, elementwise: a bool tensor; other is a tensor or a number, and both broadcast."""
    return _compare(np.not_equal, input, other)


def equals(input: Tensor, other: Any) -> Any:
    """Implement `input == other`; NotImplemented if other is neither a tensor nor a number."""
    try:
        return _compare(np.equal, input, other)
    except TypeError:
        return NotImplemented


def differs(input: Tensor, other: Any) -> Any:
    """Implement `input != other`; NotImplemented if other is neither a tensor nor a number."""
    try:
        return _compare(np.not_equal, input, other)
    except TypeError:
        return NotImplemented


def lt(input: Tensor, other: Any) -> Tensor:
    """Return whether input < other, elementwise: a bool tensor; other is a tensor or a number, and both broadcast."""
    return _compare(np.less, input, other)


def le(input: Tensor, other: Any) -> Tensor:
    """Return whether input ≤ other, elementwise: a bool tensor; other is a tensor or a number, and both broadcast."""
    return _compare(np.less_equal, input, other)


def gt(input: Tensor, other: Any) -> Tensor:
    """Return whether input > other, elementwise: a bool tensor; other is a tensor or a number, and both broadcast."""
    return _compare(np.greater, input, other)


def ge(input: Tensor, other: Any) -> Tensor:
    """Return whether input ≥ other, elementwise: a bool tensor; other is a tensor or a number, and both broadcast."""
    return _compare(np.greater_equal, input, other)


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


def logical_not(input: Tensor) -> Tensor:
    """Return whether each element is 0: a bool tensor."""
    only_tensors("logical_not", input)
    return wrap(np.logical_not(input._array))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Return whether both elements are nonzero: a bool tensor; the operands broadcast."""
    only_tensors("logical_and", input, other)
    return _broadcast(np.logical_and, input, other)


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Return whether at least one of the two elements is nonzero: a bool tensor; the operands broadcast."""
    only_tensors("logical_or", input, other)
    return _broadcast(np.logical_or, input, other)


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Return whether exactly one of the two elements is nonzero: a bool tensor; the operands broadcast."""
    only_tensors("logical_xor", input, other)
    return _broadcast(np.logical_xor, input, other)


def _bitwise(how: Any, a: Any, b: Any, name: str) -> Tensor:
    if not is_tensor(a) and not is_tensor(b):
        only_tensors(how.__name__, a)
    x, y = same_type(a, b)
    dtype = result_type(array_of(x), array_of(y))
    if dtype.kind in FLOATING or (dtype.kind == "b" and name in ("lshift", "rshift")):
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{scalar_name(dtype)}'")
    return _broadcast(how, x, y)


def bitwise_and(input: Any, other: Any) -> Tensor:
    """Return input & other, bit by bit, for bool or integer operands; at least one of the two is a tensor."""
    return _bitwise(np.bitwise_and, input, other, "bitwise_and")


def bitwise_or(input: Any, other: Any) -> Tensor:
    """Return input | other, bit by bit, for bool or integer operands; at least one of the two is a tensor."""
    return _bitwise(np.bitwise_or, input, other, "bitwise_or")


def bitwise_xor(input: Any, other: Any) -> Tensor:
    """Return input ^ other, bit by bit, for bool or integer operands; at least one of the two is a tensor."""
    return _bitwise(np.bitwise_xor, input, other, "bitwise_xor")


def bitwise_left_shift(input: Any, other: Any) -> Tensor:
    """Return input * 2 ** other, modulo the dtype's range; 0 if other is negative or at least the number of bits."""
    return _bitwise(np.left_shift, input, other, "lshift")


def bitwise_right_shift(input: Any, other: Any) -> Tensor:
    """Return ⌊input / 2 ** other⌋; 0 (-1 for a negative input) if other is negative or at least the number of bits."""
    return _bitwise(np.right_shift, input, other, "rshift")


def rlshift(input: Tensor, other: Any) -> Tensor:
    """`other << input`."""
    return bitwise_left_shift(other, input)


def rrshift(input: Tensor, other: Any) -> Tensor:
    """`other >> input`."""
    return bitwise_right_shift(other, input)


def bitwise_not(input: Tensor) -> Tensor:
    """Invert every bit; for bool tensors this is the logical not."""
    if (dtype := input._array.dtype).kind in FLOATING:
        raise NotImplementedError(f"\"bitwise_not_cpu\" not implemented for '{scalar_name(dtype)}'")
    return wrap(np.invert(input._array))


def invert(input: Tensor) -> Tensor:
    """`~input`."""
    if input._array.dtype.kind in FLOATING:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return wrap(np.invert(input._array))


def isnan(input: Tensor) -> Tensor:
    """Return whether each element is NaN: a bool tensor."""
    return wrap(np.isnan(input._array))


def isinf(input: Tensor) -> Tensor:
    """Return whether each element is +inf or -inf: a bool tensor."""
    return wrap(np.isinf(input._array))


def isfinite(input: Tensor) -> Tensor:
    """Return whether each element is neither NaN nor infinite: a bool tensor."""
    return wrap(np.isfinite(input._array))


def isposinf(input: Tensor) -> Tensor:
    """Return whether each element is +inf: a bool tensor."""
    return wrap(input._array == np.inf)


def isneginf(input: Tensor) -> Tensor:
    """Return whether each element is -inf: a bool tensor."""
    return wrap(input._array == -np.inf)


def equal(input: Tensor, other: Tensor) -> bool:
    """Return whether both tensors have the same shape and the same elements."""
    only_tensors("equal", input, other)
    return input._array.shape == other._array.shape and bool(np.all(input._array == other._array))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Return whether |input - other| <= atol + rtol |other|, elementwise; with `equal_nan`, NaN is close to NaN."""
    only_tensors("isclose", input, other)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{scalar_name(input._array.dtype)} did not match {scalar_name(other._array.dtype)}")
    return _broadcast(lambda a, b: np.isclose(a, b, rtol, atol, equal_nan), input, other)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Return whether `isclose` holds for every element."""
    only_tensors("allclose", input, other)
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


@numpy_names
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Test whether all elements (along `dim`, an int or a tuple) are nonzero; bool, or uint8 for a uint8 input."""
    return _truth(input, input._array.all(axis=_axes(dim, input.ndim), keepdims=keepdim))


@numpy_names
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Test whether any element (along `dim`, an int or a tuple) is nonzero; bool, or uint8 for a uint8 input."""
    return _truth(input, input._array.any(axis=_axes(dim, input.ndim), keepdims=keepdim))


def _axes(dim: Any, ndim: int) -> tuple[int, ...]:
    """The given dimensions; unlike in a sum, an empty tuple means none, not all."""
    return () if isinstance(dim, (tuple, list)) and not dim else axes_of(dim, ndim)


def _truth(input: Tensor, found: Any) -> Tensor:
    return wrap(np.asarray(found, dtype=np.uint8 if input._array.dtype == np.uint8 else np.bool_))


@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """Count the elements that are not 0, over the given dimensions or over all; int64."""
    return wrap(np.asarray(np.count_nonzero(input._array, axis=axes_of(dim, input.ndim)), dtype=np.int64))


def isin(elements: Any, test_elements: Any, *, invert: bool = False) -> Tensor:
    """Return whether each element of `elements` is in `test_elements`: a bool tensor of the shape of `elements`."""
    a, b = same_type(tensor_of(elements), tensor_of(test_elements))
    return wrap(np.isin(a._array, b._array, invert=invert))
