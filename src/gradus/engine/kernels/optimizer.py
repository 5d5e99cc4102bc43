"""Loops over many parameters at once: a step of AdamW, and the sum of squares for the gradient norm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradus.engine import kernels
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads


def fits(arrays: Sequence[tuple[Array, ...]]) -> bool:
    """Whether the loops accept these arrays: float32, contiguous, and together large enough to be worth a call."""
    if not kernels.enabled or sum(each[0].size for each in arrays) < kernels.LEAST:
        return False
    return all(a.dtype == np.float32 and a.flags.carray for each in arrays for a in each)


def adamw(arrays: Sequence[tuple[Array, ...]], coefficients: Sequence[tuple[float, ...]]) -> None:
    """`optim.Adam.update` for many parameters at once: p, g, m, v of each, which `fits`, and its coefficients."""
    kernels.compiled().adamw(threads.pool(), *_table(arrays), np.array(coefficients))


def sum_of_squares(arrays: Sequence[Array]) -> float | None:
    """Σ x² over all of them, in double precision; None if the loops do not accept the arrays."""
    each = [(array,) for array in arrays]
    if not fits(each):
        return None
    return float(kernels.compiled().sum_of_squares(threads.pool(), *_table(each)))


def _table(arrays: Sequence[tuple[Array, ...]]) -> tuple[Array, Array]:
    """The addresses of the arrays, a row for each parameter; and the offsets of the parameters' elements."""
    addresses = np.array([[a.__array_interface__["data"][0] for a in each] for each in arrays])
    return addresses, np.cumsum([0, *[each[0].size for each in arrays]])
