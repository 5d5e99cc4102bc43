"""Reordering: `permute` and the like give views with the dimensions in another order, `flip` and `roll` copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import apply, apply_one
from gradus.engine.functions.complex_numbers import conj
from gradus.engine.functions.sizes import axes_of, axis_of, index_of, sizes_of, spread_out
from gradus.engine.ops import shapes

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "adjoint", "flip", "fliplr", "flipud", "moveaxis", "movedim", "permute", "roll", "rot90", "swapaxes",
    "swapdims", "t", "transpose",
]  # fmt: skip


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two dimensions; a view."""
    n = input._array.ndim
    return apply(shapes.Transpose, input, a=axis_of(dim0, n), b=axis_of(dim1, n))


def t(input: Tensor) -> Tensor:
    """Transpose a matrix; a view. Vectors and 0-d tensors stay as they are."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return apply_one(shapes.T, input)


def adjoint(input: Tensor) -> Tensor:
    """Return the conjugate transpose over the last two dimensions."""
    return conj(transpose(input, -2, -1))


def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Reorder the dimensions; a view."""
    dims = spread_out(dims, named, "dims") if named else dims
    axes = tuple(axis_of(dim, input.ndim) for dim in sizes_of(dims))
    if len(axes) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(axes)}"
        )
    if len(set(axes)) != len(axes):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return apply_one(shapes.Permute, input, axes)


def reverse(input: Tensor) -> Tensor:
    """Reverse the order of the dimensions; a view."""
    return apply_one(shapes.Permute, input, tuple(range(input._array.ndim - 1, -1, -1)))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Move dimensions to new positions; the others keep their order. A view."""
    sources, destinations = (list(d) if isinstance(d, (tuple, list)) else [d] for d in (source, destination))
    if len(sources) != len(destinations):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number "
            f"of dims as destination ({destinations} dims)"
        )
    start, end = ([axis_of(d, input.ndim) for d in dims] for dims in (sources, destinations))
    for name, dims, axes in (("source", sources, start), ("destination", destinations, end)):
        if len(set(axes)) < len(axes):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({dims})")
    if not input.ndim:
        return apply_one(shapes.Alias, input)
    order = [i for i in range(input.ndim) if i not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return permute(input, *order)


swapaxes = swapdims = transpose


moveaxis = movedim


# ---- the order of elements along a dimension


def flip(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Reverse the order of the elements along the given dimensions; a copy."""
    wanted = sizes_of(spread_out(dims, named, "dims"))
    return apply_one(shapes.Flip, input, axes_of(wanted, input.ndim) if wanted else ())


def fliplr(input: Tensor) -> Tensor:
    """Reverse the order along the second dimension; a copy."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Reverse the order along the first dimension; a copy."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Rotate by 90 degrees k times in the plane of two dimensions, from the first towards the second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (axis_of(dim, input.ndim) for dim in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    if k % 2 == 0:
        return flip(input, a, b) if k % 4 else input.clone()
    return flip(transpose(input, a, b), a if k % 4 == 1 else b)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shift elements cyclically along the given dimensions, or along the flattened tensor."""
    moves = tuple(index_of(n) for n in (shifts if isinstance(shifts, (tuple, list)) else (shifts,)))
    axes = () if dims is None else tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if not moves:
        raise RuntimeError("`shifts` required")
    if len(axes) != len(moves) and (axes or len(moves) > 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(axes)}")
    if not axes:
        return apply(shapes.Roll, input, shifts=moves[0], axis=None)
    if not input.ndim:
        raise IndexError(f"Dimension specified as {axes[0]} but tensor has no dimensions")
    return apply(shapes.Roll, input, shifts=moves, axis=tuple(axis_of(a, input.ndim) for a in axes))
