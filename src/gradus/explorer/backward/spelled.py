"""One cell of a gradient, spelled out: what the rules of `rules.py` give, and what they share. Every array is
looked at as a matrix: the last axis is the columns, all others together are the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Term = tuple[str, float, float | None]


@dataclass
class Spelled:
    """One cell of a gradient, spelled out.

    Attributes:
        what: what this gradient is, in a sentence.
        formula: in letters.
        terms: of a sum: (label, first factor, second factor), second factor None where there is none.
        factor: what the sum is multiplied by at the end.
        lines: (label, value) of intermediate results, where it is no sum of products.
        total: what all this gives.
        shown: matrices that the numbers come from: key -> (title, array, row, column), the marked row or column None.
        summed: over what the sum goes, such as "the 12 positions".
    """

    what: str
    formula: str
    total: float
    terms: Sequence[tuple[str, float, float | None]] = ()
    factor: float = 1.0
    lines: Sequence[tuple[str, float]] = ()
    shown: Mapping[str, tuple[str, Array, int | None, int | None]] = field(default_factory=dict)
    summed: str = ""


# The node, the gradient that came in, which input, and the row and column of its gradient -> that cell, spelled out.
Rule = Callable[[Any, Any, int, int, int], Spelled | None]


def matrix(array: Any) -> Array:
    """(..., n) as (all others, n); a vector as one row."""
    array = np.asarray(array)
    return array.reshape(-1, array.shape[-1]) if array.ndim and array.shape[-1] else array.reshape(1, -1)


def dot(a: Array, b: Array) -> float:
    return float(np.dot(a.astype(np.float64), b.astype(np.float64)))


def pairs(a: Array, b: Array, name: str) -> list[Term]:
    return [(f"{name}={i}", float(x), float(y)) for i, (x, y) in enumerate(zip(a, b, strict=True))]


def alone(a: Array, name: str) -> list[Term]:
    return [(f"{name}={i}", float(x), None) for i, x in enumerate(a)]
