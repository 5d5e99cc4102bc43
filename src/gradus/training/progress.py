"""What one sees while training: one line that changes, on a terminal and in a notebook; a few in a pipe or a file."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from gradus.training.cell import CellLine, in_notebook
from gradus.training.state import Report

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_LINES = 10  # lines over the budget where there is no terminal, besides that of the first step
SHORTEST_BAR, LONGEST_BAR = 8, 40  # in characters
LEAVING = ("used", "tokens/s", "step", "bar", "loss", "title")  # what leaves a narrow terminal, in this order
MARGIN = 3  # characters at the end of the line for the ^C that a terminal shows


@contextmanager
def show_progress(
    title: str, *, terminal: bool | None = None, console: Console | None = None, transient: bool = False
) -> Iterator[Callable[[Report], None]]:
    """A display for `train(..., progress=...)`.

    Args:
        title: what is trained, for the line on a terminal.
        terminal: whether standard output is one; None asks it, and whether this is a notebook.
        console: where the line of a terminal is drawn, by default on standard output.
        transient: whether that line is removed at the end.
    """
    last: float | None = None
    with ExitStack() as stack:
        show: Callable[[Report, float | None], None]
        if sys.stdout.isatty() if terminal is None else terminal:
            show = stack.enter_context(_changing_line(title, console, transient))
        else:
            show = _Cell(title) if terminal is None and in_notebook() else _Lines()

        def with_the_last_dev_loss(report: Report) -> None:
            nonlocal last
            last = last if report.dev_loss is None else report.dev_loss
            show(report, last)

        yield with_the_last_dev_loss


def progress_line(title: str, report: Report, dev_loss: float | None, width: int) -> str:
    """Where training stands, in at most `width` characters.

    Where there is too little room, the parts named in LEAVING leave in their order; the bar becomes shorter first. The
    percentage, the dev loss and the time left stay.
    """
    parts = {"title": title, "bar": "", "done": f"{report.done:4.0%}", "step": f"step {report.step:,}"}
    parts |= _parts(report, dev_loss)
    for leaving in ("", *LEAVING):
        parts.pop(leaving, None)
        room = width - len("  ".join(parts.values()))
        if "bar" not in parts and room >= 0:
            break
        if "bar" in parts and room >= SHORTEST_BAR:
            parts["bar"] = bar(report.done, min(room, LONGEST_BAR))
            break
    return "  ".join(parts.values())


def bar(done: float, width: int) -> str:
    """A bar of `width` characters, filled to the part that is done."""
    filled = min(width, int(done * width))
    return "━" * filled + "─" * (width - filled)


def describe(report: Report, dev_loss: float | None = None) -> str:
    """Loss, dev loss if there is one, tokens per second and time left, in one line."""
    return "  ".join(_parts(report, dev_loss).values())


def duration(seconds: float) -> str:
    """Minutes and seconds, `2:05`; with hours if there are any, `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _parts(report: Report, dev_loss: float | None) -> dict[str, str]:
    parts = {}
    dev_loss = dev_loss if report.dev_loss is None else report.dev_loss
    if not math.isnan(report.loss):
        parts["loss"] = f"loss {report.loss:.4f}"
    if dev_loss is not None:
        parts["dev"] = f"dev {dev_loss:.4f}"
    if report.tokens_per_second:
        parts["tokens/s"] = f"{report.tokens_per_second:,.0f} tokens/s"
    if report.utilization is not None:
        parts["used"] = f"{report.utilization:.0%} of peak"
    if 0 < report.done < 1:
        parts["left"] = f"{duration(report.seconds * (1 - report.done) / report.done)} left"
    return parts


class _Cell:
    """A bar, and the words of the last line beside it."""

    def __init__(self, title: str) -> None:
        self.title, self.line = title, CellLine()

    def __call__(self, report: Report, dev_loss: float | None) -> None:
        words = f"{self.title} {report.done:4.0%}  step {report.step:,}  {describe(report, dev_loss)}"
        self.line.show(report.done, words)


class _Lines:
    """A line at the first step and at every tenth of the budget, with the dev loss measured last."""

    def __init__(self) -> None:
        self.shown: int | None = None

    def __call__(self, report: Report, dev_loss: float | None) -> None:
        mark = int(report.done * PLAIN_LINES + 1e-9)
        if mark != self.shown:
            print(f"step {report.step:6,}  {report.done:4.0%}  {describe(report, dev_loss)}", flush=True)
        self.shown = mark


@contextmanager
def _changing_line(
    title: str, console: Console | None, transient: bool
) -> Iterator[Callable[[Report, float | None], None]]:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.text import Text

    class Line:
        report: Report | None = None
        dev_loss: float | None = None

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            text = title if self.report is None else ""
            if self.report is not None:
                text = progress_line(title, self.report, self.dev_loss, options.max_width - MARGIN)
            if options.ascii_only:
                text = text.translate({ord("━"): "=", ord("─"): "-"})
            line = Text(text, no_wrap=True, overflow="crop")
            line.highlight_regex("━+", "green")
            line.highlight_regex("─+", "dim")
            yield line

    line = Line()
    with Live(line, console=console or Console(), refresh_per_second=10, transient=transient) as live:

        def show(report: Report, dev_loss: float | None) -> None:
            line.report, line.dev_loss = report, dev_loss

        yield show
        live.refresh()
