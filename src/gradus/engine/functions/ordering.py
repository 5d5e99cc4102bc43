"""Extremes and order: max, min, sort, topk, quantile and similar functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import return_types
from gradus.engine.autograd.record import apply, apply_two, wrap
from gradus.engine.dtypes import FLOATING, Array
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.arithmetic import lerp
from gradus.engine.functions.checks import refuse_complex
from gradus.engine.functions.operands import is_tensor
from gradus.engine.functions.selection import maximum, minimum
from gradus.engine.functions.signatures import numpy_names, renamed
from gradus.engine.functions.sizes import Dims, axes_of, axis_of, index_of, one_dim
from gradus.engine.ops import indexing, reductions

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "amax", "amin", "aminmax", "argmax", "argmin", "argsort", "cummax", "cummin", "kthvalue", "max", "median", "min",
    "mode", "msort", "nanmedian", "nanquantile", "quantile", "sort", "topk",
]  # fmt: skip


# The error for a reduction over no elements.
_UNSAID = (
    "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
    "argument."
)


@numpy_names
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The maximum; its gradient is distributed evenly among equal elements."""
    return _extreme_along(input, "Amax", dim, keepdim)


@numpy_names
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The minimum; its gradient is distributed evenly among equal elements."""
    return _extreme_along(input, "Amin", dim, keepdim)


def _extreme_along(input: Tensor, called: str, dim: Dims, keepdim: bool) -> Tensor:
    axes = axes_of(dim, input.ndim)
    if not input._array.size and (dim is None or (isinstance(dim, (tuple, list)) and not dim)):
        raise RuntimeError(_UNSAID.format(called.lower()))
    for axis in axes:
        if not input._array.shape[axis]:
            raise IndexError(f"{called.lower()}(): Expected reduction dim {axis} to have non-zero size.")
    return apply(reductions.Extreme, input, axis=axes, keepdim=keepdim, called=called)


@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> return_types.aminmax:
    """The minimum and the maximum, over all elements or along a dimension."""
    if dim is None and not input._array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    dim = None if dim is None else one_dim(dim, "aminmax")
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def max(input: Tensor, dim: Any = None, keepdim: bool = False, **old: Any) -> Any:
    """The maximum; or along a dimension (values, indices); or, given a tensor, the elementwise maximum."""
    if is_tensor(dim) or "other" in old:
        return maximum(_tensor(input, "max"), old.pop("other", dim), **old)
    dim, keepdim = renamed(dim, keepdim, old)
    if dim is None:
        return _extreme(input, "Max")
    return _picked(input, _first(input, np.argmax, dim), dim, keepdim, return_types.max)


def min(input: Tensor, dim: Any = None, keepdim: bool = False, **old: Any) -> Any:
    """The minimum; or along a dimension (values, indices); or, given a tensor, the elementwise minimum."""
    if is_tensor(dim) or "other" in old:
        return minimum(_tensor(input, "min"), old.pop("other", dim), **old)
    dim, keepdim = renamed(dim, keepdim, old)
    if dim is None:
        return _extreme(input, "Min")
    return _picked(input, _first(input, np.argmin, dim), dim, keepdim, return_types.min)


def _tensor(x: Any, name: str) -> Tensor:
    if not is_tensor(x):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(x).__name__}")
    return x


def _extreme(input: Tensor, called: str) -> Tensor:
    if not _tensor(input, called.lower())._array.size:
        raise RuntimeError(_UNSAID.format(called.lower()))
    return apply(reductions.Extreme, input, axis=axes_of(None, input.ndim), keepdim=False, called=called)


def _first(input: Tensor, find: Any, dim: int) -> Array:
    axis = axis_of(one_dim(dim, find.__name__[3:]), _tensor(input, find.__name__[3:]).ndim)
    if not input.ndim:
        return np.zeros((), np.int64)
    if not input._array.shape[axis]:
        raise IndexError(f"{find.__name__[3:]}(): Expected reduction dim {axis} to have non-zero size.")
    return np.expand_dims(find(input._array, axis=axis), axis)


def _picked(input: Tensor, index: Array, dim: int, keepdim: bool, result_class: Any) -> Any:
    """The numbers at the index along a dimension, and the index."""
    axis = axis_of(dim, input.ndim)
    index = np.asarray(index, dtype=np.int64)
    squeezed = not keepdim and input.ndim > 0
    values = apply(reductions.Pick, input, index=index, axis=axis, squeezed=squeezed, called=result_class.__name__)
    return result_class(values, wrap(index.squeeze(axis) if squeezed else index))


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the maximum, the first of equals; without `dim`, into the flattened tensor. int64."""
    return _position(np.argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the minimum, the first of equals; without `dim`, into the flattened tensor. int64."""
    return _position(np.argmin, input, dim, keepdim)


def _position(find: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    if input._array.dtype == bool:
        raise RuntimeError(f"{find.__name__}(): does not support bool input")
    refuse_complex(input._array, f"{find.__name__}(): does not support complex input")
    axis = None if dim is None else axis_of(dim, input.ndim)
    if not input._array.size and (axis is None or not input._array.shape[axis]):
        raise IndexError(_UNSAID.format(find.__name__))
    if not input.ndim:
        return wrap(np.zeros((), np.int64))
    return wrap(np.asarray(find(input._array, axis=axis, keepdims=keepdim), dtype=np.int64))


# ---- order


def _order(x: Array, axis: int, descending: bool) -> Array:
    """The positions that sort x along an axis; equals keep their order, and nan counts as the largest."""
    refuse_complex(x, "Sort does not support complex dtypes on CPU")
    if not x.ndim:
        return np.zeros((), np.int64)
    if x.dtype == np.float32 and x.shape[axis] >= _MANY:
        return _order_by_keys(x, axis, descending)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    order = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - order


_MANY = 512  # elements from which sorting by integer keys is faster


def _order_by_keys(x: Array, axis: int, descending: bool) -> Array:
    """The same order, by sorting 64-bit keys of rank and position, which NumPy does with vector instructions.

    The bits of a float32, read as a whole number, are in order if the sign of a positive one is set, and all bits of a
    negative one are inverted.
    """
    rows = np.add(np.moveaxis(x, axis, -1), np.float32(0), order="C")  # -0 becomes 0
    bits = rows.view(np.uint32)
    bits[np.isnan(rows)] = 0x7FFFFFFF
    bits ^= (bits.view(np.int32) >> 31).view(np.uint32) | np.uint32(1 << 31)
    if descending:
        np.invert(bits, out=bits)
    keys = bits.astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(rows.shape[-1], dtype=np.uint64)
    keys.sort(axis=-1)
    keys &= np.uint64((1 << 32) - 1)
    return np.moveaxis(keys.view(np.int64), -1, axis)


def _first_of_order(x: Array, k: int, descending: bool) -> Array:
    """The first k of `_order` for a vector, without sorting elements that cannot be among them.

    Split the vector into parts: k of the parts' maxima are at least the k-th largest of these maxima, so every element
    below that can be left out.
    """
    n = len(x)
    parts = 8 * k if 8 * k > _MANY else _MANY
    deep = n // parts
    if deep < 4 or not k:
        return _order(x, 0, descending)[:k]
    tops = (np.max if descending else np.min)(x[: parts * deep].reshape(deep, parts), axis=0)
    place = parts - k if descending else k - 1
    bound = np.partition(tops, place)[place]
    if bound != bound:
        return _order(x, 0, descending)[:k]
    left = np.flatnonzero(~(x < bound if descending else x > bound))  # a nan stays
    return left[_order(x[left], 0, descending)[:k]]


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Sort along a dimension: (values, indices). The sort is stable even where `stable` is False."""
    index = _order(input._array, axis_of(dim, input.ndim), descending)
    return _picked(input, index, dim, True, return_types.sort)


def msort(input: Tensor) -> Tensor:
    """Sort along the first dimension."""
    values: Tensor = sort(input, 0)[0]
    return values


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Return the indices that sort a dimension. The sort is stable even where `stable` is False."""
    return wrap(np.ascontiguousarray(_order(input._array, axis_of(dim, input.ndim), descending)).reshape(input.shape))


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return the k largest (or smallest) elements along a dimension: (values, indices), always sorted."""
    k = index_of(k)
    axis = axis_of(dim, input.ndim)
    if not 0 <= k <= (input._array.shape[axis] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    x = input._array
    if not x.ndim:
        index = _order(x, axis, largest)
    elif x.shape[axis] < 4 * _MANY or x.dtype.kind not in "iuf":
        index = np.take(_order(x, axis, largest), np.arange(k), axis=axis)
    else:
        rows = np.moveaxis(x, axis, -1)
        index = np.empty((*rows.shape[:-1], k), np.int64)
        for place in np.ndindex(rows.shape[:-1]):
            index[place] = _first_of_order(rows[place], k, largest)
        index = np.moveaxis(index, -1, axis)
    return _picked(input, index, dim, True, return_types.topk)


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the k-th smallest element along a dimension, k counted from 1: (values, indices)."""
    axis, k = axis_of(dim, input.ndim), index_of(k)
    if input.ndim and not input._array.shape[axis]:
        raise IndexError(f"kthvalue(): Expected reduction dim {axis} to have non-zero size.")
    if not 1 <= k <= (input._array.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    order = _order(input._array, axis, False)
    index = np.take(order, [k - 1], axis=axis) if input.ndim else order
    return _picked(input, index, dim, keepdim, return_types.kthvalue)


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median, the lower of the two middle elements; NaN if there is a NaN. With `dim`: (values, indices)."""
    return _middle(input, dim, keepdim, return_types.median, skip_nan=False)


@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median, ignoring NaN. With `dim`: (values, indices)."""
    return _middle(input, dim, keepdim, return_types.nanmedian, skip_nan=True)


def _middle(input: Tensor, dim: int | None, keepdim: bool, result_class: Any, *, skip_nan: bool) -> Any:
    x = input._array
    axis = 0 if dim is None else axis_of(dim, x.ndim)
    if dim is not None and x.ndim and not x.shape[axis]:
        raise IndexError(f"{result_class.__name__}(): Expected reduction dim {axis} to have non-zero size.")
    if dim is None and not x.size:
        return input.new_full((), float("nan") if x.dtype.kind in FLOATING else np.iinfo(x.dtype).min)
    flat = x.reshape(-1) if dim is None else np.atleast_1d(x)
    order = _order(flat, axis, False)
    nans = np.isnan(flat).sum(axis, keepdims=True) if flat.dtype.kind in FLOATING else np.zeros((), np.int64)
    n = flat.shape[axis]
    place = np.maximum(n - nans - 1, 0) // 2 if skip_nan else np.where(nans > 0, n - nans, (n - 1) // 2)
    shape = [1 if i == axis else size for i, size in enumerate(flat.shape)]
    index = np.take_along_axis(order, np.broadcast_to(place, shape), axis)
    if dim is None:
        return apply(reductions.Middle, input, value=flat[index[0]], called=result_class.__name__)
    return _picked(input, index if input.ndim else index.reshape(()), dim, keepdim, result_class)


@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the most frequent element along a dimension, the smallest of equals: (values, indices of the last one)."""
    axis = axis_of(dim, input.ndim)
    if not input.ndim:
        return _picked(input, np.zeros((), np.int64), dim, keepdim, return_types.mode)

    def place(row: Array) -> int:
        found, counts = np.unique(row, return_counts=True)
        return int(np.flatnonzero(row == found[counts.argmax()])[-1])

    index = np.expand_dims(np.apply_along_axis(place, axis, input._array), axis)
    return _picked(input, index, dim, keepdim, return_types.mode)


@numpy_names
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The q-th quantile, interpolated between two elements; nan if there is a nan.

    Args:
        q: a number, or a tensor of at most one dimension in input's type: each in [0, 1]. One dimension leads in the
            result.
        interpolation: linear, lower, higher, midpoint or nearest.
    """
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=False)


@numpy_names
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """Return the quantile as `quantile` does, ignoring NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, skip_nan=True)


_ROUNDING = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint, "linear": None, "midpoint": None}


