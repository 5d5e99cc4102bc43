"""Derivatives by finite differences, in float64, with a step chosen for every element.

A central difference errs by about f''' h²/6 from the curve and eps |f| / h from rounding; which h is best depends on
the function and the place. So a ladder of steps is tried, and the two neighbours that agree best are believed, their
disagreement being the error estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from gradus.gradcheck.inputs import Array

STEPS = (
    1e-3,
    1e-4,
    1e-5,
    1e-6,
    1e-7,
)  # times max(1, |x|), or times |x| near 0 for functions that live on one side of it
BEND = (
    0.1  # two one-sided slopes whose difference shrinks by less than this, for a step a hundred times smaller: a kink
)

Function = Callable[[Sequence[Array]], Array]


def jacobian(f: Function, arrays: Sequence[Array], which: int) -> tuple[Array, Array]:
    """d f / d arrays[which], (results, elements), and an estimate of the error of each entry."""
    columns, errors = [], []
    for element in range(arrays[which].size):
        slope, error = _central(lambda x, e=element: _moved(f, arrays, which, e, x), float(arrays[which].flat[element]))  # type: ignore[misc]
        columns.append(slope)
        errors.append(error)
    return np.stack(columns, axis=1), np.stack(errors, axis=1)


def sides(f: Function, arrays: Sequence[Array], which: int, element: int, weights: Array) -> tuple[float, float] | None:
    """The slopes of weights · f to the left and right of one element, if they differ for good: at a kink."""
    x = float(arrays[which].flat[element])
    here = weights @ f(arrays)

    def slopes(step: float) -> tuple[float, float]:
        h = step * max(1.0, abs(x))
        below, above = (weights @ _moved(f, arrays, which, element, x + shift) for shift in (-h, h))
        return float(here - below) / h, float(above - here) / h

    try:
        (left, right), (near_left, near_right) = slopes(1e-4), slopes(1e-6)
    except (ArithmeticError, ValueError):
        return None
    apart = abs(near_right - near_left)
    large = apart > 1e-4 * max(abs(near_left), abs(near_right))
    return (near_left, near_right) if large and apart > BEND * abs(right - left) else None


def _central(f: Callable[[float], Array], x: float) -> tuple[Array, Array]:
    scales = [max(1.0, abs(x))] + ([abs(x)] if 0 < abs(x) < 0.1 else [])
    steps = sorted({step * scale for scale in scales for step in STEPS}, reverse=True)
    slopes: list[Array] = []
    for h in steps:
        above, below = x + h, x - h  # rounded: what is divided by is their true distance
        try:
            slope = (f(above) - f(below)) / (above - below)
        except (ArithmeticError, ValueError):
            continue  # outside of the function's domain
        if np.all(np.isfinite(slope)):
            slopes.append(slope)
    if len(slopes) < 2:
        raise ValueError(
            f"no finite difference can be taken at {x}: the function has no finite values on both sides of it"
        )
    apart = np.stack([np.abs(a - b) for a, b in pairwise(slopes)])
    best = apart.argmin(axis=0)
    finer = np.stack(slopes[1:])
    places = np.arange(best.size)
    return finer[best, places], apart[best, places]


def _moved(f: Function, arrays: Sequence[Array], which: int, element: int, x: float) -> Array:
    changed = arrays[which].copy()
    changed.flat[element] = x
    return f([changed if i == which else array for i, array in enumerate(arrays)])
