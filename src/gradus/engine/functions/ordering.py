"""Which is largest, and in what order: extremes, sorting, ranks, quantiles, sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import return_types
from gradus.engine.dtypes import Array
from gradus.engine.functions.operands import (
    Dims,
    axes_of,
    axis_of,
    is_tensor,
    refuse_complex,
    renamed,
    same_type,
    tensor_of,
)
from gradus.engine.functions.pointwise import maximum, minimum
from gradus.engine.ops import index as ix
from gradus.engine.ops import reduce as rd
from gradus.engine.variable import apply, apply_two, wrap

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "amax",
    "amin",
    "aminmax",
    "argmax",
    "argmin",
    "argsort",
    "bucketize",
    "cummax",
    "cummin",
    "histogram",
    "kthvalue",
    "max",
    "median",
    "min",
    "mode",
    "msort",
    "nanmedian",
    "quantile",
    "searchsorted",
    "sort",
    "topk",
    "unique",
    "unique_consecutive",
]  # fmt: skip


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False, **old: Any) -> Tensor:
    """The largest; its gradient is shared among equals."""
    return _extreme_along(input, "Amax", *renamed(dim, keepdim, old))


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False, **old: Any) -> Tensor:
    """The smallest; its gradient is shared among equals."""
    return _extreme_along(input, "Amin", *renamed(dim, keepdim, old))


def _extreme_along(input: Tensor, called: str, dim: Dims, keepdim: bool) -> Tensor:
    axes = axes_of(dim, input.ndim)
    for axis in axes:
        if not input._array.shape[axis]:
            raise IndexError(f"{called.lower()}(): Expected reduction dim {axis} to have non-zero size.")
    return apply(rd.Extreme, input, axis=axes, keepdim=keepdim, called=called)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> return_types.aminmax:
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def max(input: Tensor, dim: Any = None, keepdim: bool = False, **old: Any) -> Any:
    """The largest number; or along a dimension (values, indices); or, given a tensor, the larger of each pair."""
    if is_tensor(dim) or "other" in old:
        return maximum(input, old.get("other", dim))
    dim, keepdim = renamed(dim, keepdim, old)
    if dim is None:
        return _extreme(input, "Max")
    return _picked(input, _first(input, np.argmax, dim), dim, keepdim, return_types.max)


def min(input: Tensor, dim: Any = None, keepdim: bool = False, **old: Any) -> Any:
    """The smallest number; or along a dimension (values, indices); or, given a tensor, the smaller of each pair."""
    if is_tensor(dim) or "other" in old:
        return minimum(input, old.get("other", dim))
    dim, keepdim = renamed(dim, keepdim, old)
    if dim is None:
        return _extreme(input, "Min")
    return _picked(input, _first(input, np.argmin, dim), dim, keepdim, return_types.min)


def _extreme(input: Tensor, called: str) -> Tensor:
    if not input._array.size:
        raise RuntimeError(
            f"{called.lower()}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim "
            "with the 'dim' argument."
        )
    return apply(rd.Extreme, input, axis=axes_of(None, input.ndim), keepdim=False, called=called)


def _first(input: Tensor, find: Any, dim: int) -> Array:
    axis = axis_of(dim, input.ndim)
    if not input.ndim:
        return np.zeros((), np.int64)
    if not input._array.shape[axis]:
        raise IndexError(f"{find.__name__[3:]}(): Expected reduction dim {axis} to have non-zero size.")
    return np.expand_dims(find(input._array, axis=axis), axis)


def _picked(input: Tensor, index: Array, dim: int, keepdim: bool, made: Any) -> Any:
    """The numbers at the index along a dimension, and the index."""
    axis = axis_of(dim, input.ndim)
    index = np.asarray(index, dtype=np.int64)
    squeezed = not keepdim and input.ndim > 0
    values = apply(rd.Pick, input, index=index, axis=axis, squeezed=squeezed, called=made.__name__)
    return made(values, wrap(index.squeeze(axis) if squeezed else index))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, **old: Any) -> Tensor:
    """Where the largest is, the first of equals; over all numbers, counted as if flat."""
    return _position(np.argmax, input, *renamed(dim, keepdim, old))


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, **old: Any) -> Tensor:
    """Where the smallest is, the first of equals; over all numbers, counted as if flat."""
    return _position(np.argmin, input, *renamed(dim, keepdim, old))


def _position(find: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    if input._array.dtype == bool:
        raise RuntimeError(f"{find.__name__}(): does not support bool input")
    refuse_complex(input._array, f"{find.__name__}(): does not support complex input")
    axis = None if dim is None else axis_of(dim, input.ndim)
    if not input._array.size and (axis is None or not input._array.shape[axis]):
        raise IndexError(
            f"{find.__name__}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument."
        )
    if not input.ndim:
        return wrap(np.zeros((), np.int64))
    return wrap(np.asarray(find(input._array, axis=axis, keepdims=keepdim), dtype=np.int64))


# ---- order


def _order(x: Array, axis: int, descending: bool) -> Array:
    """The positions that sort x along an axis; equals keep their order, and nan counts as the largest."""
    refuse_complex(x, "Sort does not support complex dtypes on CPU")
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    order = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - order


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices) in rising order along a dimension."""
    index = _order(input._array, axis_of(dim, input.ndim), descending)
    return _picked(input, index, dim, True, return_types.sort)