def _quantile(input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, *, skip_nan: bool) -> Tensor:
    share = _share(input, q, interpolation)
    x = input.reshape(-1) if dim is None or not input.ndim else input
    axis = axis_of(0 if dim is None else dim, x.ndim)
    ordered = sort(x, axis)[0].movedim(axis, -1).unsqueeze(-2)  # (..., 1, n)
    last = ordered.size(-1) - 1
    nans = np.isnan(ordered._array).sum(-1)  # (..., 1)
    if skip_nan:
        place = share.reshape(-1) * wrap(np.maximum(last - nans, 0).astype(x._array.dtype))
    else:
        place = (share.reshape(-1) * last).masked_fill(wrap(nans > 0), last)  # the last number is a nan
    if (rounded := _ROUNDING[interpolation]) is not None:
        place = wrap(rounded(place._array))
    below = np.floor(place._array).astype(np.int64)
    out = _along(ordered, below)
    if rounded is None:
        weight = place - wrap(below.astype(x._array.dtype)) if interpolation == "linear" else 0.5
        out = lerp(out, _along(ordered, np.ceil(place._array).astype(np.int64)), weight)
    shape = [1] * input.ndim if dim is None else [1 if i == axis else n for i, n in enumerate(input.shape)]
    return out.movedim(-1, 0).reshape(*share.shape, *(shape if keepdim else out.shape[:-1]))


