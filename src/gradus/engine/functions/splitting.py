"""Parts of a tensor along a dimension, views all: split, chunk, narrow, select and their relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import apply, apply_one
from gradus.engine.functions.operands import is_tensor
from gradus.engine.functions.shapes import part
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axis_of, index_of
from gradus.engine.ops import shapes

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "chunk", "dsplit", "hsplit", "narrow", "select", "split", "split_with_sizes", "tensor_split", "unbind",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit",
]  # fmt: skip


def split(
    tensor: Tensor, split_size_or_sections: Any = None, dim: int = 0, *, split_size: Any = None
) -> tuple[Tensor, ...]:
    """Pieces of the given size (the last may be smaller), or of the given sizes, along a dimension.

    Args:
        split_size: another name for split_size_or_sections, which the method has in PyTorch.
    """
    size = split_size_or_sections if split_size is None else split_size
    if not tensor.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    axis = axis_of(dim, tensor.ndim)
    n = tensor._array.shape[axis]
    if not isinstance(size, int):
        if isinstance(size, (tuple, list)):
            return split_with_sizes(tensor, size, axis)
        size = index_of(size)
    if size < 0 or (size == 0 and n):
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    sizes = [min(size, n - i) for i in range(0, n, size)] if size and n else [0]
    return apply(shapes.Split, tensor, sizes=tuple(sizes), axis=axis)


@numpy_names
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given sizes along a dimension."""
    axis = axis_of(dim, input.ndim)
    sizes, n = [index_of(size) for size in split_sizes], input._array.shape[axis]
    if any(size < 0 for size in sizes):
        raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got {sizes}")
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {axis}), "
            f"but got split_sizes={sizes}"
        )
    return apply(shapes.Split, input, sizes=tuple(sizes), axis=axis)


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most this many pieces of one size (the last may be smaller)."""
    chunks = index_of(chunks)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not input.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    n = input._array.shape[axis_of(dim, input.ndim)]
    return split(input, -(-n // chunks), dim) if n else split_with_sizes(input, [0] * chunks, dim)


unsafe_chunk, unsafe_split, unsafe_split_with_sizes = chunk, split, split_with_sizes


# ---- a number of pieces, or the places between them; PyTorch calls these `sections` and `indices`


@numpy_names
def tensor_split(
    input: Tensor,
    tensor_indices_or_sections: Any = None,
    dim: int = 0,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Exactly this many pieces of nearly one size, or pieces that end at the given places."""
    where = _given(tensor_indices_or_sections, sections, indices)
    if not input.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    if is_tensor(where):
        where = _read(where)
    axis = axis_of(dim, input.ndim)
    n = input._array.shape[axis]
    if not isinstance(where, (tuple, list)):
        k = index_of(where)
        if k <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {k}")
        return split_with_sizes(input, [n // k + (i < n % k) for i in range(k)], axis)
    ends = [min(max(i + n if i < 0 else i, 0), n) for i in map(index_of, where)]
    return tuple(part(input, axis, a, max(a, b)) for a, b in zip([0, *ends], [*ends, n], strict=True))


def _given(first: Any, sections: Any, indices: Any) -> Any:
    given = [x for x in (first, sections, indices) if x is not None]
    if len(given) != 1:
        raise TypeError(f"expected one of sections and indices, but got {len(given)} of them")
    return given[0]


def _read(where: Tensor) -> Any:
    name = "tensor_split expected tensor_indices_or_sections to"
    if where.ndim > 1:
        raise RuntimeError(
            f"{name} be a zero-dimensional or one-dimensional tensor, but got a tensor with {where.ndim} dims"
        )
    if where._array.dtype != np.int64:
        raise RuntimeError(f"{name} have dtype of long, but got {where.dtype}")
    return where.tolist()


def hsplit(input: Tensor, indices: Any = None, *, sections: int | None = None) -> tuple[Tensor, ...]:
    """tensor_split along the second dimension, or a vector's only one; a number of pieces must divide it."""
    return _split_evenly(input, _given(None, sections, indices), "hsplit", 1, 0 if input.ndim == 1 else 1)


def vsplit(input: Tensor, indices: Any = None, *, sections: int | None = None) -> tuple[Tensor, ...]:
    """tensor_split along the first dimension of at least two; a number of pieces must divide it."""
    return _split_evenly(input, _given(None, sections, indices), "vsplit", 2, 0)


def dsplit(input: Tensor, indices: Any = None, *, sections: int | None = None) -> tuple[Tensor, ...]:
    """tensor_split along the third dimension; a number of pieces must divide it."""
    return _split_evenly(input, _given(None, sections, indices), "dsplit", 3, 2)


def _split_evenly(input: Tensor, where: Any, name: str, least: int, axis: int) -> tuple[Tensor, ...]:
    if input.ndim < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {input.ndim} "
            "dimensions!"
        )
    if not isinstance(where, (tuple, list)):
        n, k = input._array.shape[axis], index_of(where)
        if k == 0 or n % k:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {axis}, but the size of the dimension {n} is not "
                f"divisible by the split_size {k}!"
            )
    return tensor_split(input, where, axis)


# ---- single parts


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, without it."""
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return apply_one(shapes.Unbind, input, axis_of(dim, input.ndim))


@numpy_names
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` slices from `start` on along a dimension; start may be negative, or a 0-d tensor of integers."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if is_tensor(start) and (start.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    length, start = index_of(length), index_of(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    axis = axis_of(dim, input.ndim)
    n = input._array.shape[axis]
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    first = start + n if start < 0 else start
    if first + length > n:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({n}).")
    return part(input, axis, first, first + length)


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dimension, without it."""
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis, index = axis_of(dim, input.ndim), index_of(index)
    n = input._array.shape[axis]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {axis}"
        )
    return input[(slice(None),) * axis + (index,)]
