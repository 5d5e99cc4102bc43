"""The same elements in another shape. Views share memory where PyTorch's do; `repeat` and the like copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import apply, apply_one, wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.layouts import contiguous_format, in_format
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.operands import is_tensor
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import Dims, axes_of, axis_of, index_of, sizes_of, spread_out
from gradus.engine.ops import shapes

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "flatten", "ravel", "repeat_interleave", "reshape",
    "squeeze", "tile", "unflatten", "unsqueeze",
]  # fmt: skip


def view(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Return a view of this tensor with another shape (one size may be -1), or of its memory as another dtype.

    Raises:
        RuntimeError: if the shape does not fit, or cannot be had without a copy.
    """
    if named:
        shape = spread_out(shape, named, "dtype" if "dtype" in named else "size")
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        return _read_as(input, dtypes.to_numpy(shape[0]))
    out = _reshaped(input, shape)
    if out._base is None and input._array.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return out


def _read_as(input: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """The bits of a tensor as numbers of another type: more or fewer in the last dimension if their sizes differ."""
    array = input._array
    if dtype.itemsize != array.itemsize:
        if not array.ndim:
            raise RuntimeError("self.dim() cannot be 0 to view a tensor as a different dtype with different itemsize")
        if array.strides[-1] != array.itemsize:
            raise RuntimeError(
                "self.stride(-1) must be 1 to view a tensor as a different dtype with different itemsize"
            )
        if array.shape[-1] * array.itemsize % dtype.itemsize:
            raise RuntimeError(
                f"self.size(-1) must be divisible by {dtype.itemsize // array.itemsize} to view "
                f"{scalar_name(array.dtype)} as {scalar_name(dtype)} (different element sizes), but got "
                f"{array.shape[-1]}"
            )
    if dtype == array.dtype:
        return apply_one(shapes.Alias, input)
    result = wrap(array.view(dtype))
    result._counter = input._version_counter
    return result


def reshape(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Return this tensor in another shape: a view if possible, else a copy; one size may be -1."""
    return _reshaped(input, spread_out(shape, named, "shape") if named else shape)


def _reshaped(input: Tensor, shape: tuple[Any, ...]) -> Tensor:
    for n in shape:
        if type(n) is not int or n < -1:  # otherwise they are sizes already
            shape = _sizes(input, shape)
            break
    try:
        return apply_one(shapes.View, input, shape)
    except ValueError:
        _refuse_shape(shape, input._array)
        raise


def _sizes(input: Tensor, shape: tuple[Any, ...]) -> tuple[int, ...]:
    sizes = sizes_of(shape)
    if sizes and min(sizes) < -1:
        _refuse_shape(sizes, input._array)
    return sizes


def _refuse_shape(shape: tuple[int, ...], array: Array) -> None:
    """Raise, saying why an array cannot have this shape."""
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {next(n for n in shape if n < -1)}")
    if -1 in shape and 0 in shape and not array.size:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {array.size}")


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view of input in the shape of other."""
    return view(input, other.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return input in the shape of other: a view if possible, else a copy."""
    return reshape(input, other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the dimensions from start_dim to end_dim into one."""
    a, b = axis_of(start_dim, input.ndim), axis_of(end_dim, input.ndim)
    if not input.ndim:
        return reshape(input, 1)
    if a > b:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    shape = input._array.shape
    return input if a == b else reshape(input, *shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :])


@numpy_names
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split one dimension into several; one of the sizes may be -1."""
    axis = axis_of(dim, input.ndim)
    shape = input._array.shape
    known = math.prod(n for n in sizes if n != -1)
    if (known != shape[axis]) if -1 not in sizes else (not known or shape[axis] % known):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[axis]}) in "
            "the input tensor"
        )
    inner = [shape[axis] // known if n == -1 else n for n in sizes]
    return view(input, *shape[:axis], *inner, *shape[axis + 1 :])


def ravel(input: Tensor) -> Tensor:
    """Return the elements as a vector: a view if input is contiguous."""
    return view(contiguous(input), -1)


# ---- sizes of 1, and windows


def expand(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Expand dimensions of size 1 to larger sizes without copying; -1 leaves a size as it is."""
    wanted = sizes_of(spread_out(shape, named, "size") if named else shape)
    extra = len(wanted) - input.ndim
    if extra < 0:
        raise RuntimeError(
            f"expand(torch.{scalar_name(input._array.dtype)}Tensor{list(input.shape)}, size={list(wanted)}): the "
            f"number of sizes provided ({len(wanted)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({input.ndim})"
        )
    full = tuple(input._array.shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(wanted))
    if any(n < 0 for n in full):
        raise RuntimeError("The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension 0")
    for i, (have, want) in enumerate(zip(input._array.shape, full[extra:], strict=True)):
        if have not in (1, want):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) at non-singleton "
                f"dimension {i + extra}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(input.shape)}"
            )
    return apply_one(shapes.Expand, input, full)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expand to the shape of other without copying."""
    return expand(input, other.shape)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """Expand to a shape, given as one sequence, without copying."""
    return expand(input, *size)


def sum_to_size(input: Tensor, *size: Any, **named: Any) -> Tensor:
    """Sum over the dimensions that broadcasting this size to input's shape adds or expands."""
    shape = sizes_of(spread_out(size, named, "size"))
    have = input._array.shape
    extra = len(have) - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, have[extra:], strict=True)):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(have)}}}.")
    if not shape:
        return input.sum()
    over = [i for i, n in enumerate(have) if i < extra or (shape[i - extra] == 1 and n != 1)]
    return input.sum(over, keepdim=True).reshape(shape) if over else view(input, shape)


