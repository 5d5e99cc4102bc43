"""Broadcasting backward: forward repeats an axis, so backward sums the gradients of the copies; and the reverse, for
reductions.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

Operand = Any  # an array, or a Python number, which has no gradient

add_up: Any = np.add.reduce  # (x, axis, keepdims=...): what x.sum calls, through some Python

_SMALL = 1 << 16  # elements; up to so many, a copy is faster than a view, and a matrix product than a sum


def shape_of(x: Operand) -> tuple[int, ...]:
    """The shape of an array; () for a number."""
    return x.shape if type(x) is np.ndarray else ()


def sum_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes that broadcasting added or repeated, so that it has the given shape."""
    have = gradient.shape
    if have == shape:
        return gradient
    leading = extra = len(have) - len(shape)
    if have[extra:] == shape:
        return sum_leading(gradient, extra)
    while leading < len(have) and shape[leading - extra] == 1:
        leading += 1
    if have[leading:] == shape[leading - extra :]:
        return sum_leading(gradient, leading).reshape(shape)
    repeated = [i for i, size in enumerate(shape, extra) if size == 1 and have[i] != 1]
    total: Array = add_up(gradient, (*range(extra), *repeated), keepdims=True)
    return total.reshape(shape)


def sum_leading(x: Array, n: int) -> Array:
    """The sum over the first n axes; of a small array as a matrix product with ones, which is faster."""
    kind = x.dtype.char
    if kind not in "fd" or not 0 < x.size <= _SMALL or n == x.ndim:  # f and d are floats of 32 and 64 bits
        return np.asarray(add_up(x, tuple(range(n))))
    threads.limit_blas()
    if n == 1 and x.ndim == 2:
        return _ones(len(x), kind).dot(x)
    kept = x.shape[n:]
    rows = x.reshape(-1, math.prod(kept))
    return _ones(len(rows), kind).dot(rows).reshape(kept)


@functools.lru_cache(maxsize=64)
def _ones(n: int, kind: str) -> Array:
    return np.ones(n, kind)


def broadcast_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of a sum, for each of its terms: broadcast to their shape, as a copy if that is small."""
    if math.prod(shape) > _SMALL:
        return np.broadcast_to(gradient, shape)
    copy = np.empty(shape, gradient.dtype)
    copy[...] = gradient
    return copy
