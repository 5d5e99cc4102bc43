"""Differences between neighbours, and numerical integration: diff, trapezoid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.engine.autograd.record import apply
from gradus.engine.functions.operands import Number, floating, same_types
from gradus.engine.functions.reductions import cumsum, sum
from gradus.engine.functions.shapes import part
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops import shapes

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["cumulative_trapezoid", "diff", "trapezoid", "trapz"]


@numpy_names
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The n-th differences between neighbours along a dimension, after prepending and appending the given tensors."""
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n:
        return input.clone()
    axis = axis_of(dim, input.ndim)
    parts = [x for x in (prepend, input, append) if x is not None]
    for x in parts:
        if x.ndim != input.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if len(parts) > 1:
        input = apply(shapes.Cat, *same_types(parts), axis=axis)
    for _ in range(n):
        size = max(input._array.shape[axis], 1)
        after, before = part(input, axis, 1, size), part(input, axis, 0, size - 1)
        input = after.logical_xor(before) if input._array.dtype == bool else after - before
    return input


# ---- areas


@numpy_names
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The integral of y along a dimension by the trapezoidal rule, at points x or with spacing dx."""
    if not y.size(dim):
        return sum(floating(y), dim)
    return sum(_trapezoids(y, x, dx, dim, "trapezoid"), dim) / 2


@numpy_names
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The cumulative integral of y along a dimension by the trapezoidal rule."""
    return cumsum(_trapezoids(y, x, dx, dim, "cumulative_trapezoid"), dim) / 2


def _trapezoids(y: Tensor, x: Tensor | None, dx: Number, dim: int, name: str) -> Tensor:
    """Twice the area of each trapezoid between two neighbours along a dimension."""
    if y._array.dtype == bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")
    if x is None:
        return _neighbours(y, dim, 1) * dx
    axis = axis_of(dim, y.ndim)
    if x.ndim == 1:
        if len(x) != y.size(axis):
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = x.reshape(*(-1 if i == axis else 1 for i in range(y.ndim)))
    elif x.ndim < y.ndim:
        x = x.reshape(*(1,) * (y.ndim - x.ndim), *x.shape)
    return _neighbours(x, dim, -1) * _neighbours(y, dim, 1)


def _neighbours(x: Tensor, dim: int, sign: int) -> Tensor:
    """Each number along a dimension + (or -) the one before."""
    n = max(x.size(dim) - 1, 0)
    after, before = x.narrow(dim, 1, n), x.narrow(dim, 0, n)
    return after + before if sign > 0 else after - before


trapz = trapezoid
