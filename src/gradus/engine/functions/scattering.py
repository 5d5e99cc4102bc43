"""Writing by position or by truth: scatter, index_add and their relatives, each with a form in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.in_place import apply_, refuse_repeated
from gradus.engine.autograd.record import wrap
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import refuse_bool
from gradus.engine.functions.gathering import check_along, check_index, check_positions, flat_places
from gradus.engine.functions.indexing import parse
from gradus.engine.functions.joining import broadcast_shapes
from gradus.engine.functions.operands import Number, fitting, is_tensor, tensor_of
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops import indexing, scattering

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "index_add", "index_copy", "index_fill", "index_put", "index_put_", "index_reduce", "masked_scatter", "put",
    "scatter", "scatter_add", "scatter_reduce",
]  # fmt: skip


# ---- along a dimension, each number its own position


@numpy_names
def scatter_(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """input[i][index[i][j]] = src[i][j], for dimension 1, say; src may be a number. `reduce="add"` or "multiply"
    combines it with what is there.
    """
    if (src is None) == (value is None):
        raise TypeError("scatter() received an invalid combination of arguments: expected either src or value")
    src = value if src is None else src
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError("reduce argument must be either add or multiply.")
        if not is_tensor(src):
            src = wrap(np.full(index._array.shape, src, input._array.dtype))
        return scatter_reduce_(input, dim, index, src, {"add": "sum", "multiply": "prod"}[reduce])
    return _scatter(input, dim, index, src, add=False)


@numpy_names
def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input[i][index[i][j]] += src[i][j], for dimension 1, say."""
    return _scatter(input, dim, index, src, add=True)


def _scatter(input: Tensor, dim: int, index: Tensor, src: Any, *, add: bool) -> Tensor:
    axis = _check_scatter(input, dim, index, src)
    apply_(_row(input), indexing.Scatter, _row(src), _row(index), axis=axis, add=add)
    return input


def _row(x: Any) -> Any:
    """A single number as a row of one; all else as it is."""
    return x.view(1) if is_tensor(x) and not x.ndim else x


def _check_scatter(input: Tensor, dim: int, index: Tensor, src: Any) -> int:
    axis = axis_of(dim, input.ndim)
    check_along(input, axis, index, "scatter")
    if is_tensor(src) and index._array.size:
        if src._array.dtype != input._array.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        if max(src.ndim, 1) != max(index.ndim, 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
        if any(a > b for a, b in zip(index._array.shape, src._array.shape, strict=False)):
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)} in every dimension"
            )
    check_positions(input, axis, index)
    return axis


@numpy_names
def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """As scatter_add_, combining with sum, prod, mean, amax or amin; without what is there already where `include_self`
    is false.
    """
    axis = _check_scatter(input, dim, index, src)
    _check_reduce(reduce, ("sum", "prod", "mean", "amax", "amin"))
    if reduce == "mean":
        refuse_bool(input, "scatter_gather_tensor_cpu_reduce_mean")
    if index._array.size:
        apply_(
            _row(input),
            scattering.ScatterReduce,
            _row(src),
            _row(index),
            axis=axis,
            reduce=reduce,
            include_self=include_self,
        )
    return input


def _check_reduce(reduce: str, known: Sequence[str]) -> None:
    if reduce not in known:
        raise RuntimeError(f"reduce argument must be either {', '.join(known[:-1])} or {known[-1]}, got {reduce}")


# ---- along a dimension, a slice for each position


@numpy_names
def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """The slices at the given positions of a dimension += alpha * source's."""
    axis = _check_slices(input, dim, index, source, "index_add_")
    scaled = source if alpha == 1 else source * fitting(alpha, source._array.dtype)
    return _put_slices(input, axis, index, scaled, accumulate=True)


@numpy_names
def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The slices at the given positions of a dimension = source's; of a position given twice, the last."""
    axis = _check_slices(input, dim, index, source, "index_copy_")
    return _put_slices(input, axis, index, source, accumulate=False)


@numpy_names
def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """The slices at the given positions of a dimension = value, a number."""
    axis = axis_of(dim, input.ndim)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    _check_vector(index, "index_fill_")
    n = input._array.shape[axis] if input.ndim else 1
    places = index._array.reshape(-1)
    if places.size and (places.min() < -n or places.max() >= n):
        raise IndexError(f"index {places.max()} is out of bounds for dimension {axis} with size {n}")
    return _put_slices(input, axis, wrap(np.unique(places % n if n else places)), value, accumulate=False)


