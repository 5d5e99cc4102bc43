"""Copies: `clone`; `*_copy`, the copy of a view; and `*_scatter`, which writes into a view of a copy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.record import apply_one
from gradus.engine.dtypes.layouts import in_format
from gradus.engine.functions import diagonals, reordering, shapes, splitting, storage
from gradus.engine.functions.operands import is_tensor
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops.copying import Clone
from gradus.engine.ops.shapes import Alias

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "alias_copy", "as_strided_copy", "as_strided_scatter", "clone", "detach_copy", "diagonal_copy",
    "diagonal_scatter", "expand_copy", "narrow_copy", "permute_copy", "select_copy", "select_scatter", "slice_copy",
    "slice_scatter", "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy",
    "unbind_copy", "unfold_copy", "unsqueeze_copy", "view_copy",
]  # fmt: skip


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Return a copy with its own memory, in input's memory order or in `memory_format`; gradients flow through it."""
    out: Tensor = apply_one(Clone, input)
    return out if memory_format is None else in_format(out, memory_format)


def _copying(view: Callable[..., Any]) -> Callable[..., Any]:
    """The function that returns what a view function returns, copied to memory of its own."""

    @functools.wraps(view)
    def copy(*args: Any, **named: Any) -> Any:
        result = view(*args, **named)
        return result.clone() if is_tensor(result) else tuple(each.clone() for each in result)

    name = view.__name__.strip("_")
    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    copy.__doc__ = f"Return what `{name}` returns, as a copy with its own memory instead of a view."
    return copy


def _alias(input: Tensor) -> Tensor:
    return apply_one(Alias, input)


def _detach(input: Tensor) -> Tensor:
    return input.detach()


def _slice(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return input[(slice(None),) * axis_of(dim, input.ndim) + (slice(start, end, step),)]


alias_copy, detach_copy, slice_copy = _copying(_alias), _copying(_detach), _copying(_slice)
as_strided_copy = _copying(storage.as_strided)
diagonal_copy = _copying(diagonals.diagonal)
expand_copy = _copying(shapes.expand)
permute_copy = _copying(reordering.permute)
squeeze_copy = _copying(shapes.squeeze)
t_copy = _copying(reordering.t)
transpose_copy = _copying(reordering.transpose)
unfold_copy = _copying(shapes.unfold)
unsqueeze_copy = _copying(shapes.unsqueeze)
view_copy = _copying(shapes.view)
narrow_copy = _copying(splitting.narrow)
select_copy = _copying(splitting.select)
split_copy = _copying(splitting.split)
split_with_sizes_copy = _copying(splitting.split_with_sizes)
unbind_copy = _copying(splitting.unbind)


def _put(input: Tensor, src: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
    """A copy of input with src written into the given view of it."""
    out = input.clone()
    part = view(out)
    if part._array.shape != src._array.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(part.shape)}"
        )
    part.copy_(src)
    return out


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return a copy of input with src as its slice at `index` of a dimension."""
    return _put(input, src, lambda x: splitting.select(x, dim, index))


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """Return a copy of input with src as its slices from start to end (exclusive) of a dimension."""
    return _put(input, src, lambda x: _slice(x, dim, start, end, step))


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a copy of input with src on the diagonal of two dimensions."""
    return _put(input, src, lambda x: diagonals.diagonal(x, offset, dim1, dim2))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """Return a copy of input with src at the given strides of its memory.

    It has no gradient, as PyTorch's is not the derivative of its values.
    """
    if state.enabled and (input.requires_grad or src.requires_grad):
        raise NotImplementedError("as_strided_scatter has no gradient in this engine: use as_strided and copy_")
    return _put(input, src, lambda x: storage.as_strided(x, size, stride, storage_offset))
