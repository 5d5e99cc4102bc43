"""Reductions: sums, means, variances, norms; and cumulative sums and products."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import apply, apply_one
from gradus.engine.dtypes import FLOATING, int64
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import floating_only
from gradus.engine.functions.complex_numbers import conj
from gradus.engine.functions.operands import Number, floating
from gradus.engine.functions.signatures import numpy_names, renamed
from gradus.engine.functions.sizes import Dims, axes_of, axis_of, one_dim
from gradus.engine.ops import reductions

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "corrcoef", "cov", "cumprod", "cumsum", "dist", "logcumsumexp", "logsumexp",
    "mean", "nanmean", "nansum", "norm", "numel", "prod", "renorm", "std", "std_mean", "sum", "trace",
    "var", "var_mean",
]  # fmt: skip


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None, **old: Any) -> Tensor:
    """Return the sum over the given dimensions, or over all. Integers and bools sum to int64 if dtype is None."""
    if old:
        dim, keepdim = renamed(dim, keepdim, old)
    if dtype is None and input._array.dtype.kind in FLOATING:
        return apply_one(reductions.Sum, input, (axes_of(dim, input._array.ndim), keepdim))
    return _whole(reductions.Sum, input, (axes_of(dim, input._array.ndim), keepdim), dtype)


def _whole(op: Any, input: Tensor, option: Any, dtype: DType | None) -> Tensor:
    """A sum or product in the given type; that of integers is computed in int64 and then converted."""
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind in FLOATING:
        return apply_one(op, x, option)
    total: Tensor = apply_one(op, x.to(int64), option)
    return total if dtype is None else total.to(dtype)


@numpy_names
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the sum over the given dimensions, or over all, with NaN as 0."""
    return sum(input.masked_fill(input.isnan(), 0), dim, keepdim, dtype=dtype)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None, **old: Any) -> Tensor:
    """Return the mean over the given dimensions, or over all.

    Raises:
        RuntimeError: if the dtype is not floating point or complex.
    """
    if old:
        dim, keepdim = renamed(dim, keepdim, old)
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind not in FLOATING:
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {scalar_name(x._array.dtype)}"
        )
    return apply_one(reductions.Mean, x, (axes_of(dim, x._array.ndim), keepdim))


@numpy_names
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the mean over the given dimensions, or over all, ignoring NaN."""
    x = input if dtype is None else input.to(dtype)
    if x._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {scalar_name(x._array.dtype)}"
        )
    return nansum(x, dim, keepdim) / sum(~x.isnan(), dim, keepdim)


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    **old: Any,
) -> Tensor:
    """Return the variance Σ (x - mean)² / (n - correction) over the given dimensions, or over all; correction is 1."""
    return _spread(reductions.Var, input, dim, unbiased, keepdim, correction, old)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    **old: Any,
) -> Tensor:
    """Return the standard deviation, √var, over the given dimensions, or over all."""
    return _spread(reductions.Std, input, dim, unbiased, keepdim, correction, old)


def _spread(
    op: Any,
    input: Tensor,
    dim: Any,
    unbiased: bool | None,
    keepdim: bool,
    correction: Number | None,
    old: dict[str, Any],
) -> Tensor:
    if isinstance(dim, bool):  # x.var(False): the older call, without a dimension
        dim, unbiased = None, dim
    if old:
        dim, keepdim = renamed(dim, keepdim, old)
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError("std and var only support floating point and complex dtypes")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    if input.is_complex():  # that of the two parts together
        parts = [_spread(reductions.Var, part, dim, None, keepdim, correction, {}) for part in (input.real, input.imag)]
        return parts[0] + parts[1] if op is reductions.Var else (parts[0] + parts[1]).sqrt()
    axis = axes_of(dim, input._array.ndim)
    freedom = reductions.count(input._array.shape, axis) - correction
    if freedom <= 0:
        warnings.warn(
            f"{op.__name__.lower()}(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction factor (input numel divided by output numel).",
            UserWarning,
            stacklevel=3,
        )
    return apply_one(op, input, (axis, keepdim, max(freedom, 0)))


@numpy_names
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]:
    """Return (var, mean)."""
    over = None if isinstance(dim, bool) else dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, over, keepdim)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]:
    """Return (std, mean)."""
    over = None if isinstance(dim, bool) else dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, over, keepdim)


@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the product along a dimension, or over all. Integers multiply to int64 unless a dtype is given."""
    axes = axes_of(None if dim is None else one_dim(dim, "prod"), input.ndim)
    return _whole(reductions.Prod, input, (axes, keepdim), dtype)


