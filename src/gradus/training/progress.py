"""Progress displays: a progress bar on a terminal, lines of text in a pipe or a file."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gradus.training.state import Report

PLAIN_LINES = 20  # lines over the budget where there is no terminal


@contextmanager
def show_progress(title: str, *, terminal: bool | None = None) -> Iterator[Callable[[Report], None]]:
    """A display for `train(..., progress=...)`.

    Args:
        title: what is trained, for the bar.
        terminal: whether to draw a bar; None asks standard output.
    """
    if sys.stdout.isatty() if terminal is None else terminal:
        with _bar(title) as show:
            yield show
    else:
        yield _Lines()


def describe(report: Report) -> str:
    """Loss, dev loss if it was measured, tokens per second and time left, in one line."""
    parts = []
    if not math.isnan(report.loss):
        parts.append(f"loss {report.loss:.4f}")
    if report.dev_loss is not None:
        parts.append(f"dev {report.dev_loss:.4f}")
    if report.tokens_per_second:
        parts.append(f"{report.tokens_per_second:,.0f} tokens/s")
    if 0 < report.done < 1:
        parts.append(f"{duration(report.seconds * (1 - report.done) / report.done)} left")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """Minutes and seconds, `2:05`; with hours if there are any, `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Lines:
    """A line at every twentieth of the budget, and whenever the dev loss is measured."""

    def __init__(self) -> None:
        self.shown: int | None = None

    def __call__(self, report: Report) -> None:
        mark = int(report.done * PLAIN_LINES + 1e-9)
        if report.dev_loss is not None or mark != self.shown:
            print(f"step {report.step:6,}  {report.done:4.0%}  {describe(report)}", flush=True)
        self.shown = mark


@contextmanager
def _bar(title: str) -> Iterator[Callable[[Report], None]]:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %  {task.fields[now]}"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=1.0, now="")
        last_dev: list[str] = []

        def show(report: Report) -> None:
            if report.dev_loss is not None:
                last_dev[:] = [f"  dev {report.dev_loss:.4f}"]
            dev = "" if report.dev_loss is not None else "".join(last_dev)
            progress.update(task, completed=report.done, now=f"step {report.step:,}  {describe(report)}{dev}")

        yield show
