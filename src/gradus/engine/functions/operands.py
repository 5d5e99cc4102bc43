"""What the functions of all rooms share: reading operands, in the type they meet in, and dimensions counted from
either end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.in_place import apply_
from gradus.engine.autograd.node import Function
from gradus.engine.autograd.record import Variable, apply, apply_one, apply_two, unrecorded, wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.layouts import check_format, check_layout
from gradus.engine.dtypes.promotion import RANK, of_number, promote, result_type
from gradus.engine.kernels import FLOAT32
from gradus.engine.ops.arithmetic import Div, Mul
from gradus.engine.ops.copying import ToCopy

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

Number = int | float | bool
Dims = int | Sequence[int] | None


def is_tensor(obj: Any) -> TypeGuard[Tensor]:
    """Return whether obj is a tensor."""
    return isinstance(obj, Variable)


def tensor_of(x: Any) -> Tensor:
    """A tensor as it is, or one made of a number or an array."""
    if is_tensor(x):
        return x
    return wrap(x if isinstance(x, np.ndarray) else np.asarray(x, dtype=of_number(x)))


def array_of(x: Any) -> Any:
    """An operand as NumPy takes it: a tensor's array, or a Python number."""
    return x._array if isinstance(x, Variable) else x.item() if isinstance(x, np.generic) else x


# Python's own numbers: not np.float64, which is a float, too, but to NumPy has a type to keep.
NUMBERS = frozenset((float, int, bool, complex))


def as_operand(x: Any) -> Any:
    """A tensor or a Python number, from whatever stands for one."""
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
    """A Python number, from a number, one of NumPy's, or a 0-d tensor that wants no gradient.

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


def type_name(x: Any) -> str:
    """How PyTorch's messages call what x is: Tensor, int, numpy.ndarray."""
    kind = type(x)
    return "Tensor" if is_tensor(x) else f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def only_tensors(function: str, *arguments: Any, first: int = 1, names: Sequence[str] = ("input", "other")) -> None:
    """Refuse what is no tensor among the arguments, which are named, the first of them at position `first`."""
    for i, (x, name) in enumerate(zip(arguments, names, strict=False)):
        if not isinstance(x, Variable):
            raise TypeError(
                f"{function}(): argument '{name}' (position {first + i}) must be Tensor, not {type_name(x)}"
            )


# ---- types


# Numbers that were met, as arrays, which NumPy takes in half the time of a number: 0.2 instead of 0.4 µs.
_numbers: dict[float, Array] = {}


def _number_of(x: float) -> Any:
    """x for `_numbers`: not 0, which equals -0, nor NaN, which equals nothing; and only so many."""
    array = np.array(x, np.float32)
    if len(_numbers) > 100:
        _numbers.clear()
    if x and x == x:
        _numbers[x] = array
    return array


def binary(op: type[Function], a: Any, b: Any, option: Any = None) -> Tensor:
    """Apply an operation to two operands, of which one may be a number, in the type that promotion decides."""
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
                pass  # the shapes do not fit, or the number: what follows says so
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


def refuse_bool_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Raise a NotImplementedError for the dtype bool."""
    if dtype.kind == "b":
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")


def check_cast(dtype: np.dtype[Any], into: np.dtype[Any]) -> None:
    """Raise a RuntimeError unless a result of one dtype may be written into another."""
    if RANK[dtype.kind] > RANK[into.kind]:
        raise RuntimeError(
            f"result type {scalar_name(dtype)} can't be cast to the desired output type {scalar_name(into)}"
        )


def same_type(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands in the type they meet in. A Python number stays one where NumPy treats it rightly."""
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
    """Whether the first is a 0-d tensor of floats that meets 16-bit floats with dimensions."""
    array = number._array
    return x._array.dtype.char in "eE" and x._array.ndim > 0 and not array.ndim and array.dtype.kind in dtypes.REAL


