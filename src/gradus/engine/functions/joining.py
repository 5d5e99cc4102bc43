"""Joining tensors: cat, stack, and grids of combinations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.record import apply, wrap
from gradus.engine.dtypes import Array, Size, get_default_dtype
from gradus.engine.dtypes.layouts import by_memory
from gradus.engine.functions.operands import is_tensor, same_types
from gradus.engine.functions.shapes import atleast_1d, atleast_2d, atleast_3d
from gradus.engine.functions.signatures import write_out
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops.shapes import Cat, Stack

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "block_diag", "broadcast_shapes", "broadcast_tensors", "cartesian_prod", "cat", "column_stack", "combinations",
    "concat", "concatenate", "dstack", "hstack", "meshgrid", "row_stack", "stack", "vstack",
]  # fmt: skip

_array, _concatenate = np.array, np.concatenate
_SEQUENCES = (list, tuple)


def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Any = None) -> Tensor:
    """Concatenate tensors along an existing dimension; their other sizes must match, and their dtypes are promoted."""
    if out is not None:
        return write_out("cat", _apart(cat(tensors, dim, axis=axis), tensors, out), out)
    if axis is not None:
        dim = axis
    if dim == 0 and (joined := _at_once(_concatenate, tensors)) is not None:
        return joined
    parts = _validate_tensors(tensors, "cat")
    if not parts:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for i, x in enumerate(parts):
        if not x.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    first = next((x for x in parts if x._array.shape != (0,)), parts[0])
    axis = axis_of(dim, first.ndim)
    for i, x in enumerate(parts):
        if x.ndim != first.ndim and x._array.shape != (0,):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {x.ndim}")
        for j in range(x.ndim if x.ndim == first.ndim else 0):
            if j != axis and x._array.shape[j] != first._array.shape[j]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size "
                    f"{first._array.shape[j]} but got size {x._array.shape[j]} for tensor number {i} in the list."
                )
    nothing = [
        0 if j == axis else n for j, n in enumerate(first._array.shape)
    ]  # the dtype of an empty vector in the promotion
    alike = [x if x.ndim == first.ndim else x.reshape(nothing) for x in same_types(parts)]
    return apply(Cat, *alike, axis=axis)


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Any = None) -> Tensor:
    """Stack tensors of one shape along a new dimension."""
    if out is not None:
        return write_out("stack", _apart(stack(tensors, dim, axis=axis), tensors, out), out)
    if axis is not None:
        dim = axis
    if dim == 0 and (stacked := _at_once(_array, tensors)) is not None:  # sooner than np.stack
        return stacked
    parts = _some(tensors, "stack")
    for i, x in enumerate(parts):
        if x._array.shape != parts[0]._array.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(parts[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {i}"
            )
    return apply(Stack, *same_types(parts), axis=axis_of(dim, parts[0].ndim + 1))


def _at_once(join: Callable[[list[Array]], Array], tensors: Any) -> Tensor | None:
    """NumPy's result for a list or tuple of tensors that need no gradient; None for any other."""
    if type(tensors) not in _SEQUENCES or not tensors:
        return None
    try:
        arrays = [x._array for x in tensors if x._node is x._base]  # both None: requires no gradient, and is no view
        if len(arrays) < len(tensors):
            arrays = [
                x._array
                for x in tensors
                if not state.enabled or (x._node is None and (x._base is None or x._edge() is None))
            ]
            if len(arrays) < len(tensors):
                return None
        array = join(arrays)
    except (AttributeError, TypeError, ValueError):
        return None
    dtype = array.dtype  # if the first one's, then PyTorch's, too; but of int64 and uint16 PyTorch refuses to choose
    known = dtype is arrays[0].dtype and (dtype.kind not in "iu" or all(x.dtype is dtype for x in arrays))
    return wrap(array) if known else None


def _apart(joined: Tensor, tensors: Sequence[Tensor], out: Any) -> Tensor:
    """Return joined, which is to be written into out; raise a RuntimeError if out has memory of one of the tensors."""
    if is_tensor(out) and any(x is out or _overlap(x._array, out._array) for x in tensors):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )
    return joined


