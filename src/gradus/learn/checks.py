"""What the block of checks of an exercise is written with: functions of the learner's module, and their cases.

    @cases((3.0, 1e-6), (number(-2, 2), 1e-6))
    def slope_of_a_parabola(my, x, h):
        return my.slope(lambda x: 3 * x * x - 4 * x + 5, x, h)

A check says what to do, and not what should come: that is what the same lines give with the solution in the place of
the learner's module. Cases that are drawn are drawn anew at each run, so no constant passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import Any

Draw = Callable[[Random], Any]


class Drawn:
    """A value to be drawn for each run."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw


def number(low: float = -3.0, high: float = 3.0) -> Drawn:
    """A float with two digits after the point, not within 0.2 of zero."""

    def draw(random: Random) -> float:
        while abs(x := round(random.uniform(low, high), 2)) < 0.2:
            pass
        return x

    return Drawn(draw)


def numbers(n: int, low: float = -3.0, high: float = 3.0) -> Drawn:
    """A list of n such floats."""
    return Drawn(lambda random: [number(low, high).draw(random) for _ in range(n)])


def integer(low: int, high: int) -> Drawn:
    """An int from low to high, both among them."""
    return Drawn(lambda random: random.randint(low, high))


def words(n: int, letters: str = "abcde") -> Drawn:
    """A list of n words of 1 to 5 letters."""
    return Drawn(lambda random: ["".join(random.choices(letters, k=random.randint(1, 5))) for _ in range(n)])


def array(*shape: int, low: float = -2.0, high: float = 2.0) -> Drawn:
    """A NumPy array of float64 of a shape, with two digits after the point."""

    def draw(random: Random) -> Any:
        import numpy as np

        flat = [number(low, high).draw(random) for _ in range(int(np.prod(shape)))]
        return np.array(flat).reshape(shape)

    return Drawn(draw)


def indices(n: int, below: int) -> Drawn:
    """A NumPy array of n int64, each from 0 to below - 1."""

    def draw(random: Random) -> Any:
        import numpy as np

        return np.array([random.randrange(below) for _ in range(n)], dtype=np.int64)

    return Drawn(draw)


def tensor(*shape: int, low: float = -2.0, high: float = 2.0) -> Drawn:
    """A tensor of float32 of a shape, with two digits after the point."""

    def draw(random: Random) -> Any:
        from gradus.backend import torch

        return torch.tensor(array(*shape, low=low, high=high).draw(random), dtype=torch.float32)

    return Drawn(draw)


def tokens(*shape: int, below: int) -> Drawn:
    """A tensor of int64 of a shape, each number from 0 to below - 1."""

    def draw(random: Random) -> Any:
        from gradus.backend import torch

        flat = [random.randrange(below) for _ in range(math.prod(shape))]
        return torch.tensor(flat, dtype=torch.long).view(*shape)

    return Drawn(draw)


def cases(*rows: tuple[Any, ...], tolerance: float = 1e-6) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function a check, run once for each row: the arguments after the learner's module. Without rows, once.

    Args:
        tolerance: how far a number may be off, relative to it, and absolutely for numbers below 1.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.cases = rows or ((),)  # type: ignore[attr-defined]
        function.tolerance = tolerance  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True)
class Case:
    """One check to run."""

    name: str
    run: Callable[..., Any]
    row: tuple[Any, ...]
    tolerance: float

    def arguments(self, seed: int) -> list[Any]:
        """The arguments, new objects at each call; equal for equal seeds."""
        from copy import deepcopy

        random = Random(seed)
        return [value.draw(random) if isinstance(value, Drawn) else deepcopy(value) for value in self.row]


def all_cases(module: ModuleType) -> Iterator[Case]:
    """Every case of a block of checks, in its order."""
    for name, function in vars(module).items():
        if hasattr(function, "cases"):
            for row in function.cases:
                yield Case(name, function, row, function.tolerance)
