"""Counting: unique elements, histograms, and searching in sorted sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import return_types
from gradus.engine.autograd.record import wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import floating_only, refuse_complex
from gradus.engine.functions.operands import Number, is_tensor, tensor_of
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axis_of

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "bincount", "bucketize", "histc", "histogram", "histogramdd", "searchsorted", "unique", "unique_consecutive",
]  # fmt: skip


# ---- sets


@numpy_names
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The unique elements (or slices along a dimension), sorted whatever `sorted` is. With `return_inverse`, also the
    index of each element in the output; with `return_counts`, how often each occurs.
    """
    refuse_complex(input._array, "unique(): does not support complex input", NotImplementedError)
    axis = None if dim is None else _axis(dim, input)
    found, inverse, counts = np.unique(
        input._array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    inverse = inverse.reshape(input._array.shape if axis is None else -1)
    return _asked(found, inverse, counts, return_inverse, return_counts)


@numpy_names
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Remove consecutive duplicate elements (or slices along `dim`).

    With `return_inverse`, also the index of each element in the output; with `return_counts`, the length of each run.
    """
    axis = 0 if dim is None else _axis(dim, input)
    x = np.moveaxis(np.atleast_1d(input._array), axis, 0) if dim is not None else input._array.reshape(-1)
    fresh = np.ones(len(x), dtype=bool)
    fresh[1:] = (x[1:] != x[:-1]).any(axis=tuple(range(1, x.ndim)))
    found = np.ascontiguousarray(np.moveaxis(x[fresh], 0, axis))
    inverse = np.cumsum(fresh) - 1
    counts = np.diff(np.append(np.flatnonzero(fresh), len(x)))
    shape = input._array.shape if dim is None else (-1,)
    return _asked(found, inverse.reshape(shape), counts, return_inverse, return_counts)


def _axis(dim: int, input: Tensor) -> int:
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = axis_of(dim, input.ndim)
    if any(not n for i, n in enumerate(input._array.shape) if i != axis):
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    return axis


def _asked(found: Array, inverse: Array, counts: Array, return_inverse: bool, return_counts: bool) -> Any:
    given = [found, *[inverse] * return_inverse, *[counts] * return_counts]
    return wrap(found) if len(given) == 1 else tuple(wrap(part) for part in given)


# ---- the place in a sorted sequence


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each number would go in a sorted sequence, row by row if that has more than one dimension.

    Args:
        sorted_sequence: (..., n), its last dimension ascending (or sorted by `sorter`).
        input: (..., m), the other dimensions as the sequence's unless that has only one; or a number.
        right: the position after equal elements instead of before them; the same as `side="right"`.
        sorter: int64, the positions that sort the sequence, as from argsort.
    """
    name = "torch.searchsorted()"
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{name}: side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(f"{name}: side and right can't be set to opposites, got side of left while right was True")
    rows, values = sorted_sequence._array, _values(sorted_sequence, input, name)
    if not rows.ndim:
        raise RuntimeError(f"{name}: input value can be a scalar only when boundaries tensor dimension is 1, but got")
    if rows.ndim > 1 and (values.ndim != rows.ndim or values.shape[:-1] != rows.shape[:-1]):
        raise RuntimeError(
            f"{name}: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
            f"input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input value tensor "
            f"{list(values.shape)}"
        )
    if sorter is not None:
        rows = np.take_along_axis(rows, _sorter(sorter, rows.shape), -1)
    where: Any = "right" if right or side == "right" else "left"
    if rows.ndim == 1:
        found = np.asarray(np.searchsorted(rows, values, side=where))
    else:
        found = np.zeros(values.shape, np.int64)
        for place in np.ndindex(rows.shape[:-1]):
            found[place] = np.searchsorted(rows[place], values[place], side=where)
    return wrap(found.astype(np.int32 if out_int32 else np.int64, copy=False))


def _values(boundaries: Tensor, input: Any, name: str) -> Array:
    """What is looked up: a number, in the boundaries' type; or a tensor that has it."""
    if not is_tensor(input):
        return np.asarray(tensor_of(input)._array, dtype=boundaries._array.dtype)
    if input._array.dtype != boundaries._array.dtype:
        raise RuntimeError(
            f"{name}: boundary tensor and input value tensor should have same dtype, but got boundary tensor dtype "
            f"{scalar_name(boundaries._array.dtype)} and input value tensor dtype {scalar_name(input._array.dtype)}"
        )
    return input._array


def _sorter(sorter: Tensor, shape: tuple[int, ...]) -> Array:
    if sorter._array.shape != shape:
        raise RuntimeError(
            f"torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor {list(shape)} "
            f"and got sorter tensor {list(sorter.shape)}"
        )
    if sorter._array.dtype != np.int64:
        raise RuntimeError(
            f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype "
            f"{scalar_name(sorter._array.dtype)}"
        )
    if sorter.numel() and (sorter._array.min() < 0 or sorter._array.max() >= shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return sorter._array


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Return the index of the interval between the boundaries (a sorted vector) that each element is in; int64."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# ---- counts


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Count each value of a vector of non-negative integers, or sum the weights of its occurrences.

    Returns:
        (max(input) + 1,), or (minlength,) if that is more: int64; with weights float32 if they are, else float64.
    """
    x = input._array
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None or not x.size:
        return wrap(np.bincount(x, minlength=minlength))
    if weights._array.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    sums = np.zeros(max(int(x.max()) + 1, minlength), np.float32 if weights._array.dtype == np.float32 else np.float64)
    np.add.at(sums, x, weights._array)
    return wrap(sums)


def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """Count the elements in `bins` equal intervals from min to max, or over the range of input if min = max."""
    x = floating_only(input, "histogram_cpu")._array.reshape(-1)
    if bins <= 0:
        raise RuntimeError("torch.histc: bins must be > 0")
    low, high = _ends(x, (min, max) if min != max else None, 1, "torch.histc")
    x = x[(x >= low) & (x <= high)]
    steps = (x - x.dtype.type(low)) * x.dtype.type(bins) / x.dtype.type(high - low)
    places = np.minimum(steps.astype(np.int64), bins - 1)
    return wrap(np.bincount(places, minlength=bins).astype(x.dtype))


def _ends(x: Array, range: Sequence[float] | None, wider: float, name: str) -> tuple[float, float]:
    """The start of the first interval and the end of the last."""
    low, high = range if range is not None else (x.min(), x.max()) if x.size else (0, 2 * wider)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min")
    return (float(low) - wider, float(high) + wider) if low == high else (float(low), float(high))


def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> return_types.histogram:
    """Count the elements in each interval, or sum their weights, or compute their density; also return the interval
    edges.

    Args:
        bins: how many intervals of equal width, or a tensor of their ends.
        range: the start of the first and the end of the last; None means the minimum and maximum of input.
    """
    counts, (ends,) = histogramdd(
        input.reshape(-1, 1),
        [bins.clone() if is_tensor(bins) else bins],
        range=range,
        weight=None if weight is None else _same_shape(weight, input).reshape(-1),
        density=density,
    )
    return return_types.histogram(counts, ends)


def _same_shape(weight: Tensor, input: Tensor) -> Tensor:
    if weight._array.shape != input._array.shape:
        raise RuntimeError(
            "torch.histogramdd(): if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(input.shape)} and weight with shape "
            f"{list(weight.shape)}"
        )
    return weight


def histogramdd(
    input: Tensor,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> return_types.histogramdd:
    """As `histogram`, of points: input is (..., D), and bins gives the intervals of each of the D coordinates.

    Returns:
        hist: of D dimensions, in input's type.
        bin_edges: D tensors, the ends of the intervals.
    """
    x = floating_only(input, "histogramdd")._array
    x = x.reshape(-1, x.shape[-1])
    each = [bins] * x.shape[1] if isinstance(bins, int) else list(bins)
    if len(each) != x.shape[1]:
        raise RuntimeError(
            f"torch.histogramdd(): The size of bins must be equal to the innermost dimension of the input, but got "
            f"{len(each)} and {x.shape[1]}"
        )
    ends = [_edges(x[:, i], b, None if range is None else range[2 * i : 2 * i + 2]) for i, b in enumerate(each)]
    places, inside = [], np.ones(len(x), bool)
    for column, edges in zip(x.T, ends, strict=True):
        inside &= (column >= edges[0]) & (column <= edges[-1])
        places.append(np.minimum(np.searchsorted(edges, column, "right") - 1, len(edges) - 2))
    counts = np.zeros([len(edges) - 1 for edges in ends], x.dtype)
    weights: Any = 1 if weight is None else weight._array.reshape(-1)[inside]
    np.add.at(counts, tuple(place[inside] for place in places), weights)
    if density:
        widths: Any = np.ones((), x.dtype)
        for edges in ends:
            widths = np.multiply.outer(widths, np.diff(edges))
        counts = counts / counts.sum() / widths
    return return_types.histogramdd(wrap(counts.astype(x.dtype)), tuple(wrap(edges) for edges in ends))


def _edges(x: Array, bins: Any, range: Sequence[float] | None) -> Array:
    """The interval edges along one coordinate."""
    if is_tensor(bins):
        return bins._array
    if bins <= 0:
        raise RuntimeError("torch.histogram(): bins must be > 0")
    low, high = _ends(x, range, 0.5, "torch.histogram()")
    return np.linspace(low, high, bins + 1).astype(x.dtype)