def _overlap(a: Array, b: Array) -> bool:
    """Whether two arrays share memory, as PyTorch sees it: one with gaps between its elements never does."""
    return np.may_share_memory(a, b) and all(x.transpose(by_memory(x)).flags.c_contiguous for x in (a, b))


def _validate_tensors(tensors: Any, name: str) -> list[Tensor]:
    if is_tensor(tensors):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    parts = list(tensors)
    for i, x in enumerate(parts):
        if not is_tensor(x):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    return parts


def _some(tensors: Any, name: str) -> list[Tensor]:
    """The tensors; an error if there is none."""
    parts = _validate_tensors(tensors, name)
    if not parts:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return parts


def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Concatenate along the second dimension, or the first if the tensors are vectors."""
    parts = [atleast_1d(x) for x in _some(tensors, "hstack")]
    return cat(parts, 0 if parts[0].ndim == 1 else 1, out=out)


def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Concatenate along the first dimension, after `atleast_2d`."""
    return cat([atleast_2d(x) for x in _some(tensors, "vstack")], 0, out=out)


row_stack = vstack


def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Concatenate along the third dimension, after `atleast_3d`."""
    return cat([atleast_3d(x) for x in _some(tensors, "dstack")], 2, out=out)


def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Concatenate along the second dimension; vectors become columns."""
    return cat([x.reshape(-1, 1) if x.ndim <= 1 else x for x in _some(tensors, "column_stack")], 1, out=out)


def block_diag(*tensors: Tensor) -> Tensor:
    """Return the matrix with the given matrices along its diagonal and zeros elsewhere."""
    parts = [atleast_2d(x) for x in _validate_tensors(tensors, "block_diag")]
    for i, x in enumerate(parts):
        if x.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {x.ndim} dimensions"
            )
    if not parts:
        return wrap(np.zeros((1, 0), get_default_dtype().numpy))
    width = [x.size(1) for x in parts]
    rows = []
    for i, x in enumerate(parts):
        left, right = x.new_zeros(x.size(0), sum(width[:i])), x.new_zeros(x.size(0), sum(width[i + 1 :]))
        rows.append(cat([left, x, right], 1))
    return cat(rows, 0)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Return one tensor per vector with its coordinates on the grid that the vectors span.

    `indexing` is "ij" (shape (n₁, n₂, ...)) or "xy" (the first two dimensions swapped).
    """
    axes = _some(tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors, "meshgrid")
    if indexing not in ("xy", "ij"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for x in axes:
        if x.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x.ndim}D")
        if x._array.dtype != axes[0]._array.dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    shape = [x.numel() for x in axes]
    grids = [x.reshape(*[-1 if j == i else 1 for j in range(len(axes))]).expand(*shape) for i, x in enumerate(axes)]
    return tuple(g.transpose(0, 1) for g in grids) if indexing == "xy" and len(grids) > 1 else tuple(grids)


def broadcast_shapes(*shapes: Any) -> Any:
    """Return the shape that the given shapes broadcast to.

    Raises:
        RuntimeError: if they do not broadcast.
    """
    try:
        return Size(np.broadcast_shapes(*[tuple(s) if not isinstance(s, int) else (s,) for s in shapes]))
    except ValueError:
        raise RuntimeError(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {', '.join(str(tuple(s)) for s in shapes)}"
        ) from None


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Expand all tensors to their broadcast shape; views."""
    shape = broadcast_shapes(*[x._array.shape for x in tensors])
    return tuple(x.expand(*shape) for x in tensors)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Return the Cartesian product of vectors, one combination per row."""
    for x in _some(tensors, "meshgrid"):
        _refuse_matrix(x)
    return stack([g.reshape(-1) for g in meshgrid(*tensors)], dim=1) if len(tensors) > 1 else tensors[0]


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all combinations of r elements of a vector, one per row."""
    _refuse_matrix(input)
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return input.new_zeros(0)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    picked = list(choose(range(len(input)), r))
    return input[wrap(np.array(picked, np.int64).reshape(-1, r))]


def _refuse_matrix(x: Tensor) -> None:
    if x.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
