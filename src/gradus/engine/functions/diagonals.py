"""Diagonals of matrices, and the triangles on either side of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.engine.autograd.record import apply
from gradus.engine.functions.shapes import reshape
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops import shapes

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["diag", "diag_embed", "diagflat", "diagonal", "tril", "triu"]


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the diagonal of two dimensions as the last dimension; a view."""
    a, b = _two_dims(dim1, dim2, input.ndim)
    return apply(shapes.Diagonal, input, offset=offset, a=a, b=b)


def _two_dims(dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    a, b = axis_of(dim1, ndim), axis_of(dim2, ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return a, b


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the diagonal of a matrix as a vector, or the matrix with a vector on its diagonal."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return input.diagonal(diagonal).clone()


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return matrices whose diagonals are the last dimension of input: (..., n) -> (..., n, n) for offset 0."""
    a, b = _two_dims(dim1, dim2, input.ndim + 1)
    n = input.size(-1) + abs(offset)
    shape = list(input._array.shape[:-1])
    for axis in sorted((a, b)):
        shape.insert(axis, n)
    out = input.new_zeros(shape)
    out.diagonal(offset, a, b).copy_(input)
    return out


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return the matrix with all elements of input on a diagonal."""
    return diag_embed(reshape(input, -1), offset)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the lower triangle of each matrix: 0 above the given diagonal."""
    return apply(shapes.Triangle, at_least_2d(input, "tril"), diagonal=diagonal, lower=True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the upper triangle of each matrix: 0 below the given diagonal."""
    return apply(shapes.Triangle, at_least_2d(input, "triu"), diagonal=diagonal, lower=False)


def at_least_2d(input: Tensor, name: str) -> Tensor:
    """Return input; raise a RuntimeError if it has fewer than two dimensions."""
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return input
