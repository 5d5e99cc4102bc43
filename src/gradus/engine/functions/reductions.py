"""Many numbers to fewer: sums, means, spreads, norms, running totals, and softmax."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.dtypes import FLOATING, int64
from gradus.engine.dtypes import dtype as DType
from gradus.engine.functions.operands import (
    Dims,
    Number,
    axes_of,
    axis_of,
    floating,
    floating_only,
    renamed,
    scalar_name,
)
from gradus.engine.ops import network as net
from gradus.engine.ops import reduce as rd
from gradus.engine.variable import apply, apply_one, wrap

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "bincount",
    "corrcoef",
    "cov",
    "cumprod",
    "cumsum",
    "dist",
    "histc",
    "log_softmax",
    "logcumsumexp",
    "logsumexp",
    "mean",
    "nanmean",
    "nansum",
    "norm",
    "numel",
    "prod",
    "softmax",
    "std",
    "std_mean",
    "sum",
    "trace",
    "trapezoid",
    "trapz",
    "var",
    "var_mean",
]  # fmt: skip


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None, **old: Any) -> Tensor:
    """Σ input, over all or over the given dimensions. Sums of integers are int64."""
    if old:
        dim, keepdim = renamed(dim, keepdim, old)
    x = input if dtype is None and input._array.dtype.kind in FLOATING else _summable(input, dtype)
    return apply_one(rd.Sum, x, (axes_of(dim, x._array.ndim), keepdim))


def _summable(x: Tensor, dtype: DType | None) -> Tensor:
    if dtype is not None:
        return x.to(dtype)
    return x if x._array.dtype.kind in FLOATING else x.to(int64)


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """As sum, nan counting 0."""
    return sum(input.masked_fill(input.isnan(), 0), dim, keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None, **old: Any) -> Tensor:
    """Σ input / n."""
    if old:
        dim, keepdim = renamed(dim, keepdim, old)
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{scalar_name(x._array.dtype)}"
        )
    return apply_one(rd.Mean, x, (axes_of(dim, x._array.ndim), keepdim))


def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The mean of those that are numbers."""
    return nansum(input, dim, keepdim) / sum(~input.isnan(), dim, keepdim)


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number = 1,
    **old: Any,
) -> Tensor:
    """Σ (input - mean)² / (n - correction)."""
    return _spread(rd.Var, input, dim, unbiased, keepdim, correction, old)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number = 1,
    **old: Any,
) -> Tensor:
    """√var."""
    return _spread(rd.Std, input, dim, unbiased, keepdim, correction, old)


def _spread(
    op: Any, input: Tensor, dim: Any, unbiased: bool | None, keepdim: bool, correction: Number, old: dict[str, Any]
) -> Tensor:
    if isinstance(dim, bool):  # x.var(False): the older call, without a dimension
        dim, unbiased = None, dim
    if old:
        dim, keepdim = renamed(dim, keepdim, old)
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError("std and var only support floating point and complex dtypes")
    if unbiased is not None:
        correction = int(unbiased)
    if input.is_complex():  # that of the two parts together
        parts = [_spread(rd.Var, part, dim, None, keepdim, correction, {}) for part in (input.real, input.imag)]
        return parts[0] + parts[1] if op is rd.Var else (parts[0] + parts[1]).sqrt()
    axis = axes_of(dim, input._array.ndim)
    freedom = rd.count(input._array.shape, axis) - correction
    if freedom <= 0:
        warnings.warn(
            f"{op.__name__.lower()}(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction "
            "factor (input numel divided by output numel).",
            UserWarning,
            stacklevel=3,
        )
    return apply_one(op, input, (axis, keepdim, max(freedom, 0)))


def var_mean(input: Tensor, dim: Any = None, *args: Any, **options: Any) -> tuple[Tensor, Tensor]:
    """(var, mean)."""
    keep = {name: value for name, value in options.items() if name in ("keepdim", "keepdims")}
    return var(input, dim, *args, **options), mean(input, None if isinstance(dim, bool) else dim, **keep)


