"""The same numbers otherwise arranged. Views share memory where PyTorch's do; flips, repeats and the like copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.dtypes import Array
from gradus.engine.functions.operands import Dims, axes_of, axis_of, plain, scalar_name, sizes_of, spread_out
from gradus.engine.layouts import contiguous_format, in_format
from gradus.engine.ops import shape as sh
from gradus.engine.variable import apply, apply_one

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "adjoint",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_to",
    "chunk",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "diff",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "moveaxis",
    "movedim",
    "narrow",
    "permute",
    "ravel",
    "repeat_interleave",
    "reshape",
    "roll",
    "rot90",
    "select",
    "split",
    "split_with_sizes",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "tensor_split",
    "tile",
    "transpose",
    "tril",
    "triu",
    "unbind",
    "unflatten",
    "unsqueeze",
    "vsplit",
]  # fmt: skip


def view(input: Tensor, *shape: Any) -> Tensor:
    """This tensor in another shape, on the same memory."""
    out = _reshaped(input, shape)
    if out._base is None and input._array.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return out


def reshape(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """This tensor in another shape, on the same memory if it can be; one size may be -1."""
    return _reshaped(input, spread_out(shape, named, "shape") if named else shape)


def _reshaped(input: Tensor, shape: tuple[Any, ...]) -> Tensor:
    for n in shape:
        if type(n) is not int or n < -1:  # otherwise they are sizes already
            shape = _sizes(input, shape)
            break
    try:
        return apply_one(sh.View, input, shape)
    except ValueError:
        _refuse_shape(shape, input._array)
        raise


def _sizes(input: Tensor, shape: tuple[Any, ...]) -> tuple[int, ...]:
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        raise RuntimeError("view(dtype) is not offered: use .to(dtype), which converts the numbers")
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
    return view(input, other.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    return reshape(input, other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Several dimensions made one."""
    if not input.ndim:
        return reshape(input, 1)
    a, b = axis_of(start_dim, input.ndim), axis_of(end_dim, input.ndim)
    if a > b:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    shape = input._array.shape
    return input if a == b else reshape(input, *shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :])


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension made several."""
    axis = axis_of(dim, input.ndim)
    shape = input._array.shape
    known = math.prod(n for n in sizes if n != -1)
    if (known != shape[axis]) if -1 not in sizes else (not known or shape[axis] % known):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[axis]}) in the "
            "input tensor"
        )
    inner = [shape[axis] // known if n == -1 else n for n in sizes]
    return view(input, *shape[:axis], *inner, *shape[axis + 1 :])


def ravel(input: Tensor) -> Tensor:
    return reshape(input, -1)


# ---- the order of dimensions


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    n = input._array.ndim
    return apply(sh.Transpose, input, a=axis_of(dim0, n), b=axis_of(dim1, n))


def t(input: Tensor) -> Tensor:
    """A matrix transposed."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return apply_one(sh.T, input)


def adjoint(input: Tensor) -> Tensor:
    return transpose(input, -2, -1)


def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """The dimensions in the given order."""
    dims = spread_out(dims, named, "dims") if named else dims
    axes = tuple(axis_of(dim, input.ndim) for dim in sizes_of(dims))
    if len(axes) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(axes)}"
        )
    if len(set(axes)) != len(axes):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return apply_one(sh.Permute, input, axes)


