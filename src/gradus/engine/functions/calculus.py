"""Slopes of sampled functions and areas under them: diff, gradient, trapezoid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import apply, wrap
from gradus.engine.functions.operands import Number, axes_of, axis_of, floating, is_tensor, same_types
from gradus.engine.functions.reductions import cumsum, sum
from gradus.engine.functions.shapes import part
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.ops import shape as sh

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]


@numpy_names
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Each number along a dimension less the one before, n times over; with others put before or after them first."""
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
        input = apply(sh.Cat, *same_types(parts), axis=axis)
    for _ in range(n):
        size = max(input._array.shape[axis], 1)
        after, before = part(input, axis, 1, size), part(input, axis, 0, size - 1)
        input = after.logical_xor(before) if input._array.dtype == bool else after - before
    return input


def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slopes of a sampled function along each dimension, of second order inside and of edge_order at the ends.

    Args:
        spacing: the distance between samples; or a list with one for each dimension, or with a tensor of places.
        dim: the dimensions, one or several; None means all.
    """
    axes = axes_of(dim, input.ndim)
    spaces = _spacing(spacing, len(axes), dim, input.ndim)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    x = floating(input)
    slopes = []
    for axis, space in zip(axes, spaces, strict=True):
        n = x._array.shape[axis]
        if n <= edge_order:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
        if is_tensor(space) and space.ndim and space.numel() != n:
            raise RuntimeError(
                f"torch.gradient expected each element of 'spacing' to have the same length as its dimension {axis} of "
                f"size {n}, but got {space.numel()}"
            )
        slopes.append(_slope(x, axis, space, edge_order))
    return tuple(slopes)


def _spacing(spacing: Any, n: int, dim: Any, ndim: int) -> list[Any]:
    if spacing is None:
        return [1.0] * n
    if not isinstance(spacing, Sequence):
        if is_tensor(spacing) and spacing.ndim:
            raise TypeError("gradient(): argument 'spacing' must be a Number or a tuple of Numbers or Tensors")
        return [spacing] * n
    if len(spacing) != n:
        which = f"'self.dim() = {ndim}', since dim argument was not given" if dim is None else f"'dim' = {n}"
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"{which}, but got a list of length {len(spacing)}"
        )
    return list(spacing)


def _slope(x: Tensor, axis: int, space: Any, edge_order: int) -> Tensor:
    """Along one axis: each inner slope is the mean of those on its two sides, weighted by the other's distance."""
    n = x._array.shape[axis]
    if is_tensor(space) and space.ndim:
        steps = diff(space.to(x.dtype)).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    else:
        steps = wrap(np.full([n - 1 if i == axis else 1 for i in range(x.ndim)], float(space), x._array.dtype))
    sides = diff(x, 1, axis) / steps
    left, right = part(sides, axis, 0, n - 2), part(sides, axis, 1, n - 1)
    before, after = part(steps, axis, 0, n - 2), part(steps, axis, 1, n - 1)
    inner = (left * after + right * before) / (before + after)
    ends = [part(sides, axis, 0, 1), part(sides, axis, n - 2, n - 1)]
    if edge_order == 2:  # the line through the two nearest slopes, half a step further
        for i, (near, k) in enumerate(((0, 1), (n - 2, n - 3))):
            a, b = part(steps, axis, near, near + 1), part(steps, axis, k, k + 1)
            ends[i] = ends[i] + (ends[i] - part(sides, axis, k, k + 1)) * a / (a + b)
    return apply(sh.Cat, ends[0], inner, ends[1], axis=axis)


# ---- areas


@numpy_names
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The area under y by trapezoids along a dimension, at the places x or at steps of dx."""
    if not y.size(dim):
        return sum(floating(y), dim)
    return sum(_trapezoids(y, x, dx, dim, "trapezoid"), dim) / 2


@numpy_names
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The running sums of which `trapezoid` is the last."""
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