def std_mean(input: Tensor, dim: Any = None, *args: Any, **options: Any) -> tuple[Tensor, Tensor]:
    """(std, mean)."""
    keep = {name: value for name, value in options.items() if name in ("keepdim", "keepdims")}
    return std(input, dim, *args, **options), mean(input, None if isinstance(dim, bool) else dim, **keep)


def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None, **old: Any) -> Tensor:
    """Π input. Products of integers are int64."""
    dim, keepdim = renamed(dim, keepdim, old)
    return apply(rd.Prod, _summable(input, dtype), axis=axes_of(dim, input.ndim), keepdim=keepdim)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, **old: Any) -> Tensor:
    """log Σ exp(input)."""
    dim, keepdim = renamed(dim, keepdim, old)
    return apply(rd.LogSumExp, floating(input), axis=axes_of(dim, input.ndim), keepdim=keepdim)


def norm(input: Tensor, p: Any = 2, dim: Dims = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """(Σ |x|ᵖ)^(1/p); p may be inf, -inf, 0 (how many are not 0) or "fro" (2)."""
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{scalar_name(x._array.dtype)}"
        )
    order = 2.0 if p in ("fro", None) else float(p)
    x = x.abs() if x.is_complex() else x
    return apply(rd.Norm, x, p=order, axis=axes_of(dim, input.ndim), keepdim=keepdim)


def dist(input: Tensor, other: Tensor, p: Any = 2) -> Tensor:
    """The norm of input - other."""
    return norm(input - other, p)


def softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """eˣ / Σ eˣ along a dimension."""
    x = floating_only(input if dtype is None else input.to(dtype), "softmax_lastdim_kernel_impl")
    return apply_one(net.Softmax, x, axis_of(dim, x.ndim))


def log_softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """x - log Σ eˣ along a dimension."""
    x = floating_only(input if dtype is None else input.to(dtype), "log_softmax_lastdim_kernel_impl")
    return apply_one(net.LogSoftmax, x, axis_of(dim, x.ndim))


def cumsum(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Running sums along a dimension."""
    return apply_one(rd.Cumsum, _summable(input, dtype), axis_of(dim, input.ndim))


def cumprod(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Running products along a dimension."""
    return apply_one(rd.Cumprod, _summable(input, dtype), axis_of(dim, input.ndim))


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log of the running sums of exp(input) along a dimension."""
    top = input.detach().amax(dim, keepdim=True)
    return cumsum((input - top).exp(), dim).log() + top


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The area under y by trapezoids, at the places x or at steps of dx."""
    n = y.size(dim)
    heights = (y.narrow(dim, 0, n - 1) + y.narrow(dim, 1, n - 1)) / 2
    return sum(heights * (dx if x is None else x.diff()), dim)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return sum(input.diagonal())


def numel(input: Tensor) -> int:
    return input.numel()


def cov(input: Tensor, *, correction: int = 1) -> Tensor:
    """The covariances of variables, each a row of observations."""
    x = input if input.ndim == 2 else input.reshape(1, -1)
    centred = x - mean(x, 1, keepdim=True)
    out = centred @ centred.t() / (x.size(1) - correction)
    return out if input.ndim == 2 else out.reshape(())


def corrcoef(input: Tensor) -> Tensor:
    """The correlations of variables, each a row of observations."""
    c = cov(input)
    if not c.ndim:
        return c / c
    spread = c.diagonal().sqrt()
    return (c / spread[:, None] / spread[None, :]).clamp(-1, 1)


trapz = trapezoid


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ... comes, or the sum of the weights where it does."""
    if input.ndim != 1 or input._array.dtype.kind not in "iu" or (input._array.size and input._array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    counts = np.bincount(input._array, None if weights is None else weights._array, minlength)
    return wrap(counts if weights is None else counts.astype(weights._array.dtype))


def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """How many numbers fall in each of `bins` equal intervals from min to max."""
    floating_only(input, "histogram_cpu")
    if min == max:
        low, high = float(input._array.min()), float(input._array.max())
    else:
        low, high = min, max
    if low == high:
        low, high = low - 1, high + 1
    return wrap(np.histogram(input._array, bins, (low, high))[0].astype(input._array.dtype))