def _share(input: Tensor, q: Any, interpolation: str) -> Tensor:
    """q as a tensor of input's dtype; raises an error if it is invalid."""
    dtype = input._array.dtype
    if not input.numel():
        raise RuntimeError("quantile() input tensor must be non-empty")
    if dtype not in (np.float32, np.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if interpolation not in _ROUNDING:
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    if not is_tensor(q):
        q = wrap(np.asarray(q, dtype=dtype))
    if q.ndim > 1:
        raise RuntimeError(f"quantile() q must be a scalar or 1D tensor but got {q.ndim} dimensions")
    if q._array.dtype != dtype:
        raise RuntimeError(
            f"quantile() q tensor must be same dtype as the input tensor, but got {scalar_name(q._array.dtype)} for "
            f"{scalar_name(dtype)}"
        )
    if np.any(q._array < 0) or np.any(q._array > 1):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    return q


def _along(ordered: Tensor, place: Array) -> Tensor:
    """The numbers of (..., 1, n) at the places (..., q) of the last dimension."""
    rows: Tensor = ordered.squeeze(-2)
    return apply_two(
        indexing.Gather, rows, wrap(np.broadcast_to(place, (*rows.shape[:-1], place.shape[-1]))), rows.ndim - 1
    )


@numpy_names
def cummax(input: Tensor, dim: int) -> Any:
    """Return the cumulative maximum along a dimension: (values, indices of the last of equals); NaN propagates."""
    return _running(input, dim, np.greater_equal, return_types.cummax)


@numpy_names
def cummin(input: Tensor, dim: int) -> Any:
    """Return the cumulative minimum along a dimension: (values, indices of the last of equals); NaN propagates."""
    return _running(input, dim, np.less_equal, return_types.cummin)


def _running(input: Tensor, dim: int, better: Any, result_class: Any) -> Any:
    refuse_complex(input._array, f"{result_class.__name__}: does not support complex input", NotImplementedError)
    axis = axis_of(dim, input.ndim)
    if not input.ndim:
        return _picked(input, np.zeros((), np.int64), dim, True, result_class)
    x = np.moveaxis(input._array, axis, 0)
    index = np.zeros(x.shape, np.int64)
    for i in range(1, len(x)):
        best = np.take_along_axis(x, index[i - 1 : i], 0)[0]
        index[i] = np.where(better(x[i], best) | (x[i] != x[i]), i, index[i - 1])
    places = wrap(np.ascontiguousarray(np.moveaxis(index, 0, axis)))
    return result_class(apply_two(indexing.Gather, input, places, axis), places)