def msort(input: Tensor) -> Tensor:
    """Sorted along the first dimension."""
    values: Tensor = sort(input, 0)[0]
    return values


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    return wrap(np.ascontiguousarray(_order(input._array, axis_of(dim, input.ndim), descending)).reshape(input.shape))


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest (or smallest) along a dimension, in order."""
    axis = axis_of(dim, input.ndim)
    if not 0 <= k <= (input._array.shape[axis] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    order = _order(input._array, axis, largest)
    index = np.take(order, np.arange(k), axis=axis) if input.ndim else order
    return _picked(input, index, dim, True, return_types.topk)


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """(value, index) of the k-th smallest along a dimension, counted from 1."""
    axis = axis_of(dim, input.ndim)
    if not 1 <= k <= (input._array.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    order = _order(input._array, axis, False)
    index = np.take(order, [k - 1], axis=axis) if input.ndim else order
    return _picked(input, index, dim, keepdim, return_types.kthvalue)


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle number, the lower one of two; along a dimension (values, indices)."""
    if dim is None:
        x = input.reshape(-1)
        order = _order(x._array, 0, False)
        return _picked(x, order[(len(order) - 1) // 2 :][:1], 0, False, return_types.median).values
    axis = axis_of(dim, input.ndim)
    order = _order(input._array, axis, False)
    index = np.take(order, [(input._array.shape[axis] - 1) // 2], axis=axis) if input.ndim else order
    return _picked(input, index, dim, keepdim, return_types.median)


def nanmedian(input: Tensor) -> Tensor:
    """The median of those that are numbers."""
    kept = input.reshape(-1)[~input.reshape(-1).isnan()]
    found: Tensor = median(kept if kept.numel() else input)
    return found


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the most frequent number along a dimension, the smallest of equals; where it comes last."""
    axis = axis_of(dim, input.ndim)
    if not input.ndim:
        return _picked(input, np.zeros((), np.int64), dim, keepdim, return_types.mode)

    def place(row: Array) -> int:
        found, counts = np.unique(row, return_counts=True)
        return int(np.flatnonzero(row == found[counts.argmax()])[-1])

    index = np.expand_dims(np.apply_along_axis(place, axis, input._array), axis)
    return _picked(input, index, dim, keepdim, return_types.mode)


def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """What a share q of the numbers lies below, interpolated between two of them."""
    x = input.reshape(-1) if dim is None else input
    axis = 0 if dim is None else axis_of(dim, input.ndim)
    share = q._array if is_tensor(q) else np.asarray(q, dtype=np.float64)
    if np.any(share < 0) or np.any(share > 1):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    ordered = sort(x.reshape(1) if not x.ndim else x, axis)[0].movedim(axis, -1)
    place = share.astype(np.float64) * (ordered.size(-1) - 1)
    rounding = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}
    if interpolation in rounding:
        place = rounding[interpolation](place)
    below, above = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    weight = wrap(np.asarray(place - below, dtype=x._array.dtype))
    low, high = ordered[..., wrap(below)], ordered[..., wrap(above)]
    out = (low + high) / 2 if interpolation == "midpoint" else low + (high - low) * weight
    if share.ndim:
        out = out.movedim(-1, 0)
    if keepdim:
        shape = [1] * input.ndim if dim is None else [1 if i == axis else n for i, n in enumerate(input.shape)]
        out = out.reshape(*([len(share)] if share.ndim else []), *shape)
    return out


def cummax(input: Tensor, dim: int) -> Any:
    """(values, indices) of the largest so far along a dimension, the last of equals."""
    return _running(input, dim, np.greater_equal, return_types.cummax)


def cummin(input: Tensor, dim: int) -> Any:
    """(values, indices) of the smallest so far along a dimension, the last of equals."""
    return _running(input, dim, np.less_equal, return_types.cummin)


def _running(input: Tensor, dim: int, better: Any, made: Any) -> Any:
    refuse_complex(input._array, f"{made.__name__}: does not support complex input", NotImplementedError)
    axis = axis_of(dim, input.ndim)
    if not input.ndim:
        return _picked(input, np.zeros((), np.int64), dim, True, made)
    x = np.moveaxis(input._array, axis, 0)
    index = np.zeros(x.shape, np.int64)
    for i in range(1, len(x)):
        best = np.take_along_axis(x, index[i - 1 : i], 0)[0]
        index[i] = np.where(better(x[i], best), i, index[i - 1])
    places = wrap(np.ascontiguousarray(np.moveaxis(index, 0, axis)))
    return made(apply_two(ix.Gather, input, places, axis), places)


# ---- sets and intervals


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different numbers, in order; if asked, where each one went, and how often each comes."""
    refuse_complex(input._array, "unique(): does not support complex input", NotImplementedError)
    found: Any = np.unique(  # type: ignore[call-overload]
        input._array, return_inverse=return_inverse, return_counts=return_counts, axis=dim
    )
    if not isinstance(found, tuple):
        return wrap(found)
    return tuple(wrap(part) for part in found)


def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The numbers without those that equal the one before."""
    x = input._array.reshape(-1)
    fresh = np.ones(len(x), dtype=bool)
    fresh[1:] = x[1:] != x[:-1]
    found = [wrap(x[fresh])]
    if return_inverse:
        found.append(wrap((np.cumsum(fresh) - 1).reshape(input.shape)))
    if return_counts:
        found.append(wrap(np.diff(np.append(np.flatnonzero(fresh), len(x)))))
    return found[0] if len(found) == 1 else tuple(found)


def searchsorted(
    sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None
) -> Tensor:
    """Where each number would go in a sorted sequence, row by row if that has more than one dimension."""
    where: Any = "right" if right or side == "right" else "left"
    a, b = same_type(sorted_sequence, tensor_of(input))
    rows, values = a._array, b._array
    if rows.ndim == 1:
        found = np.searchsorted(rows, values, side=where)
    else:
        flat, wanted = rows.reshape(-1, rows.shape[-1]), values.reshape(-1, values.shape[-1])
        found = np.stack([np.searchsorted(row, w, side=where) for row, w in zip(flat, wanted, strict=True)])
        found = found.reshape(values.shape)
    return wrap(np.asarray(found, dtype=np.int32 if out_int32 else np.int64))


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Which interval between the boundaries each number lies in."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> return_types.histogram:
    """How many numbers fall in each of `bins` equal intervals, or their density; and the intervals' ends."""
    x = input._array
    if is_tensor(bins):
        ends: Any = bins._array
    else:
        low, high = range if range is not None else (float(x.min()), float(x.max()))
        if low == high:
            low, high = low - 0.5, high + 0.5
        ends = np.linspace(low, high, bins + 1)
    counts, edges = np.histogram(x, ends, weights=None if weight is None else weight._array, density=density)
    return return_types.histogram(wrap(counts.astype(x.dtype)), wrap(edges.astype(x.dtype)))
