"""What is done to many parameters at once: a step of AdamW, and the sum of all squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def adamw(steps: Sequence[tuple[tuple[Array, ...], tuple[float, ...]]]) -> bool:
    """Do the steps of `optim.adam.adamw_`: for each parameter p, g, m, v, and the numbers that `optim.adam` gives.

    False, and nothing done, if the arrays are not for the loops.
    """
    arrays = [each for each, _ in steps]
    if not _fused(arrays):
        return False
    numbers = np.array([each for _, each in steps])
    kernels.compiled().adamw(threads.crew(), *_table(arrays), numbers)
    return True


def sum_of_squares(arrays: Sequence[Array]) -> float | None:
    """Σ x² over all of them, in double precision; None if they are not for the loops."""
    each = [(array,) for array in arrays]
    if not _fused(each):
        return None
    return float(kernels.compiled().sum_of_squares(threads.crew(), *_table(each)))


def _fused(arrays: Sequence[tuple[Array, ...]]) -> bool:
    if not kernels.enabled or sum(each[0].size for each in arrays) < kernels.LEAST:
        return False
    return all(a.dtype == np.float32 and a.flags.carray for each in arrays for a in each)


def _table(arrays: Sequence[tuple[Array, ...]]) -> tuple[Array, Array]:
    """Where the arrays begin, a row for each parameter; and how many numbers the parameters have up to each."""
    places = np.array([[a.__array_interface__["data"][0] for a in each] for each in arrays])
    return places, np.cumsum([0, *[each[0].size for each in arrays]])