def reverse(input: Tensor) -> Tensor:
    """The dimensions in reverse order."""
    return apply_one(sh.Permute, input, tuple(range(input._array.ndim - 1, -1, -1)))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Some dimensions moved elsewhere, the others in their old order."""
    start = [axis_of(d, input.ndim) for d in ([source] if isinstance(source, int) else source)]
    end = [axis_of(d, input.ndim) for d in ([destination] if isinstance(destination, int) else destination)]
    if len(start) != len(end):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({start} dims) should contain the same number "
            "of dims "
            f"as destination ({end} dims)"
        )
    order = [i for i in range(input.ndim) if i not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return permute(input, *order)


swapaxes = swapdims = transpose
moveaxis = movedim


# ---- sizes of 1, and repetition without copying


def expand(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Repeated along dimensions of size 1, without copying; -1 keeps a size."""
    wanted = sizes_of(spread_out(shape, named, "size") if named else shape)
    extra = len(wanted) - input.ndim
    if extra < 0:
        raise RuntimeError(
            f"expand(torch.{scalar_name(input._array.dtype)}Tensor{list(input.shape)}, size={list(wanted)}): "
            "the number of "
            f"sizes provided ({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({input.ndim})"
        )
    full = tuple(input._array.shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(wanted))
    if any(n < 0 for n in full):
        raise RuntimeError("The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension 0")
    for i, (have, want) in enumerate(zip(input._array.shape, full[extra:], strict=True)):
        if have not in (1, want):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) at "
                "non-singleton dimension "
                f"{i + extra}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(input.shape)}"
            )
    return apply_one(sh.Expand, input, full)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    return expand(input, other.shape)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    return expand(input, *size)


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without dimensions of size 1, all or the given ones."""
    return apply(sh.Squeeze, input, axis=None if dim is None else axes_of(dim, input.ndim), single=isinstance(dim, int))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1."""
    return apply_one(sh.Unsqueeze, input, axis_of(dim, input.ndim + 1))


def atleast_1d(input: Tensor) -> Tensor:
    return input if input.ndim else reshape(input, 1)


def atleast_2d(input: Tensor) -> Tensor:
    return input if input.ndim > 1 else reshape(input, 1, -1)


def atleast_3d(input: Tensor) -> Tensor:
    return input if input.ndim > 2 else unsqueeze(input, -1) if input.ndim == 2 else reshape(input, 1, -1, 1)


