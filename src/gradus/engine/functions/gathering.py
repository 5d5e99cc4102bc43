"""Selecting elements by indices or a mask: indexing, gather and similar functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gradus.engine import printing
from gradus.engine.autograd.in_place import apply_
from gradus.engine.autograd.record import Variable, apply_one, apply_two, unrecorded, viewed, wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import type_name
from gradus.engine.functions.indexing import basic_view, parse
from gradus.engine.functions.joining import broadcast_shapes
from gradus.engine.functions.operands import as_operand, is_tensor
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axis_of, sizes_of
from gradus.engine.ops import copying, indexing
from gradus.engine.ops.number_types import SPECIAL

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "argwhere", "gather", "index_select", "masked_select", "nonzero", "nonzero_static", "take", "take_along_dim",
    "unravel_index",
]  # fmt: skip


_LARGE = 60_000.0  # every float type holds this


def getitem(input: Tensor, index: Any) -> Tensor:
    """Implement `input[index]`: a view for ints, slices, None and ..., a copy for tensors and lists."""
    if isinstance(index, Variable):
        rows = index._array
        if rows.dtype.kind == "i" and rows.ndim and input._array.ndim:
            try:
                return apply_one(indexing.Index, input, (rows,))
            except IndexError:
                pass  # parse raises the error
    elif (view := basic_view(input._array, index)) is not None:
        return viewed(input, view, indexing.Slice, index)
    basic, advanced = parse(input, index)
    out = input if basic is None else apply_one(indexing.Slice, input, basic)
    return out if advanced is None else apply_one(indexing.Index, out, advanced)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """Implement `input[index] = value`; value is a number or a tensor that broadcasts to the elements selected."""
    if index is False or (unrecorded(input) and _written(input, index, value)):
        return
    if not isinstance(value, (int, float, complex, np.generic)) and not is_tensor(value):
        name = printing.type_name(input._array)
        raise TypeError(f"can't assign a {type_name(value)} to a {name}; make a tensor of it with torch.tensor(...)")
    basic, advanced = parse(input, index)
    value = as_operand(value)
    part = input if basic is None else apply_one(indexing.Slice, input, basic)
    if advanced is None:
        value = _fitted(value, part._array.shape)
        _refuse_unfit(value, part._array.shape)
        apply_(part, copying.CopyFrom, value)
        return
    if is_tensor(value) and value._array.dtype != part._array.dtype and value.ndim:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {scalar_name(part._array.dtype)} for the "
            f"destination and {scalar_name(value._array.dtype)} for the source."
        )
    try:
        apply_(part, indexing.IndexPut, value, index=advanced, accumulate=False)
    except ValueError:
        picked = part._array[advanced].shape
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of "
            f"shape {list(picked)}"
        ) from None


def _written(input: Tensor, index: Any, value: Any) -> bool:
    """Write with NumPy if that does what PyTorch does, and return whether it did: else setitem converts or raises the
    error.
    """
    into, key, number = input._array, cast("Any", ...), cast("Any", value)
    if isinstance(index, Variable):
        place, key = into, index._array
        if key.dtype.kind != "i" or not key.ndim or not into.ndim:
            return False
    else:
        view = basic_view(into, index)
        if view is None:
            return False
        place = view
    dtype = into.dtype
    if dtype.char in SPECIAL or 0 in place.strides:
        return False
    if isinstance(value, Variable):
        number = value._array
        if number.dtype is not dtype or not unrecorded(value):
            return False
        counter = value._counter
        if key is not ... and number.ndim > key.ndim + into.ndim - 1:
            return False
        if counter is not None and counter is input._counter and not (key is ... and _the_same(into, place, number)):
            return False
    elif type(value) in (float, int) and dtype.kind == "f":
        if not -_LARGE < value < _LARGE:
            return False
    elif type(value) is not int or dtype.kind not in "iu":
        return False
    try:
        place[key] = number
    except (ValueError, IndexError, OverflowError):
        return False
    input._version_counter[0] += 1
    return True


def _the_same(whole: Array, place: Array, value: Array) -> bool:
    """Whether a value is the same part of memory that it is written into, as after `x[5] += y`."""
    if place.shape != value.shape or place.strides != value.strides:
        return False
    if place.ndim < whole.ndim and place.base is value.base and place.flags.c_contiguous:
        return True  # rows or numbers: if they overlap otherwise, NumPy still writes what was there before
    starts: bool = place.__array_interface__["data"] == value.__array_interface__["data"]
    return starts


def _fitted(value: Any, shape: tuple[int, ...]) -> Any:
    """A value without leading axes of size 1 that its destination does not have."""
    extra = value.ndim - len(shape) if is_tensor(value) else 0
    if extra > 0 and value._array.shape[:extra] == (1,) * extra:
        return value.reshape(value._array.shape[extra:])
    return value


def _refuse_unfit(value: Any, shape: tuple[int, ...]) -> None:
    if not is_tensor(value):
        return
    have = value._array.shape
    for i in range(1, len(have) + 1):
        if i > len(shape):
            raise RuntimeError(
                f"The expanded size of the tensor ({list(shape)}) must match the existing size ({list(have)}): the "
                "value has more dimensions than the place it is put in"
            )
        if have[-i] not in (1, shape[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size ({have[-i]}) at "
                f"non-singleton dimension {len(shape) - i}.  Target sizes: {list(shape)}.  Tensor sizes: {list(have)}"
            )


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Select the slices at the given indices of a dimension: a copy."""
    check_index(index, "index_select")
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    axis = axis_of(dim, input.ndim)
    places, n = index._array, input._array.shape[axis] if input.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= n):
        wrong = places.min() if places.min() < 0 else places.max()
        if axis == 0 and input.ndim and input._array.flags.c_contiguous:
            raise IndexError(f"index out of range in self: {wrong} of {n}")
        raise RuntimeError(f"INDICES element is out of DATA bounds, id={wrong} axis_dim={n}")
    rows = index if index.ndim else index.reshape(1)
    if not input.ndim:
        if rows.numel() != 1:
            raise RuntimeError(
                "index_select(): Index to scalar can have only 1 value, got " + f"{rows.numel()} value(s)"
            )
        return input.clone()
    return apply_two(indexing.IndexSelect, input, rows, axis)


