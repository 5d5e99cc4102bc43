"""Creating tensors: from data, or filled with one number."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import Variable, wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.layouts import in_format
from gradus.engine.dtypes.layouts import zeros_like as zeros_like_array
from gradus.engine.dtypes.promotion import of_number, promote
from gradus.engine.functions.checks import refuse_unknown, type_name
from gradus.engine.functions.operands import array_of, fitting, is_tensor
from gradus.engine.functions.sizes import index_of, sizes_of, spread_out

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "frombuffer", "full", "full_like", "ones",
    "ones_like", "scalar_tensor", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def leaf(array: Array, requires_grad: bool) -> Tensor:
    """A leaf on an array."""
    out = wrap(array)
    return out.requires_grad_() if requires_grad else out


def float_dtype(d: DType | None) -> np.dtype[Any]:
    """NumPy's dtype for d, or for the default dtype."""
    return dtypes.to_numpy(d) if d is not None else dtypes.get_default_dtype().numpy


def validate_size(size: tuple[Any, ...], named: dict[str, Any] | None = None) -> tuple[int, ...]:
    """The sizes of a new tensor, given one by one, as one sequence, or as `size=`."""
    sizes = {"size": named["size"]} if named and "size" in named else {}
    if named:
        refuse_unknown("factory", {name: value for name, value in named.items() if name != "size"})
    shape = sizes_of(spread_out(size, sizes, "size"))
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
    return shape