# ---- parts


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0, **old: Any) -> tuple[Tensor, ...]:
    """Pieces of the given size (the last may be smaller), or of the given sizes, along a dimension."""
    axis = axis_of(old.get("axis", dim), tensor.ndim)
    if not tensor.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    n = tensor._array.shape[axis]
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(tensor, split_size_or_sections, axis)
    size = split_size_or_sections
    if size < 0 or (size == 0 and n):
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    sizes = [min(size, n - i) for i in range(0, n, size)] if size and n else [0]
    return apply(sh.Split, tensor, sizes=tuple(sizes), axis=axis)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    axis = axis_of(dim, input.ndim)
    sizes, n = list(split_sizes), input._array.shape[axis]
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension "
            f"{axis}), but got "
            f"split_sizes={sizes}"
        )
    return apply(sh.Split, input, sizes=tuple(sizes), axis=axis)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most this many pieces of one size (the last may be smaller)."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not input.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    n = input._array.shape[axis_of(dim, input.ndim)]
    return split(input, max(1, -(-n // chunks)), dim)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Exactly this many pieces of nearly one size, or pieces that end at the given places."""
    axis = axis_of(dim, input.ndim)
    n = input._array.shape[axis]
    if isinstance(indices_or_sections, int):
        k = indices_or_sections
        sizes = [n // k + (i < n % k) for i in range(k)]
        return split_with_sizes(input, sizes, axis)
    ends = [min(max(i + n if i < 0 else i, 0), n) for i in indices_or_sections]
    starts = [0, *ends]
    return tuple(narrow(input, axis, a, max(0, b - a)) for a, b in zip(starts, [*ends, n], strict=True))


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    return tensor_split(input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    return tensor_split(input, indices_or_sections, 0)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, without it."""
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return apply_one(sh.Unbind, input, axis_of(dim, input.ndim))


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` slices from `start` on along a dimension."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    axis = axis_of(dim, input.ndim)
    n, start = input._array.shape[axis], int(start)
    first = start + n if start < 0 else start
    if length < 0 or first < 0 or first + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return input[(slice(None),) * axis + (slice(first, first + length),)]


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dimension, without it."""
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    return input[(slice(None),) * axis_of(dim, input.ndim) + (int(index),)]


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of the given size along a dimension, as a new last dimension."""
    axis = axis_of(dimension, input.ndim)
    n = input._array.shape[axis] if input.ndim else 1
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    return apply(sh.Unfold, input, axis=axis, size=size, step=step)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, as the last dimension."""
    if input.ndim < 2:
        axis_of(1, input.ndim)
    return apply(sh.Diagonal, input, offset=offset, a=axis_of(dim1, input.ndim), b=axis_of(dim2, input.ndim))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A copy of the diagonal of a matrix; or the matrix with this diagonal."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return input.diagonal(diagonal).clone()


def diag_embed(input: Tensor, offset: int = 0) -> Tensor:
    """Matrices with the given diagonals."""
    n = input.size(-1) + abs(offset)
    out = input.new_zeros(*input.shape[:-1], n, n)
    out.diagonal(offset, -2, -1).copy_(input)
    return out


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all of the numbers on a diagonal."""
    return diag_embed(reshape(input, -1), offset)


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Summed over the dimensions that broadcasting to this size's opposite had added."""
    shape = sizes_of(size)
    extra = tuple(range(input.ndim - len(shape)))
    out = input.sum(extra) if extra else input
    repeated = [i for i, n in enumerate(shape) if n == 1 and out.size(i) != 1]
    return out.sum(repeated, keepdim=True) if repeated else out


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """What lies on and below a diagonal, 0 elsewhere."""
    return apply(sh.Triangle, at_least_2d(input, "tril"), diagonal=diagonal, lower=True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """What lies on and above a diagonal, 0 elsewhere."""
    return apply(sh.Triangle, at_least_2d(input, "triu"), diagonal=diagonal, lower=False)


def at_least_2d(input: Tensor, name: str) -> Tensor:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return input


# ---- copies in another order


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """This tensor, or a copy that lies in order in memory."""
    if memory_format is not None and memory_format is not contiguous_format:
        return in_format(input, memory_format)
    return input if input._array.flags.c_contiguous else apply_one(sh.Contiguous, input)


def flip(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Backwards along the given dimensions."""
    wanted = sizes_of(spread_out(dims, named, "dims"))
    return apply_one(sh.Flip, input, axes_of(wanted, input.ndim) if wanted else ())


def fliplr(input: Tensor) -> Tensor:
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k right angles from the first of two dimensions to the second."""
    a, b = dims
    if k % 2 == 0:
        return flip(input, a, b) if k % 4 else input.clone()
    return flip(transpose(input, a, b), a if k % 4 == 1 else b)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shifted around, along the given dimensions or as if flat."""
    moves = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    if dims is None or dims == ():
        if len(moves) > 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:0")
        return apply(sh.Roll, input, shifts=moves[0], axis=None)
    axes = tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if len(axes) != len(moves):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(axes)}")
    return apply(sh.Roll, input, shifts=moves, axis=tuple(axis_of(a, input.ndim) for a in axes))


def repeat(input: Tensor, *repeats: Any, **named: Any) -> Tensor:
    """Copies side by side, so many along each dimension; more numbers than dimensions add leading ones."""
    counts = sizes_of(spread_out(repeats, named, "repeats") if named else repeats)
    if len(counts) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return apply_one(sh.Repeat, input, counts)


def tile(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    counts = sizes_of(spread_out(dims, named, "dims") if named else dims)
    return repeat(input, *(1,) * (input.ndim - len(counts)), *counts)


def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each number, or slice, several times in a row."""
    x = reshape(input, -1) if dim is None else input
    times = plain(repeats)
    axis = 0 if dim is None else axis_of(dim, x.ndim)
    if isinstance(times, np.ndarray) and times.size not in (1, x._array.shape[axis]):
        raise RuntimeError("repeats must have the same size as input along dim")
    return apply(sh.RepeatInterleave, x, repeats=times, axis=axis)


def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """Each number less the one before, n times over."""
    for _ in range(n):
        size = input.size(dim)
        after, before = narrow(input, dim, 1, size - 1), narrow(input, dim, 0, size - 1)
        input = after.logical_xor(before) if input._array.dtype == bool else after - before
    return input
