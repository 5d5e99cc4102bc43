"""What a contestant does: steps that can be timed, and the number that shows they were done right; and data for them.

Data are drawn by NumPy, the same in every process. Each token is followed by one of four others, so that there is
something to learn, and a contestant that does not learn it has another loss than the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., Any])
Compile: TypeAlias = Callable[[Any], Any]  # torch.compile, or `as_it_is`
Step: TypeAlias = Callable[[], Any]
Array: TypeAlias = npt.NDArray[Any]

SEED = 2147483647  # the lectures'
BATCHES = 16  # different batches, in turn
_SUCCESSORS = 4


@dataclass(frozen=True)
class Work:
    """Attributes:
    steps: part of the work -> its step; a work without parts has the part "".
    check: what a step gave -> a number that all contestants must agree on.
    """

    steps: Mapping[str, Step]
    check: Callable[[Any], float] = float


def as_it_is(function: F) -> F:
    """No compilation: the identity."""
    return function


def tokens(vocabulary: int, number: int) -> Array:
    """A text (number,) of int64 in which each token is followed by one of four."""
    random = np.random.default_rng(SEED)
    after = random.integers(vocabulary, size=(vocabulary, _SUCCESSORS))
    choices = random.integers(_SUCCESSORS, size=number)
    text = np.zeros(number, dtype=np.int64)
    for i in range(1, number):
        text[i] = after[text[i - 1], choices[i]]
    return text


def windows(text: Array, batch: int, width: int) -> Array:
    """Stretches of a text, (BATCHES, batch, width)."""
    random = np.random.default_rng(SEED)
    starts = random.integers(len(text) - width, size=(BATCHES, batch, 1))
    return text[starts + np.arange(width)]
