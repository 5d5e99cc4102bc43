"""A view: a function of opened runs, with the parameters it takes. A parameter arrives as text, from an address, and is
checked before the function is called: what is wrong with it is said in one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.explorer.wire import to_wire

MOST_TEXT = 20_000  # characters: more than the context of any model here


@dataclass(frozen=True)
class Parameter:
    """A parameter of a view.

    Attributes:
        type: str, int or float.
        default: what it is when it is not given; None if it may be absent.
        low, high: the limits of a number; of a text, high is the most characters.
        choices: what a text may be; empty for any.
    """

    type: type[Any] = str
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def parse(self, name: str, text: str) -> Any:
        """The value that a text stands for. UserError if it is not of the type or outside the limits."""
        if self.type is str:
            most = MOST_TEXT if self.high is None else int(self.high)
            if len(text) > most:
                raise UserError(f"{name} must have at most {most:,} characters, got {len(text):,}")
            if self.choices and text not in self.choices:
                raise UserError(f"{name} must be one of {', '.join(self.choices)}, got {text[:50]!r}")
            return text
        try:
            if len(text) > 50:
                raise ValueError
            value = self.type(text)
        except ValueError:
            what = "a whole number" if self.type is int else "a number"
            raise UserError(f"{name} must be {what}, got {text[:50]!r}") from None
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        if not low <= value <= high or math.isinf(value):
            limits = f"at least {low:,}" if high == math.inf else f"from {low:,} to {high:,}"
            raise UserError(f"{name} must be {limits}, got {text[:50]}")
        return value


TEXT = Parameter(str, "")
SEED = Parameter(int, 1337, 0, 2**32 - 1)


@dataclass(frozen=True)
class View:
    """A view: what the server answers at /api/NAME.

        VIEWS = {"forward/next": View(next_token, {"text": TEXT, "top": Parameter(int, 10, 1, 100)})}

    Attributes:
        function: called as function(opened, ..., **parameters), with an `Opened` for each of `runs`.
        parameters: by name.
        runs: which parameters name the runs to open; with "run" goes "moment", with "run2" "moment2".
    """

    function: Callable[..., Mapping[str, Any]]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    runs: tuple[str, ...] = ("run",)

    def split(self, given: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str | None]]]:
        """What was given, without the runs, and for each of `runs` its id and its moment."""
        pairs = [(run, run.replace("run", "moment")) for run in self.runs]
        # The page's own run comes with every request, also for a view that needs none.
        named = {name for pair in [("run", "moment"), *pairs] for name in pair}
        rest = {name: text for name, text in given.items() if name not in named}
        return rest, [(given.get(run, ""), given.get(moment) or None) for run, moment in pairs]

    def parse(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The parameters' values, from text. UserError for one that is unknown or bad."""
        for name in given:
            if name not in self.parameters:
                raise UserError(
                    f"there is no parameter {name[:50]!r}; there are {', '.join(self.parameters) or 'none'}"
                )
        return {
            name: parameter.parse(name, given[name]) if name in given else parameter.default
            for name, parameter in self.parameters.items()
        }

    def answer(self, opened: Sequence[Opened], parameters: Mapping[str, Any]) -> Any:
        """What the function gives, as JSON takes it. No other view has the models meanwhile."""
        with ExitStack() as stack:
            for one in in_order(opened):
                stack.enter_context(one.lock)
            return to_wire(self.function(*opened, **parameters))


def in_order(opened: Sequence[Opened]) -> list[Opened]:
    """Each once, in the order in which all lock them: no two then wait for each other."""
    return sorted(set(opened), key=id)
