"""Broadcasting backward: an axis that was repeated forward is summed, because each copy passed its gradient to the
one original.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.dtypes import Array

add_up: Any = np.add.reduce  # (x, axis, keepdims=...): x.sum, without its way through Python

_SMALL = 1 << 16  # numbers that are sooner copied than made a view of


def sum_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes that broadcasting added or repeated, so that it has the given shape."""
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    if extra:
        gradient = add_up(gradient, tuple(range(extra)))
    repeated = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return add_up(gradient, repeated, keepdims=True) if repeated else gradient


def spread(gradient: Array, shape: tuple[int, ...]) -> Array:
    """A gradient of fewer numbers, given to each of the many they came from."""
    if math.prod(shape) > _SMALL:
        return np.broadcast_to(gradient, shape)
    each = np.empty(shape, gradient.dtype)
    each[...] = gradient
    return each