@numpy_names
def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Remove dimensions of size 1, all of them or those given; a view."""
    none = isinstance(dim, (tuple, list)) and not dim
    axes = None if dim is None else () if none else axes_of(dim, input.ndim)
    return apply(shapes.Squeeze, input, axis=axes, single=isinstance(dim, int))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1 at the given position; a view."""
    return apply_one(shapes.Unsqueeze, input, axis_of(dim, input.ndim + 1))


def atleast_1d(*tensors: Any) -> Any:
    """Return each tensor with at least one dimension."""
    return _each(tensors, lambda x: x if x.ndim else reshape(x, 1))


def atleast_2d(*tensors: Any) -> Any:
    """Return each tensor with at least two dimensions; new ones come first."""
    return _each(tensors, lambda x: x if x.ndim > 1 else reshape(x, 1, -1))


def atleast_3d(*tensors: Any) -> Any:
    """Return each tensor with at least three dimensions: (n,) -> (1, n, 1), (n, m) -> (n, m, 1)."""
    return _each(tensors, lambda x: x if x.ndim > 2 else unsqueeze(x, -1) if x.ndim == 2 else reshape(x, 1, -1, 1))


def _each(tensors: tuple[Any, ...], change: Callable[[Tensor], Tensor]) -> Any:
    """One tensor changed, or a tuple of several, given one by one or as one sequence."""
    if len(tensors) == 1 and is_tensor(tensors[0]):
        return change(tensors[0])
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    for x in parts:
        if not is_tensor(x):
            raise TypeError(f"expected Tensors, but got {type(x).__name__}")
    return tuple(change(x) for x in parts)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return all slices of length `size` along a dimension, `step` apart, in a new last dimension; a view."""
    axis = axis_of(dimension, input.ndim)
    n = input._array.shape[axis] if input.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    return apply(shapes.Unfold, input, axis=axis, size=size, step=step)


# ---- copies


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return this tensor if it is contiguous in the memory format asked for, else a contiguous copy."""
    if memory_format is not None and memory_format is not contiguous_format:
        return in_format(input, memory_format)
    return input if input._array.flags.c_contiguous else apply_one(shapes.Contiguous, input)


def repeat(input: Tensor, *repeats: Any, **named: Any) -> Tensor:
    """Repeat the tensor along each dimension; more counts than dimensions add leading ones. A copy."""
    counts = sizes_of(spread_out(repeats, named, "repeats") if named else repeats)
    if len(counts) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return apply_one(shapes.Repeat, input, counts)


def tile(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Repeat the tensor along each dimension; missing counts are 1. A copy."""
    counts = sizes_of(spread_out(dims, named, "dims") if named else dims)
    return repeat(input, *(1,) * (input.ndim - len(counts)), *counts)


@numpy_names
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Repeat each element (or each slice along `dim`) `repeats` times; a copy.

    `repeats` is an int or one count per element. Given only counts, return index i repeated counts[i] times.
    """
    if repeats is None:
        return repeat_interleave(wrap(np.arange(len(input))), input, 0, output_size=output_size)
    x = reshape(input, -1) if dim is None else input
    axis = 0 if dim is None else axis_of(dim, x.ndim)
    times = repeats._array if is_tensor(repeats) else index_of(repeats)
    if isinstance(times, np.ndarray):
        if times.dtype not in (np.int64, np.int32):
            raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{scalar_name(times.dtype)}'")
        if times.size not in (1, x._array.shape[axis]):
            raise RuntimeError("repeats must have the same size as input along dim")
    if np.any(np.asarray(times) < 0):
        raise RuntimeError("repeats can not be negative")
    out: Tensor = apply(shapes.RepeatInterleave, x, repeats=times, axis=axis)
    if output_size is not None and out._array.shape[axis] != output_size:
        raise RuntimeError(
            f"repeat_interleave: Invalid output_size, expected {out._array.shape[axis]} but got {output_size}"
        )
    return out


def part(input: Tensor, axis: int, start: int, end: int) -> Tensor:
    """Return the slices from start to end (exclusive) along a dimension; a view."""
    return input[(slice(None),) * axis + (slice(start, end),)]