def check_index(index: Tensor, name: str) -> None:
    """Raise an error unless an index is empty or has an integer dtype."""
    if index._array.dtype not in (np.int64, np.int32) and index._array.size:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, but got {index.dtype}")


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where the mask is true, as a vector; input and mask broadcast."""
    if mask._array.dtype != bool:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast_shapes(input._array.shape, mask._array.shape)
    return input.expand(*shape)[mask.expand(*shape)].reshape(-1)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Return the elements at the given indices into the flattened input, in the shape of the index."""
    places = flat_places(input, index, "take")
    return apply_two(indexing.Gather, input.reshape(-1), places.reshape(-1), 0).reshape(index._array.shape)


def flat_places(input: Tensor, index: Tensor, name: str) -> Tensor:
    """Indices into the flattened tensor, without negative ones."""
    if index._array.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {scalar_name(index._array.dtype)}")
    places, n = index._array, input.numel()
    if places.size and not n:
        raise IndexError(f"{name}(): tried to take from an empty tensor")
    if places.size and (places.min() < -n or places.max() >= n):
        raise IndexError(f"out of range: tried to access index {places.max()} on a tensor of {n} elements.")
    return wrap(np.where(places < 0, places + n, places))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the indices of the nonzero elements: (n, ndim) int64, or with `as_tuple` one vector per dimension."""
    places = np.nonzero(np.atleast_1d(input._array))
    if as_tuple:
        return tuple(wrap(p) for p in places)
    return wrap(np.stack(places, axis=-1)[:, : input.ndim])


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """Return the first `size` rows of `nonzero`, padded with `fill_value`."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    places = nonzero(input)._array[:size]
    out = np.full((size, input.ndim), fill_value, np.int64)
    out[: len(places)] = places
    return wrap(out)


def argwhere(input: Tensor) -> Tensor:
    """Return the indices of the nonzero elements: (n, ndim) int64."""
    places: Tensor = nonzero(input)
    return places


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Convert indices into a flattened tensor of the given shape to one index tensor per dimension."""
    if indices._array.dtype.kind not in "iu":
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = sizes_of((shape,))
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    left, places = indices._array, []
    for n in reversed(sizes):
        places.append(left % n)
        left = left // n
    return tuple(wrap(place) for place in reversed(places))


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Gather elements along a dimension: for dim 1, out[i][j] = input[i][index[i][j]]."""
    if sparse_grad:
        raise NotImplementedError("gather(sparse_grad=True): sparse gradients are not supported")
    axis = axis_of(dim, input.ndim)
    check_along(input, axis, index, "gather")
    check_positions(input, axis, index)
    if not index._array.size:
        index = wrap(index._array.astype(np.int64))
    if input.ndim and index.ndim == input.ndim:
        return apply_two(indexing.Gather, input, index, axis)
    return apply_two(indexing.Gather, input.reshape(-1), index.reshape(-1), 0).reshape(index._array.shape)


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Gather elements along a dimension as `gather` does, broadcasting the others; negative indices count from the
    end.
    """
    if indices._array.dtype != np.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {scalar_name(indices._array.dtype)}"
        )
    if dim is None:
        return take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    axis = axis_of(dim, input.ndim)
    wide, places = list(input._array.shape), list(indices._array.shape)
    wide[axis], places[axis] = 1, 1
    shape = list(broadcast_shapes(tuple(wide), tuple(places)))
    wide, places = shape.copy(), shape.copy()
    wide[axis], places[axis] = input._array.shape[axis], indices._array.shape[axis]
    n, where = wide[axis], indices._array
    return gather(input.expand(*wide), axis, wrap(np.where(where < 0, where + n, where)).expand(*places))


def check_along(input: Tensor, axis: int, index: Tensor, name: str) -> None:
    """Raise an error unless an index has the dtype and shape that gather and scatter need along a dimension."""
    check_index(index, name)
    if index._array.size and max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {'input' if name == 'gather' else 'self'} tensor"
        )
    if not input.ndim or input.ndim != index.ndim:
        return
    for i, n in enumerate(index._array.shape):
        if i != axis and n > input._array.shape[i]:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
            )


def check_positions(input: Tensor, axis: int, index: Tensor) -> None:
    """Raise a RuntimeError unless all indices are within the size of a dimension."""
    values, size = index._array, input._array.shape[axis] if input.ndim else 1
    if values.size and (values.min() < 0 or values.max() >= size):
        wrong = values.min() if values.min() < 0 else values.max()
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {axis} with size {size}")
