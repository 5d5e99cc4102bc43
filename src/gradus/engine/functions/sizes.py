"""Sizes and dimensions: given one by one or as a sequence, dimensions counted from either end."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradus.engine.autograd.record import Variable

Dims = int | Sequence[int] | None


def index_of(n: Any) -> int:
    """A whole number, given as one or as a tensor that holds one."""
    try:
        return operator.index(n)
    except TypeError:
        raise TypeError(f"expected an int, but got {n!r} of type {type(n).__name__}") from None


def one_dim(dim: Any, name: str) -> int:
    """The one dimension of a function that takes no more."""
    if isinstance(dim, (tuple, list)):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: argument 'dim' must be int, not {dim!r}"
        )
    return index_of(dim)


def axis_of(dim: int, ndim: int) -> int:
    """A dimension counted from the front, given one that may be counted from the back."""
    n = max(ndim, 1)
    if type(dim) is not int:
        dim = index_of(dim)
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions a reduction takes: those given, or all."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, int):
        if 0 <= dim < ndim:
            return (dim,)
        axis = axis_of(dim, ndim)
        return (axis,) if ndim else ()
    if not isinstance(dim, (tuple, list)):
        return axes_of(index_of(dim), ndim)
    dims = list(dim)
    if not dims:
        return tuple(range(ndim))
    axes = tuple(axis_of(d, ndim) for d in dims)
    if len(set(axes)) < len(axes):
        twice = next(axis for axis in axes if axes.count(axis) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return axes if ndim else ()


def spread_out(given: tuple[Any, ...], named: dict[str, Any], name: str) -> tuple[Any, ...]:
    """Sizes or dimensions, given one by one, as one sequence, or by the name that PyTorch has for them."""
    if named.keys() - {name}:
        raise TypeError(f"got an unexpected keyword argument '{min(named.keys() - {name})}'")
    if given and named:
        raise TypeError(f"got multiple values for argument '{name}'")
    if not given and not named:
        raise TypeError(f"missing 1 required positional argument: '{name}'")
    return (named[name],) if named else given


def sizes_of(shape: Sequence[Any]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = shape[0]
    for n in shape:
        if type(n) is not int:
            return tuple(map(_size, shape))
    return tuple(shape)


def _size(n: Any) -> int:
    if isinstance(n, (bool, np.ndarray)) or (isinstance(n, Variable) and n._array.ndim):
        raise TypeError(f"sizes must be ints, but got {type(n).__name__}")
    return index_of(n)