@numpy_names
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """Return log Σ exp(input) over the given dimensions, without overflow."""
    if dim is None:
        raise TypeError("logsumexp(): argument 'dim' must be tuple of ints, not NoneType")
    return apply(reductions.LogSumExp, floating(input), axis=axes_of(dim, input.ndim), keepdim=keepdim)


def norm(input: Tensor, p: Any = 2, dim: Dims = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """Return the p-norm (Σ |x|ᵖ)^(1/p); p may be inf, -inf, 0 (counts nonzero elements), "fro" (2) or "nuc"."""
    x = input if dtype is None else input.to(dtype)
    if p == "nuc":
        from gradus.engine.functions.norms import matrix_norm

        return matrix_norm(x, "nuc", (-2, -1) if dim is None else dim, keepdim)  # type: ignore[arg-type]
    if x._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{scalar_name(x._array.dtype)}"
        )
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    order = 2.0 if p in ("fro", None) else float(p)
    if math.isinf(order) and any(not x._array.shape[i] for i in axes_of(dim, x.ndim)):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {order} norm on an empty tensor because the operation does not "
            "have an identity"
        )
    x = x.abs() if x.is_complex() else x
    return apply(reductions.Norm, x, p=order, axis=axes_of(dim, input.ndim), keepdim=keepdim)


def dist(input: Tensor, other: Tensor, p: Any = 2) -> Tensor:
    """Return the p-norm of input - other."""
    return norm(input - other, p)


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Return the cumulative sum along a dimension."""
    return _whole(reductions.Cumsum, input, axis_of(dim, input.ndim), dtype)


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Return the cumulative product along a dimension."""
    return _whole(reductions.Cumprod, input, axis_of(dim, input.ndim), dtype)


@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """Return the logarithm of the cumulative sum of exp(input) along a dimension."""
    axis = axis_of(dim, input.ndim)
    return apply_one(reductions.Logcumsumexp, floating_only(input, "logcumsumexp_out_cpu"), axis)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Scale down each slice along a dimension whose p-norm exceeds `maxnorm`."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    axis = axis_of(dim, input.ndim)
    size = norm(input, p, [i for i in range(input.ndim) if i != axis], keepdim=True)
    large = size.detach() > maxnorm
    return input * (maxnorm / (size + 1e-7)).masked_fill(~large, 1)


def trace(input: Tensor) -> Tensor:
    """Return the sum of a matrix's main diagonal."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return sum(input.diagonal())


def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables, each a row of observations.

    Args:
        input: (variables, observations), or the observations of one variable.
        correction: the divisor is the number of observations minus this.
        fweights: how often each observation occurs, integers.
        aweights: the weight of each observation, floats.
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    x = input if input.ndim == 2 else input.reshape(1, -1)
    n = x.size(1)
    _check_weights(fweights, "fweights", "integral", "iu", n)
    _check_weights(aweights, "aweights", "floating point", "f", n)
    weights = aweights if fweights is None else fweights if aweights is None else fweights * aweights
    if weights is None:
        freedom: Any = float(n - correction)
        centred = weighted = x - sum(x, 1, keepdim=True) / n
    else:
        total = sum(weights)
        centred = x - sum(x * weights, 1, keepdim=True) / total
        weighted = centred * weights
        freedom = total - (correction if aweights is None else correction * sum(weights * aweights) / total)
    if freedom <= 0:
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of "
                      "observations.", UserWarning, stacklevel=2)  # fmt: skip
    return (centred @ conj(weighted.t()).to(centred.dtype) / (freedom if freedom > 0 else freedom * 0)).squeeze()


def _check_weights(weights: Tensor | None, name: str, wanted: str, kinds: str, n: int) -> None:
    if weights is None:
        return
    start = f"cov(): expected {name} to have"
    if weights.ndim > 1:
        raise RuntimeError(f"{start} one or fewer dimensions but got {name} with {weights.ndim} dimensions")
    if weights._array.dtype.kind not in kinds:
        raise RuntimeError(f"{start} {wanted} dtype but got {name} with {scalar_name(weights._array.dtype)} dtype")
    if weights.numel() != n:
        raise RuntimeError(
            f"{start} the same numel as there are observations in the input but got {weights.numel()} != {n}"
        )
    if n and weights._array.min() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


def corrcoef(input: Tensor) -> Tensor:
    """Return the matrix of Pearson correlation coefficients; each row of input is a variable."""
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    c = cov(input)
    if not c.ndim:
        return c / c
    spread = c.diagonal().sqrt()
    return (c / spread[:, None] / spread[None, :]).clamp(-1, 1)