def tensor(
    data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """Return a tensor with a copy of data (a number, nested sequences, an array), a leaf of the graph.

    The dtype is inferred where None: the default dtype for Python floats, int64 for ints, an array's own.

    Raises:
        ValueError: if nested sequences differ in length, or a number does not fit int64.
        TypeError: if data is not numeric.
    """
    dtypes.check_device(device)
    return leaf(array_from(data, None if dtype is None else dtypes.to_numpy(dtype)), requires_grad)


def array_from(data: Any, dtype: np.dtype[Any] | None) -> Array:
    """A new array of data, in the given type or in the one that PyTorch infers."""
    source = _as_array(data)
    try:
        array = np.array(source)
    except ValueError:
        raise ValueError(_ragged(source)) from None
    if array.dtype.kind not in "fiubcV":
        _refuse(data, array)
    if dtype is None and isinstance(data, (list, tuple)):
        dtype = functools.reduce(promote, _dtypes_in(data) or {of_number(1.0)})
    elif dtype is None and array.dtype.kind in "fc" and not isinstance(data, (Variable, np.ndarray, np.generic)):
        dtype = of_number(1j if array.dtype.kind == "c" else 1.0)
    if dtype is not None:
        if array.dtype.kind == "c" != dtype.kind and not isinstance(data, (Variable, np.ndarray)):
            raise TypeError("must be real number, not complex")
        array = array.astype(dtype)
    dtypes.of_numpy(array.dtype)
    return array


def _as_array(data: Any) -> Any:
    """What `torch.tensor` reads: numbers, nested lists of numbers and tensors, arrays."""
    if isinstance(data, Variable):
        return data._array
    if isinstance(data, (list, tuple, range)) and any(isinstance(x, (Variable, list, tuple)) for x in data):
        return [_as_array(x) for x in data]
    return data


def _refuse(data: Any, array: Array) -> None:
    if array.dtype.kind in "US":
        found = data if isinstance(data, str) else np.ravel(array)[0]
        if isinstance(data, str):
            raise TypeError("new(): invalid data type 'str'")
        raise ValueError(f"too many dimensions 'str': {str(found)!r} is not a number")
    if array.dtype == object and any(x is None for x in np.ravel(array)):
        raise RuntimeError("Could not infer dtype of NoneType")
    if array.dtype == object:
        largest = [x for x in np.ravel(array) if isinstance(x, int)]
        if largest:
            raise ValueError("Overflow when unpacking long long")
        raise TypeError(f"Could not infer dtype of {type(np.ravel(array)[0]).__name__}")
    if isinstance(data, np.ndarray):
        dtypes.of_numpy(array.dtype)
    raise TypeError(f"Could not infer dtype of {type(data).__name__}: {array.dtype} is not supported")


def _ragged(source: Any, dim: int = 0) -> str:
    """The error for nested lists of unequal lengths."""
    lengths = [len(x) if isinstance(x, (list, tuple, np.ndarray)) else None for x in source]
    for length in lengths:
        if length != lengths[0] and lengths[0] is not None and length is not None:
            return f"expected sequence of length {lengths[0]} at dim {dim + 1} (got {length})"
    for part in source:
        if isinstance(part, (list, tuple)) and lengths[0] is not None:
            return _ragged(part, dim + 1)
    return "expected nested sequences of equal length"


def _dtypes_in(data: Any) -> set[np.dtype[Any]]:
    """The dtypes of the numbers and 0-d tensors in nested lists."""
    if isinstance(data, Variable) and data._array.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    if isinstance(data, Variable):
        return {data._array.dtype}
    if not isinstance(data, (list, tuple)):
        return {data.dtype if isinstance(data, (np.ndarray, np.generic)) else of_number(data)}
    types = set(map(type, data))
    if types <= {bool, int, float, complex}:  # most lists: a set of types, without a loop over the numbers
        return {of_number(number(0)) for number in types}
    return set().union(*map(_dtypes_in, data))


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Return a tensor that shares data's memory if its dtype allows it, and else a copy."""
    dtypes.check_device(device)
    if is_tensor(data):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.to_numpy(dtype) == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """Return a tensor as `as_tensor` does; `copy=True` always copies, `copy=False` raises if it would have to."""
    out = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False and not (is_tensor(obj) or isinstance(obj, np.ndarray)):
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    if copy is False and out._array.dtype != array_of(obj).dtype:
        raise ValueError(f"can't alias tensor with dtype '{array_of(obj).dtype}' into dtype '{out.dtype}'.")
    return out.detach().requires_grad_() if requires_grad else out


def scalar_tensor(s: Any, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any) -> Tensor:
    """Return a 0-d tensor of the number s; the dtype defaults to the default dtype."""
    refuse_unknown("scalar_tensor", others)
    return _filled((), _fill("scalar_tensor", s), float_dtype(dtype), requires_grad)


def frombuffer(buffer: Any, *, dtype: DType, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A tensor on the memory of a bytes-like object, read as numbers of a type.

    Raises:
        ValueError: if the buffer is too small.
    """
    data = np.frombuffer(buffer, np.uint8)
    numpy_dtype, rest = dtypes.to_numpy(dtype), data.size - offset
    size = rest // numpy_dtype.itemsize if count < 0 else count
    if (
        not 0 <= offset < max(data.size, 1)
        or rest < size * numpy_dtype.itemsize
        or not size
        or (count < 0 and rest % numpy_dtype.itemsize)
    ):
        raise ValueError(
            f"a buffer of {data.size} bytes does not hold {'whole numbers' if count < 0 else count} of {dtype} from "
            f"byte {offset} on"
        )
    return leaf(data[offset : offset + size * numpy_dtype.itemsize].view(numpy_dtype), requires_grad)


def from_numpy(ndarray: Array) -> Tensor:
    """Return a tensor that shares the memory of a NumPy array.

    Raises:
        TypeError: if ndarray is not an array, or of a dtype that tensors do not have.
        ValueError: if it has a negative stride.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if ndarray.dtype.kind == "V":  # bfloat16, too, has no NumPy type as far as PyTorch goes
        raise TypeError(dtypes.not_numpy(ndarray.dtype))
    dtypes.of_numpy(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().)"
        )
    return wrap(ndarray.view(np.ndarray))


# ---- of one number


def zeros(
    *size: Any, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Tensor:
    """Return a tensor of zeros of the given shape: `zeros(2, 3)` or `zeros((2, 3))`."""
    dtypes.check_device(device)
    return leaf(np.zeros(validate_size(size, named), float_dtype(dtype)), requires_grad)


def ones(
    *size: Any, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Tensor:
    """Return a tensor of ones of the given shape: `ones(2, 3)` or `ones((2, 3))`."""
    dtypes.check_device(device)
    return leaf(np.ones(validate_size(size, named), float_dtype(dtype)), requires_grad)


def empty(
    *size: Any, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Tensor:
    """Return a tensor of the given shape whose values are unspecified in PyTorch; here they are zeros."""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad, **named)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return a tensor of shape `size` filled with `fill_value`; the dtype defaults to that of the value."""
    refuse_unknown("full", others)
    dtypes.check_device(device)
    value = _fill("full", fill_value)
    numpy_dtype = dtypes.to_numpy(dtype) if dtype is not None else of_number(value)
    return _filled(size, value, numpy_dtype, requires_grad)


def _fill(name: str, value: Any) -> Any:
    """The number to fill with, given as one or as a 0-d tensor."""
    if is_tensor(value) and not value.ndim and not value.requires_grad:
        return value.item()
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, (int, float, complex)):
        raise TypeError(f"{name}(): argument 'fill_value' must be Number, not {type(value).__name__}")
    return value


def _filled(size: Any, value: Any, dtype: np.dtype[Any], requires_grad: bool) -> Tensor:
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    return leaf(np.full(sizes_of((size,)), fitting(value, dtype), dtype=dtype), requires_grad)


def _dtype_like(input: Tensor, d: DType | None) -> np.dtype[Any]:
    return input._array.dtype if d is None else dtypes.to_numpy(d)


def _like(input: Tensor, dtype: np.dtype[Any], requires_grad: bool, others: dict[str, Any], value: Any = 0) -> Tensor:
    """An array of input's shape, laid out in memory like input, or by `memory_format`."""
    array = zeros_like_array(input._array, dtype)
    if value != 0:
        array[...] = value
    out = in_format(wrap(array), others.get("memory_format"))
    return leaf(out._array, requires_grad)


def zeros_like(input: Tensor, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any) -> Tensor:
    """Return zeros with the shape, dtype and memory order of input."""
    refuse_unknown("zeros_like", others)
    return _like(input, _dtype_like(input, dtype), requires_grad, others)


def ones_like(input: Tensor, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any) -> Tensor:
    """Return ones with the shape, dtype and memory order of input."""
    refuse_unknown("ones_like", others)
    return _like(input, _dtype_like(input, dtype), requires_grad, others, 1)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any
) -> Tensor:
    """Return a tensor filled with `fill_value`, with the shape, dtype and memory order of input."""
    refuse_unknown("full_like", others)
    numpy_dtype = _dtype_like(input, dtype)
    return _like(input, numpy_dtype, requires_grad, others, fitting(_fill("full_like", fill_value), numpy_dtype))


empty_like = zeros_like


def new_zeros(
    input: Tensor, *size: Any, dtype: DType | None = None, requires_grad: bool = False, **others: Any
) -> Tensor:
    """Return zeros of the given shape, in input's dtype unless another is given."""
    return leaf(np.zeros(validate_size(size, others), _dtype_like(input, dtype)), requires_grad)


def new_ones(
    input: Tensor, *size: Any, dtype: DType | None = None, requires_grad: bool = False, **others: Any
) -> Tensor:
    """Return ones of the given shape, in input's dtype unless another is given."""
    return leaf(np.ones(validate_size(size, others), _dtype_like(input, dtype)), requires_grad)


def new_full(
    input: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: DType | None = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return a tensor of shape `size` filled with `fill_value`, in input's dtype unless another is given."""
    refuse_unknown("new_full", others)
    return _filled(size, _fill("new_full", fill_value), _dtype_like(input, dtype), requires_grad)


def new_tensor(
    input: Tensor, data: Any, *, dtype: DType | None = None, requires_grad: bool = False, **others: Any
) -> Tensor:
    """Return a copy of data in input's dtype unless another is given."""
    refuse_unknown("new_tensor", others)
    return leaf(array_from(data, _dtype_like(input, dtype)), requires_grad)


def new(dtype: np.dtype[Any], *data: Any, device: Any = None, size: Any = None) -> Tensor:
    """The legacy constructors: `FloatTensor(2, 3)` from sizes, `FloatTensor([1, 2])` from data, or empty.

    Raises:
        TypeError: if data is neither sizes nor a sequence, or a tensor of another type.
    """
    if device is not None and dtypes.device(device).type != "cpu":
        raise RuntimeError(
            f"legacy constructor expects device type: cpu but device type: {dtypes.device(device).type} was passed"
        )
    if size is not None:
        data = (*data, dtypes.Size(size))
    if not data:
        return wrap(np.zeros(0, dtype))
    first = data[0]
    if len(data) > 1 or isinstance(first, (dtypes.Size, int, np.integer)):
        if isinstance(first, (bool, list, tuple)) and not isinstance(first, dtypes.Size):
            raise TypeError(f"new(): data must be a sequence (got {', '.join(type(x).__name__ for x in data)})")
        return wrap(np.zeros(validate_size(data), dtype))
    if is_tensor(first):
        if first._array.dtype != dtype:
            raise TypeError(f"new(): expected a tensor of {dtypes.of_numpy(dtype)} (got one of {first.dtype})")
        return first.view(first._array.shape)
    if not isinstance(first, (str, list, tuple, range, np.ndarray)):
        raise TypeError(f"new(): data must be a sequence (got {type_name(first)})")
    return wrap(array_from(first, dtype))


def new_like(input: Tensor, *data: Any, device: Any = None, size: Any = None) -> Tensor:
    """A tensor of input's dtype, by the legacy constructor."""
    return new(input._array.dtype, *data, device=device, size=size)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """Return the (n, m) matrix with ones on the diagonal and zeros elsewhere; m defaults to n."""
    refuse_unknown("eye", others)
    dtypes.check_device(device)
    rows = index_of(n)
    columns = rows if m is None else index_of(m)
    for name, size in (("n", rows), ("m", columns)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return leaf(np.eye(rows, columns, dtype=float_dtype(dtype)), requires_grad)
