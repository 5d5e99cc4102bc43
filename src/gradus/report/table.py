"""The table of a climb on standard output, and how a climb is watched: with rich on a terminal, as text in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gradus.report.ladder import LADDER, Step
from gradus.report.page import one_line
from gradus.report.record import Record, Rung
from gradus.training import Report, show_progress

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = max(len(step.title) for step in LADDER)


def table_rows(record: Record) -> tuple[list[str], list[list[str]]]:
    """The table as text: its head, and a row for each rung; what a page shows and what a terminal shows is this."""
    sliding = any(rung.sliding is not None for rung in record.rungs)
    head = ["model", "parameters", "context", "train", "dev", "test", *(["sliding"] if sliding else [])]
    head += ["bits/char", "seconds", "it writes"]
    rows = []
    for rung in record.rungs:
        row = [rung.title, f"{rung.parameters:,}", str(rung.context)]
        row += [f"{loss:.4f}" for loss in (rung.train, rung.dev, rung.test)]
        if sliding:
            row.append("" if rung.sliding is None else f"{rung.sliding:.4f}")
        rows.append([*row, f"{rung.bits:.3f}", f"{rung.seconds:.1f}", one_line(rung)])
    return head, rows


def plain_table(record: Record) -> str:
    """The table in aligned columns, numbers to the right, with notes below."""
    head, rows = table_rows(record)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join([*(_aligned(row, widths) for row in (head, *rows)), "", *_notes(record)])


def print_table(record: Record, console: Console) -> None:
    """The table with rich, the best values green."""
    from rich.table import Table
    from rich.text import Text

    head, rows = table_rows(record)
    best = [min(rows, key=lambda row: float(row[i])) if rows and _compared(head[i]) else None for i in range(len(head))]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in head:
        text = name in ("model", "it writes")
        table.add_column(name, justify="left" if text else "right", no_wrap=name != "it writes", overflow="fold")
    for row in rows:
        cells = [Text(cell, style="bold green" if row is best[i] else "") for i, cell in enumerate(row)]
        cells[-1].stylize("dim")
        table.add_row(*cells)
    console.print(table)
    for note in _notes(record):
        console.print(Text(note, style="dim"))


class Onlooker:
    """A `climb.Watcher` that shows a progress bar for each rung on a terminal, and lines in a pipe."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self._stack = ExitStack()
        self.show: Callable[[Report], None] | None = None

    def begin(self, step: Step, minutes: float) -> None:
        if not step.share:
            self.show = None
        else:
            if not self.terminal:
                print(f"{step.title}: {60 * minutes:.0f} seconds", flush=True)
            self.show = self._stack.enter_context(show_progress(f"{step.title:{_WIDTH}}", terminal=self.terminal))

    def train(self, report: Report) -> None:
        if self.show is not None:
            self.show(report)

    def score(self) -> None:
        self._stack.close()

    def end(self, rung: Rung) -> None:
        print(f"{rung.title:{_WIDTH}}  test loss {rung.test:.4f} in {rung.seconds:.1f} s", flush=True)

    def close(self) -> None:
        """Remove the progress bar that is still shown after an interruption."""
        self._stack.close()


def _compared(name: str) -> bool:
    return name in ("train", "dev", "test", "bits/char")


def _notes(record: Record) -> list[str]:
    notes = [f"Losses in nats per character; guessing costs ln {record.vocab_size} = {record.uniform:.4f}."]
    return [*notes, *record.captions]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True))]
    return "  ".join([*cells, row[-1]]).rstrip()
