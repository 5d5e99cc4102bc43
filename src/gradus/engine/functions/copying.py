"""Views as copies: those whose names end in `_copy`, and the `_scatter` functions, which put a part into a copy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.grad_mode import state
from gradus.engine.autograd.record import apply_one
from gradus.engine.functions import shapes, splitting, storage
from gradus.engine.functions.operands import axis_of, is_tensor
from gradus.engine.ops import shape as sh

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "alias_copy", "as_strided_copy", "as_strided_scatter", "detach_copy", "diagonal_copy", "diagonal_scatter",
    "expand_copy", "narrow_copy", "permute_copy", "select_copy", "select_scatter", "slice_copy", "slice_scatter",
    "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy", "unfold_copy",
    "unsqueeze_copy", "view_copy",
]  # fmt: skip


def _copying(view: Callable[..., Any]) -> Callable[..., Any]:
    """What a view is, on memory of its own."""

    @functools.wraps(view)
    def copy(*args: Any, **named: Any) -> Any:
        made = view(*args, **named)
        return made.clone() if is_tensor(made) else tuple(each.clone() for each in made)

    copy.__name__ = copy.__qualname__ = f"{view.__name__.strip('_')}_copy"
    return copy


def _alias(input: Tensor) -> Tensor:
    return apply_one(sh.Alias, input)


def _detach(input: Tensor) -> Tensor:
    return input.detach()


def _slice(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return input[(slice(None),) * axis_of(dim, input.ndim) + (slice(start, end, step),)]


alias_copy, detach_copy, slice_copy = _copying(_alias), _copying(_detach), _copying(_slice)
as_strided_copy = _copying(storage.as_strided)
diagonal_copy = _copying(shapes.diagonal)
expand_copy = _copying(shapes.expand)
permute_copy = _copying(shapes.permute)
squeeze_copy = _copying(shapes.squeeze)
t_copy = _copying(shapes.t)
transpose_copy = _copying(shapes.transpose)
unfold_copy = _copying(shapes.unfold)
unsqueeze_copy = _copying(shapes.unsqueeze)
view_copy = _copying(shapes.view)
narrow_copy = _copying(splitting.narrow)
select_copy = _copying(splitting.select)
split_copy = _copying(splitting.split)
split_with_sizes_copy = _copying(splitting.split_with_sizes)
unbind_copy = _copying(splitting.unbind)


def _put(input: Tensor, src: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
    """A copy of input in which src stands where the view looks."""
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
    """input, with src as its slice at `index` of a dimension."""
    return _put(input, src, lambda x: splitting.select(x, dim, index))


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """input, with src as its slices from start to before end of a dimension."""
    return _put(input, src, lambda x: _slice(x, dim, start, end, step))


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """input, with src on the diagonal of two dimensions."""
    return _put(input, src, lambda x: shapes.diagonal(x, offset, dim1, dim2))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """input, with src at the given strides of its memory; no gradient, as PyTorch's is not the slope of its values."""
    if state.enabled and (input.requires_grad or src.requires_grad):
        raise NotImplementedError("as_strided_scatter has no gradient in this engine: use as_strided and copy_")
    return _put(input, src, lambda x: storage.as_strided(x, size, stride, storage_offset))
