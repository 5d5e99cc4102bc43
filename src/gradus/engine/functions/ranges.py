"""Ranges: arange, linspace, logspace; also the indices of triangles and Vandermonde matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import apply, wrap
from gradus.engine.dtypes import Array
from gradus.engine.dtypes import dtype as DType
from gradus.engine.functions.checks import refuse_bool_dtype, refuse_unknown
from gradus.engine.functions.creation import float_dtype, leaf
from gradus.engine.functions.operands import is_tensor
from gradus.engine.functions.reductions import cumprod
from gradus.engine.functions.reordering import flip
from gradus.engine.functions.sizes import index_of
from gradus.engine.ops.shapes import Cat

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["arange", "linspace", "logspace", "tril_indices", "triu_indices", "vander"]


def _number(x: Any, function: str, name: str) -> Any:
    """A Python number, given as one, as NumPy's or as a 0-d tensor."""
    if (is_tensor(x) and not x.ndim) or isinstance(x, np.generic):
        x = x.item()
    if not isinstance(x, (int, float)):
        raise TypeError(f"{function}(): argument '{name}' must be Number, not {type(x).__name__}")
    return x


def arange(
    *ends: Any,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **named: Any,
) -> Tensor:
    """start, start + step, ... up to but not including end: `arange(end)`, `arange(start, end, step=1)`.

    int64 if all three are integers; an integer dtype truncates them first, as in PyTorch.
    """
    refuse_unknown("arange", {k: v for k, v in named.items() if k not in ("start", "end", "step")})
    dtypes.check_device(device)
    start, end, step = (_number(x, "arange", name) for name, x in _ends(ends, named))
    whole = not any(isinstance(x, float) for x in (start, end, step))
    numpy_dtype = dtypes.to_numpy(dtype) if dtype is not None else np.dtype(np.int64) if whole else float_dtype(None)
    refuse_bool_dtype(numpy_dtype, "arange_cpu")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) / step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    count = math.ceil((end - start) / step)
    if numpy_dtype.kind in "iu":
        first, last, step = int(start), int(end), int(step)
        if numpy_dtype == np.int64:
            if step == 0:
                raise ValueError("step must be nonzero")
            count = max(-((first - last) // step), 0)
        array = np.arange(count, dtype=np.int64) * step + first
    else:
        array = start + step * np.arange(count)
    return leaf(array.astype(numpy_dtype), requires_grad)


def _ends(ends: tuple[Any, ...], named: dict[str, Any]) -> list[tuple[str, Any]]:
    """(name, value) of start, end and step."""
    order = ("end",) if len(ends) == 1 and "end" not in named else ("start", "end", "step")
    given = dict(zip(order, ends, strict=False))
    if len(ends) > len(order) or given.keys() & named.keys() or "end" not in given.keys() | named.keys():
        raise TypeError(
            "arange() received an invalid combination of arguments: expected (end), (start, end) or (start, end, "
            f"step), but got {len(ends)} of them and {sorted(named)}"
        )
    given |= {name: x for name, x in named.items() if name in ("start", "end", "step")}
    return [("start", given.get("start", 0)), ("end", given["end"]), ("step", given.get("step", 1))]


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """`steps` evenly spaced numbers from start to end; those of an integer dtype are truncated, not rounded."""
    refuse_unknown("linspace", others)
    dtypes.check_device(device)
    numpy_dtype = float_dtype(dtype)
    refuse_bool_dtype(numpy_dtype, "linspace_cpu")
    return leaf(_evenly(start, end, steps, numpy_dtype, "linspace").astype(numpy_dtype), requires_grad)


def _evenly(start: Any, end: Any, steps: Any, dtype: np.dtype[Any], name: str) -> Array:
    """Computed from both ends towards the middle, as in PyTorch, in the given dtype, or float64 for integers."""
    steps = index_of(steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    for which, x in (("start", start), ("end", end)):
        if is_tensor(x) and x.ndim:
            raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got {which} with "
                               f"{x.ndim} dimension(s).")  # fmt: skip
    ends = [_number(start, name, "start"), _number(end, name, "end")]
    if dtype.kind in "iu":
        dtype = np.dtype(np.float64)
        ends = ends if steps == 1 else [int(x) for x in ends]
    first, last = map(dtype.type, ends)
    if steps < 2:
        return np.full(steps, first)
    step, place = (last - first) / dtype.type(steps - 1), np.arange(steps).astype(dtype)
    return np.where(place < steps // 2, first + step * place, last - step * (steps - 1 - place))


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    **others: Any,
) -> Tensor:
    """base raised to evenly spaced powers from start to end."""
    refuse_unknown("logspace", others)
    dtypes.check_device(device)
    numpy_dtype = float_dtype(dtype)
    refuse_bool_dtype(numpy_dtype, "logspace_cpu")
    exponents = _evenly(start, end, steps, numpy_dtype, "logspace")
    return leaf(np.power(exponents.dtype.type(base), exponents).astype(numpy_dtype), requires_grad)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: a row of powers x^(N-1) ... 1 for each element, or in increasing order."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = len(x) if N is None else index_of(N)
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    x = x if x.is_floating_point() or x.is_complex() else x.to(dtypes.int64)
    factors = apply(Cat, x.new_ones(len(x), min(n, 1)), x.unsqueeze(1).expand(-1, max(n - 1, 0)), axis=1)
    powers = cumprod(factors, 1)
    return powers if increasing else flip(powers, 1)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DType = dtypes.int64, **others: Any) -> Tensor:
    """The row and column indices of the lower triangle of a matrix: (2, n)."""
    return _triangle(np.tril_indices, row, col, offset, dtype, others)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DType = dtypes.int64, **others: Any) -> Tensor:
    """The row and column indices of the upper triangle of a matrix: (2, n)."""
    return _triangle(np.triu_indices, row, col, offset, dtype, others)


def _triangle(places: Any, row: int, col: int, offset: int, dtype: DType, others: dict[str, Any]) -> Tensor:
    name = places.__name__
    refuse_unknown(name, others)
    row, col = index_of(row), index_of(col)
    for which, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{which} must be non-negative, got {n}")
    numpy_dtype = dtypes.to_numpy(dtype)
    if numpy_dtype not in (np.int64, np.int32):
        raise NotImplementedError(f'"{name}" not implemented for {dtype}')
    return wrap(np.stack(places(row, offset, col)).astype(numpy_dtype))