@numpy_names
def index_reduce_(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """As index_add_, combining with prod, mean, amax or amin."""
    axis = _check_slices(input, dim, index, source, "index_reduce_")
    _check_reduce(reduce, ("prod", "mean", "amax", "amin"))
    if index._array.size:
        shape = [-1 if i == axis else 1 for i in range(max(input.ndim, 1))]
        places = index.reshape(shape).expand(_row(source)._array.shape)
        apply_(
            _row(input),
            scattering.ScatterReduce,
            _row(source),
            places,
            axis=axis,
            reduce=reduce,
            include_self=include_self,
        )
    return input


def _put_slices(input: Tensor, axis: int, index: Tensor, source: Any, *, accumulate: bool) -> Tensor:
    where = (slice(None),) * axis + (index._array.reshape(-1),)
    apply_(_row(input), indexing.IndexPut, source, index=where, accumulate=accumulate)
    return input


def _check_vector(index: Tensor, name: str) -> None:
    check_index(index, name)
    if index.ndim > 1 and name == "index_fill_":
        raise RuntimeError("Index has to be a vector/scalar")
    if name in ("index_copy_", "index_fill_") and index._array.dtype == np.int32:
        raise (IndexError if name == "index_fill_" else RuntimeError)(f"{name}(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim}")


def _check_slices(input: Tensor, dim: int, index: Tensor, source: Tensor, name: str) -> int:
    axis = axis_of(dim, input.ndim)
    refuse_repeated(input._array)
    _check_vector(index, name)
    error = IndexError if name == "index_copy_" else RuntimeError
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"{name}(): self ({scalar_name(input._array.dtype)}) and source ({scalar_name(source._array.dtype)}) must "
            "have the same scalar type"
        )
    ours, theirs = list(input._array.shape or (1,)), list(source._array.shape or (1,))
    if len(ours) == len(theirs) and theirs[axis] != index.numel():
        raise error(
            f"{name}(): Number of indices ({index.numel()}) should be equal to source.size(dim): ({theirs[axis]}), for "
            f"dim: {axis}"
        )
    if ours[:axis] + ours[axis + 1 :] != theirs[:axis] + theirs[axis + 1 :] or len(ours) != len(theirs):
        raise (RuntimeError if len(ours) == len(theirs) else error)(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(input.shape)} source.shape = {list(source.shape)}"
        )
    places = index._array
    if places.size and (places.min() < 0 or places.max() >= ours[axis]):
        wrong = places.min() if places.min() < 0 else places.max()
        raise (RuntimeError if name == "index_add_" else IndexError)(
            f"{name}(): index {wrong} is out of bounds for dimension {axis} with size {ours[axis]}"
        )
    return axis


# ---- anywhere


def index_put_(input: Tensor, indices: Sequence[Tensor], values: Any, accumulate: bool = False) -> Tensor:
    """Set input[indices] = values; with accumulate, add them, and duplicate indices accumulate."""
    values = tensor_of(values)
    if values._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {scalar_name(input._array.dtype)} for "
            f"the destination and {scalar_name(values._array.dtype)} for the source."
        )
    where = tuple(indices)
    for i, part in enumerate(where):
        if not is_tensor(part):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(part).__name__}")
    if not accumulate:
        input[where] = values
        return input
    _, places = parse(input, where)
    return apply_(input, indexing.IndexPut, values, index=places, accumulate=True)


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """The numbers at positions counted as if flat = source's, or += source's."""
    places = flat_places(input, index, "put_")
    if source.numel() != index.numel():
        raise RuntimeError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel()}, index.numel() = {index.numel()}"
        )
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_name(input._array.dtype)} and source.dtype = {scalar_name(source._array.dtype)}"
        )
    where = np.unravel_index(places._array.reshape(-1), input._array.shape or (1,))
    apply_(_row(input), indexing.IndexPut, source.reshape(-1), index=where, accumulate=accumulate)
    return input


def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The numbers where the mask is true = source's, in order."""
    if mask._array.dtype != bool:
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {scalar_name(mask._array.dtype)}"
        )
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {scalar_name(input._array.dtype)} "
            f"and {scalar_name(source._array.dtype)}"
        )
    places = mask.expand(*input._array.shape)._array
    count = int(places.sum())
    if source.numel() < count:
        raise RuntimeError("masked_scatter_: expected self and source to have enough elements: Number of elements of "
                           f"source < number of ones in mask ({source.numel()} < {count})")  # fmt: skip
    apply_(input, indexing.IndexPut, source.reshape(-1)[:count], index=(places,), accumulate=False)
    return input


# ---- the same, on a copy


@numpy_names
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """Out-of-place version of `scatter_`: the result is a new tensor."""
    return scatter_(input.clone(), dim, index, src, value=value, reduce=reduce)


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Out-of-place version of `scatter_add_`: the result is a new tensor."""
    return scatter_add_(input.clone(), dim, index, src)


@numpy_names
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Out-of-place version of `scatter_reduce_`: the result is a new tensor."""
    return scatter_reduce_(input.clone(), dim, index, src, reduce, include_self=include_self)


@numpy_names
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """Out-of-place version of `index_add_`: the result is a new tensor."""
    return index_add_(input.clone(), dim, index, source, alpha=alpha)


@numpy_names
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Out-of-place version of `index_copy_`: the result is a new tensor."""
    return index_copy_(input.clone(), dim, index, source)


@numpy_names
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Out-of-place version of `index_fill_`: the result is a new tensor."""
    return index_fill_(input.clone(), dim, index, value)


@numpy_names
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Out-of-place version of `index_reduce_`: the result is a new tensor."""
    return index_reduce_(input.clone(), dim, index, source, reduce, include_self=include_self)


def index_put(input: Tensor, indices: Sequence[Tensor], values: Any, accumulate: bool = False) -> Tensor:
    """Out-of-place version of `index_put_`: the result is a new tensor."""
    return index_put_(input.clone(), indices, values, accumulate)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Out-of-place version of `put_`: the result is a new tensor."""
    return put_(input.clone(), index, source, accumulate)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Out-of-place version of `masked_scatter_`: the result is a new tensor."""
    shape = broadcast_shapes(input._array.shape, mask._array.shape)
    return masked_scatter_(input.expand(*shape).clone(), mask, source)
