"""Some of the numbers, by position or by truth: indexing, gather, scatter, and their relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import printing
from gradus.engine.functions.operands import (
    Number,
    axis_of,
    check_index,
    is_tensor,
    numeric,
    plain,
    scalar_name,
    tensor_of,
)
from gradus.engine.indexing import parse
from gradus.engine.limits import limits_of
from gradus.engine.ops import elementwise as ew
from gradus.engine.ops import index as ix
from gradus.engine.variable import Variable, apply_, apply_one, apply_two, wrap

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "argwhere", "gather", "index_add", "index_copy", "index_fill", "index_put", "index_select", "masked_scatter",
    "masked_select", "nonzero", "scatter", "scatter_add", "scatter_reduce", "take", "take_along_dim",
]  # fmt: skip


def getitem(input: Tensor, index: Any) -> Tensor:
    if isinstance(index, Variable):
        rows = index._array
        if rows.dtype.kind == "i" and rows.ndim and input._array.ndim:
            try:
                return apply_one(ix.Index, input, (rows,))
            except IndexError:
                pass  # parse says what is wrong
    basic, advanced = parse(input, index)
    out = input if basic is None else apply_one(ix.Slice, input, basic)
    return out if advanced is None else apply_one(ix.Index, out, advanced)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    if index is False:
        return
    if not isinstance(value, (int, float, complex, np.generic)) and not is_tensor(value):
        name = printing.type_name(input._array)
        raise TypeError(f"can't assign a {_type_name(value)} to a {name}; make a tensor of it with torch.tensor(...)")
    basic, advanced = parse(input, index)
    value = numeric(value)
    part = input if basic is None else apply_one(ix.Slice, input, basic)
    if advanced is None:
        value = _fitted(value, part._array.shape)
        _refuse_unfit(value, part._array.shape)
        apply_(part, ew.CopyFrom, value)
        return
    if is_tensor(value) and value._array.dtype != part._array.dtype and value.ndim:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {scalar_name(part._array.dtype)} for the "
            f"destination and {scalar_name(value._array.dtype)} for the source."
        )
    try:
        apply_(part, ix.IndexPut, value, index=advanced, accumulate=False)
    except ValueError:
        picked = part._array[advanced].shape
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result "
            "of shape "
            f"{list(picked)}"
        ) from None


def _type_name(value: Any) -> str:
    return "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__


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
                f"The expanded size of the tensor ({list(shape)}) must match the existing size ({list(have)}): "
                "the value has "
                "more dimensions than the place it is put in"
            )
        if have[-i] not in (1, shape[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size ({have[-i]}) at "
                "non-singleton "
                f"dimension {len(shape) - i}.  Target sizes: {list(shape)}.  Tensor sizes: {list(have)}"
            )


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices at the given positions of a dimension."""
    check_index(index, "index_select")
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    axis = axis_of(dim, input.ndim)
    _check_range(index, input._array.shape[axis] if input.ndim else 1, "INDICES element is out of DATA bounds")
    return apply_two(ix.IndexSelect, input, index, axis)


def _check_range(index: Tensor, size: int, message: str) -> None:
    i = index._array
    if i.size and (i.min() < 0 or i.max() >= size):
        raise RuntimeError(message)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The numbers where the mask is true, in a row."""
    if mask._array.dtype != bool:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = np.broadcast_shapes(input._array.shape, mask._array.shape)
    return input.expand(*shape)[mask.expand(*shape)].reshape(-1)


def take(input: Tensor, index: Tensor) -> Tensor:
    """The numbers at positions counted as if flat."""
    return input.reshape(-1)[index]


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where input is not 0: (n, ndim) positions; or a tuple of them, one for each dimension."""
    places = np.nonzero(np.atleast_1d(input._array))
    if as_tuple:
        return tuple(wrap(p) for p in places)
    return wrap(np.stack(places, axis=-1)[:, : input.ndim])


