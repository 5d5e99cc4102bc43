"""Reading an index expression, `x[...]`, as PyTorch does: the part that is a view, and the part with indices or
masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import Variable
from gradus.engine.dtypes import Array

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

_ndarray = np.ndarray


def basic_view(x: Array, index: Any) -> Array | None:
    """x[index], a view, if the index is ints and slices without a step, which mean the same in NumPy. None for any
    other index, or an invalid one, for which `parse` raises the error.
    """
    kind = type(index)
    if kind is tuple:
        for part in index:
            if type(part) is not int and (type(part) is not slice or part.step is not None):
                return None
    elif kind is int:
        index = (index,)
    elif kind is not slice or index.step is not None:
        return None
    try:
        view = x[index]
        return view if type(view) is _ndarray else x[(*index, ...)]  # a single number, too, as a view
    except (IndexError, TypeError):
        return None


def parse(x: Tensor, index: Any) -> tuple[Any, Any]:
    """An index as (basic, advanced): first take the basic part, a view; then, unless it is None, the advanced one.

    Raises:
        IndexError: too many indices, a position outside, or an index of a type that cannot be one.
        ValueError: a slice that goes backwards.
    """
    if isinstance(index, int) and not isinstance(index, bool):
        return (_position(index, x._array.shape, 0),), None
    parts = list(index) if isinstance(index, tuple) or _stands_for_tuple(index) else [index]
    parts = [_read(part) for part in parts]
    shape = x._array.shape
    used = sum(
        part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1 for part in parts if _consumes(part)
    )
    if used > len(shape):
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    dots = [i for i, part in enumerate(parts) if part is Ellipsis]
    if dots:
        parts[dots[0] : dots[0] + 1] = [slice(None)] * (len(shape) - used)
        if len(dots) > 1:
            parts = [slice(None) if part is Ellipsis else part for part in parts]
    basic: list[Any] = []
    advanced: list[Any] = []
    axis = 0
    for part in parts:
        if part is None:
            basic.append(None)
            advanced.append(slice(None))
        elif isinstance(part, int):
            basic.append(_position(part, shape, axis))
            axis += 1
        elif isinstance(part, slice):
            basic.append(part)
            advanced.append(slice(None))
            axis += 1
        else:
            mask = part.dtype == bool
            width = part.ndim if mask else 1
            if mask:
                _check_mask(part, shape, axis)
            else:
                _check_positions(part, shape, axis)
            basic += [slice(None)] * width if width else [None]
            advanced.append(part if width else np.atleast_1d(part))
            axis += width
    arrays = [i for i, part in enumerate(advanced) if isinstance(part, np.ndarray)]
    if not arrays:
        return tuple(basic), None
    trivial = all(isinstance(part, slice) and part == slice(None) for part in basic)
    while advanced and isinstance(advanced[-1], slice):
        advanced.pop()
    return None if trivial else tuple(basic), tuple(advanced)


def _stands_for_tuple(index: Any) -> bool:
    """PyTorch reads a short list that holds more than numbers as it reads a tuple."""
    return (
        isinstance(index, list)
        and len(index) < 32
        and any(part is None or part is Ellipsis or isinstance(part, (Variable, slice, list, tuple)) for part in index)
    )


def _consumes(part: Any) -> bool:
    return part is not None and part is not Ellipsis


def _read(part: Any) -> Any:
    if part is None or part is Ellipsis or (isinstance(part, int) and not isinstance(part, bool)):
        return part
    if isinstance(part, slice):
        if part.step is not None and int(part.step) <= 0:
            raise ValueError("step must be greater than zero")
        return slice(*[None if end is None else end.__index__() for end in (part.start, part.stop, part.step)])
    if isinstance(part, Variable):
        array = part._array
    elif isinstance(part, (list, tuple, range, np.ndarray, np.generic, bool)):
        array = np.asarray(
            [x._array if isinstance(x, Variable) else x for x in part] if isinstance(part, list) else part
        )
        if not array.size and not isinstance(part, np.ndarray):
            array = array.astype(np.int64)
    elif isinstance(part, str):
        raise TypeError("new(): invalid data type 'str'")
    else:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {type(part).__name__})"
        )
    if array.dtype.kind not in "iub":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if not array.ndim and array.dtype.kind in "iu":
        return int(array)
    return array.astype(bool) if array.dtype == np.uint8 else array


def _position(i: int, shape: tuple[int, ...], axis: int) -> int:
    if not shape:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
        )
    size = shape[axis]
    if not -size <= i < size:
        raise IndexError(f"index {i} is out of bounds for dimension {axis} with size {size}")
    return i


def _check_mask(mask: Any, shape: tuple[int, ...], axis: int) -> None:
    for i, size in enumerate(mask.shape):
        if size != shape[axis + i]:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {i} does not match the shape of the indexed tensor "
                f"{list(shape)} at index {axis + i}"
            )


def _check_positions(index: Any, shape: tuple[int, ...], axis: int) -> None:
    size = shape[axis]
    if index.size:
        low, high = int(index.min()), int(index.max())
        if low < -size or high >= size:
            wrong = high if high >= size else low
            raise IndexError(f"index {wrong} is out of bounds for dimension {axis} with size {size}")