def wrapped(x: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number that meets integers; one too large for their type wraps around in it, as in C."""
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
    """Tensors in the one type that they meet in, whatever their dimensions."""
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
    """What is computed by several operations: of float16 and bfloat16 in float32, and rounded only at the end."""
    dtype = tensors[0]._array.dtype
    if dtype.char not in "eE" or any(x._array.dtype is not dtype for x in tensors):
        return compute(*tensors)
    out: Tensor = cast(compute(*[cast(x, FLOAT32) for x in tensors]), dtype)
    return out


def floating(x: Any) -> Any:
    """x, as floats if it holds integers: what exp, sqrt or a mean of squares compute with."""
    if x._array.dtype.kind in dtypes.FLOATING:
        return x
    return apply_one(ToCopy, x, dtypes.get_default_dtype().numpy)


def floating_only(x: Tensor, name: str) -> Tensor:
    """Return x; raise a NotImplementedError unless its dtype is floating point or complex."""
    if x._array.dtype.kind not in dtypes.REAL:
        hint = "" if x._array.dtype.kind == "c" else ": use .float() first"
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(x._array.dtype)}'{hint}")
    return x


def refuse_complex(x: Array, message: str, error: type[RuntimeError] = RuntimeError) -> None:
    """Raise where the order of numbers is asked for."""
    if x.dtype.kind == "c":
        raise error(message)


def refuse_bool(x: Tensor, name: str) -> Tensor:
    """Return x; raise a NotImplementedError if it is bool."""
    if x._array.dtype == bool:
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")
    return x


_SCALARS = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "bool": "Bool",
}


def scalar_name(dtype: np.dtype[Any]) -> str:
    """The name by which PyTorch's messages call a number type."""
    return _SCALARS.get(dtype.name, dtype.name)


def explain_broadcast(a: Any, b: Any) -> None:
    """Raise as PyTorch does when two shapes do not broadcast."""
    if not (isinstance(a, Variable) and isinstance(b, Variable)):
        return
    x, y = a._array.shape, b._array.shape
    for i in range(1, min(len(x), len(y)) + 1):
        if x[-i] != y[-i] and 1 not in (x[-i], y[-i]):
            raise RuntimeError(
                f"The size of tensor a ({x[-i]}) must match the size of tensor b ({y[-i]}) at non-singleton dimension "
                f"{max(len(x), len(y)) - i}"
            ) from None


# ---- dimensions and sizes


def index_of(n: Any) -> int:
    """A whole number, given as one or as a tensor that holds one."""
    try:
        return operator.index(n)
    except TypeError:
        raise TypeError(f"expected an int, but got {n!r} of type {type(n).__name__}") from None


def one_dim(dim: Any, name: str) -> int:
    """The one dimension of a function that takes no more."""
    if isinstance(dim, (tuple, list)):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: argument 'dim' must be int, not {dim!r}"
        )
    return index_of(dim)


def axis_of(dim: int, ndim: int) -> int:
    """A dimension counted from the front, given one that may be counted from the back."""
    n = max(ndim, 1)
    if type(dim) is not int:
        dim = index_of(dim)
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions a reduction takes: those given, or all."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, int):
        if 0 <= dim < ndim:
            return (dim,)
        axis = axis_of(dim, ndim)
        return (axis,) if ndim else ()
    if not isinstance(dim, (tuple, list)):
        return axes_of(index_of(dim), ndim)
    dims = list(dim)
    if not dims:
        return tuple(range(ndim))
    axes = tuple(axis_of(d, ndim) for d in dims)
    if len(set(axes)) < len(axes):
        twice = next(axis for axis in axes if axes.count(axis) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return axes if ndim else ()


def renamed(dim: Any, keepdim: bool, old: dict[str, Any]) -> tuple[Any, bool]:
    """`axis` and `keepdims`, NumPy's spellings, mean the same."""
    unknown = set(old) - {"axis", "keepdims"}
    if "axis" in old and dim is not None:
        unknown.add("axis")
    if unknown:
        raise TypeError(f"got an unexpected keyword argument '{unknown.pop()}'")
    return old.get("axis", dim), old.get("keepdims", keepdim)


def spread_out(given: tuple[Any, ...], named: dict[str, Any], name: str) -> tuple[Any, ...]:
    """Sizes or dimensions, given one by one, as one sequence, or by the name that PyTorch has for them."""
    if named.keys() - {name}:
        raise TypeError(f"got an unexpected keyword argument '{min(named.keys() - {name})}'")
    if given and named:
        raise TypeError(f"got multiple values for argument '{name}'")
    if not given and not named:
        raise TypeError(f"missing 1 required positional argument: '{name}'")
    return (named[name],) if named else given


def sizes_of(shape: Sequence[Any]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = shape[0]
    for n in shape:
        if type(n) is not int:
            return tuple(map(_size, shape))
    return tuple(shape)


def _size(n: Any) -> int:
    if isinstance(n, (bool, np.ndarray)) or (isinstance(n, Variable) and n._array.ndim):
        raise TypeError(f"sizes must be ints, but got {type(n).__name__}")
    return index_of(n)


def as_array(data: Any) -> Any:
    """What `torch.tensor` reads: numbers, nested lists of numbers and tensors, arrays."""
    if isinstance(data, Variable):
        return data._array
    if isinstance(data, (list, tuple, range)) and any(isinstance(x, (Variable, list, tuple)) for x in data):
        return [as_array(x) for x in data]
    return data


_WITHOUT_EFFECT = {"pin_memory", "non_blocking"}  # there is one kind of memory here


def refuse_unknown(function: str, others: dict[str, Any]) -> None:
    """Of the keywords a maker of tensors does not use, check the device, pass those without effect, refuse the rest."""
    for name, value in others.items():
        if name == "device":
            dtypes.check_device(value)
        elif name == "layout":
            check_layout(value)
        elif name == "memory_format":
            check_format(value)
        elif name not in _WITHOUT_EFFECT and not (name == "out" and value is None):
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
