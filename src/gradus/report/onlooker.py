"""How a climb is watched: one line a rung. On a terminal the line of `gradus train` stands in its place while the rung
is trained and scored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gradus.report.chart import clock
from gradus.report.climb import Budget
from gradus.report.ladder import LADDER, Step
from gradus.report.record import Rung
from gradus.report.table import rung_line
from gradus.training import Report, show_progress

if TYPE_CHECKING:
    from rich.console import Console

_TITLE = max(len(step.title) for step in LADDER)


class Onlooker:
    """A `climb.Watcher` that prints a line for each rung, with its budget, dev and test loss and seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stack = ExitStack()
        self._begun = ""  # the first half of the line
        self._show: Callable[[Report], None] | None = None  # on a terminal, while a rung is trained

    def begin(self, step: Step, budget: Budget) -> None:
        self._begun = f"{step.title:{_TITLE}}  {_words(budget):>12}  "
        if not self.console.is_terminal:
            print(self._begun, end="", flush=True)
        elif budget != Budget():
            line = show_progress(f"{step.title:{_TITLE}}", terminal=True, console=self.console, transient=True)
            self._show = self._stack.enter_context(line)

    def train(self, report: Report) -> None:
        if self._show is not None:
            self._show(report)

    def end(self, rung: Rung) -> None:
        self._stack.close()
        begun = f"{rung.title:{_TITLE}}" + self._begun[_TITLE:] if self.console.is_terminal else ""
        self._begun, self._show = "", None
        line = begun + rung_line(rung)
        if self.console.is_terminal and len(line) > self.console.width:  # the budget gives way
            line = f"{rung.title:{_TITLE}}  {rung_line(rung)}"
        print(line, flush=True)

    def close(self) -> None:
        """After an interruption: remove the bar that is still shown, end the line that has begun."""
        self._stack.close()
        if self._begun and not self.console.is_terminal:
            print(flush=True)
        self._begun, self._show = "", None


def _words(budget: Budget) -> str:
    if budget.steps is not None:
        return f"{budget.steps:,} steps"
    return "counts once" if budget.minutes is None else clock(60 * budget.minutes)