def argwhere(input: Tensor) -> Tensor:
    places: Tensor = nonzero(input)
    return places


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[i][index[i][j]], for dimension 1, say."""
    axis = axis_of(dim, input.ndim)
    _check_along(input, axis, index, "gather")
    return apply_two(ix.Gather, input, index, axis)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As gather, broadcasting the other dimensions."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    axis = axis_of(dim, input.ndim)
    shape = [max(a, b) for a, b in zip(input.shape, indices.shape, strict=True)]
    wide, places = list(shape), list(shape)
    wide[axis], places[axis] = input.shape[axis], indices.shape[axis]
    return gather(input.expand(*wide), axis, indices.expand(*places))


def _check_along(input: Tensor, axis: int, index: Tensor, name: str) -> None:
    check_index(index, name)
    if index._array.size and max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {'input' if name == 'gather' else 'self'} tensor"
        )
    if not input.ndim or not index.ndim:
        return
    for i, n in enumerate(index._array.shape):
        if i != axis and n > input._array.shape[i]:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
            )
    values, size = index._array, input._array.shape[axis]
    if values.size and (values.min() < 0 or values.max() >= size):
        wrong = values.min() if values.min() < 0 else values.max()
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {axis} with size {size}")


# ---- writing by position; each has a form in place


def scatter_(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """input[i][index[i][j]] = src[i][j], for dimension 1, say; src may be a number."""
    src = value if src is None else src
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError("reduce argument must be either add or multiply.")
        return scatter_reduce_(input, dim, index, tensor_of(src), {"add": "sum", "multiply": "prod"}[reduce])
    axis = axis_of(dim, input.ndim)
    _check_along(input, axis, index, "scatter")
    if is_tensor(src):
        _check_source(input, src, index, "scatter")
    return apply_(input, ix.Scatter, src, index, axis=axis, add=False)


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input[i][index[i][j]] += src[i][j], for dimension 1, say."""
    axis = axis_of(dim, input.ndim)
    _check_along(input, axis, index, "scatter")
    _check_source(input, src, index, "scatter")
    return apply_(input, ix.Scatter, src, index, axis=axis, add=True)


def _check_source(input: Tensor, src: Tensor, index: Tensor, name: str) -> None:
    if src._array.dtype != input._array.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    if any(a > b for a, b in zip(index._array.shape, src._array.shape, strict=False)):
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)} in every dimension"
        )


def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """As scatter_add_, with sum, prod, mean, amax or amin. Only sum has a gradient here."""
    axis = axis_of(dim, input.ndim)
    _check_along(input, axis, index, "scatter")
    places = ix.along(index._array, axis)
    values = src._array[tuple(slice(n) for n in index.shape)]
    ways: dict[str, Any] = {"sum": np.add, "prod": np.multiply, "mean": np.add, "amax": np.maximum, "amin": np.minimum}
    if reduce == "sum" and include_self:
        return scatter_add_(input, dim, index, src)
    if input.requires_grad or src.requires_grad:
        raise RuntimeError(f"scatter_reduce with reduce={reduce!r} has no gradient in this engine: use scatter_add")
    y = input._array.copy()
    if not include_self:
        info = limits_of(y.dtype)
        y[places] = {"sum": 0, "mean": 0, "prod": 1, "amax": info.min, "amin": info.max}[reduce]
    ways[reduce].at(y, places, values)
    if reduce == "mean":
        counts = np.zeros(y.shape, np.int64)
        np.add.at(counts, places, 1)
        y = (y / np.maximum(counts + include_self, 1)).astype(y.dtype)
    return input.copy_(wrap(y))


def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """The slices at the given positions of a dimension += alpha * source's."""
    where = (slice(None),) * axis_of(dim, input.ndim) + (index._array,)
    return apply_(input, ix.IndexPut, source if alpha == 1 else source * alpha, index=where, accumulate=True)


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The slices at the given positions of a dimension = source's."""
    where = (slice(None),) * axis_of(dim, input.ndim) + (index._array,)
    return apply_(input, ix.IndexPut, source, index=where, accumulate=False)


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """The slices at the given positions of a dimension = value."""
    where = (slice(None),) * axis_of(dim, input.ndim) + (index._array,)
    return apply_(input, ix.IndexPut, value, index=where, accumulate=False)


def index_put_(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """input[indices] = values, or += values, a position that comes twice both times."""
    return apply_(input, ix.IndexPut, values, index=tuple(plain(i) for i in indices), accumulate=accumulate)


def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The numbers where the mask is true = source's, in order."""
    places = np.broadcast_to(mask._array, input._array.shape)
    taken = source.reshape(-1)[: int(places.sum())]
    return apply_(input, ix.IndexPut, taken, index=(places,), accumulate=False)


def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, **options: Any) -> Tensor:
    return scatter_(input.clone(), dim, index, src, **options)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    return scatter_add_(input.clone(), dim, index, src)


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    return scatter_reduce_(input.clone(), dim, index, src, reduce, include_self=include_self)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    return index_add_(input.clone(), dim, index, source, alpha=alpha)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    return index_copy_(input.clone(), dim, index, source)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    return index_fill_(input.clone(), dim, index, value)


def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    return index_put_(input.clone(), indices, values, accumulate)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    return masked_scatter_(input.clone(), mask, source)
