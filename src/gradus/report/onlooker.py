"""How a climb is watched: one line a rung. On a terminal a bar stands in its place while the rung is trained."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from gradus.report.chart import clock
from gradus.report.climb import Budget
from gradus.report.ladder import LADDER, Step
from gradus.report.record import Rung
from gradus.report.table import rung_line
from gradus.training import Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_TITLE = max(len(step.title) for step in LADDER)
_BAR = 40  # characters at most; the bar is what gives way on a narrow terminal
_TEXT = 36  # characters that the percentage, the dev loss and the time left take


class Onlooker:
    """A `climb.Watcher` that prints a line for each rung, with its budget, dev and test loss and seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stack = ExitStack()
        self._begun = ""  # the first half of the line
        self._bar: tuple[Progress, TaskID] | None = None
        self._dev = ""

    def begin(self, step: Step, budget: Budget) -> None:
        self._begun = f"{step.title:{_TITLE}}  {_words(budget):>12}  "
        if not self.console.is_terminal:
            print(self._begun, end="", flush=True)
        elif budget != Budget():
            self._bar, self._dev = self._draw(step), ""

    def train(self, report: Report) -> None:
        if self._bar is None:
            return
        if report.dev_loss is not None:
            self._dev = f"dev {report.dev_loss:.4f}"
        left = clock(report.seconds * (1 - report.done) / report.done) + " left" if 0 < report.done < 1 else ""
        progress, task = self._bar
        progress.update(task, completed=report.done, now=f"{self._dev}  {left}".strip())

    def score(self) -> None:
        if self._bar is not None:
            progress, task = self._bar
            progress.update(task, completed=1.0, now=f"{self._dev}  scoring")

    def end(self, rung: Rung) -> None:
        self._stack.close()
        begun = f"{rung.title:{_TITLE}}" + self._begun[_TITLE:] if self.console.is_terminal else ""
        self._begun, self._bar = "", None
        line = begun + rung_line(rung)
        if self.console.is_terminal and len(line) > self.console.width:  # the budget gives way
            line = f"{rung.title:{_TITLE}}  {rung_line(rung)}"
        print(line, flush=True)

    def close(self) -> None:
        """After an interruption: remove the bar that is still shown, end the line that has begun."""
        self._stack.close()
        if self._begun and not self.console.is_terminal:
            print(flush=True)
        self._begun, self._bar = "", None

    def _draw(self, step: Step) -> tuple[Progress, TaskID]:
        from rich.progress import BarColumn, Progress, TextColumn

        room = self.console.width - _TITLE - _TEXT
        columns = [TextColumn("{task.description}"), TextColumn("{task.percentage:3.0f} %  {task.fields[now]}")]
        if room >= 10:
            columns.insert(1, BarColumn(bar_width=min(_BAR, room)))  # type: ignore[arg-type]
        progress = self._stack.enter_context(Progress(*columns, console=self.console, transient=True))
        return progress, progress.add_task(f"{step.title:{_TITLE}}", total=1.0, now="")


def _words(budget: Budget) -> str:
    if budget.steps is not None:
        return f"{budget.steps:,} steps"
    return "counts once" if budget.minutes is None else clock(60 * budget.minutes)
