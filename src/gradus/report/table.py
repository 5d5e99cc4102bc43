"""The table of a climb on standard output: with rich on a terminal, as text in a pipe, and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradus.columns import GAP, print_columns
from gradus.report.chart import clock
from gradus.report.compare import digits, verdict
from gradus.report.page import one_line
from gradus.report.record import Record, Rung

if TYPE_CHECKING:
    from rich.console import Console

# What leaves a narrow terminal, in this order.
LEAVING = ("it writes", "seconds", "context", "parameters", "train", "bits/char", "above floor", "sliding")
WRITES = 60  # characters of what a model writes; on a terminal what is left of the line, but ...
WRITES_LEAST = 20  # ... not at all where less than this is left


def table_rows(record: Record, *, writes: int = WRITES) -> tuple[list[str], list[list[str]]]:
    """The table as text: its head, and a row for each rung; what a page shows and what a terminal shows is this.

    Args:
        writes: characters of the last column, what a model writes.
    """
    sliding = any(rung.sliding is not None for rung in record.rungs)
    decimals = digits((rung.test for rung in record.rungs), 4, 5)
    head = ["model", "parameters", "context", "train", "dev", "test", *(["sliding"] if sliding else [])]
    head += ["above floor"] if record.floor is not None else []
    head += ["bits/char", "seconds", "it writes"]
    rows = []
    for rung in record.rungs:
        row = [rung.title, f"{rung.parameters:,}", str(rung.context)]
        row += [f"{loss:.{decimals}f}" for loss in (rung.train, rung.dev, rung.test)]
        if sliding:
            row.append("" if rung.sliding is None else f"{rung.sliding:.{decimals}f}")
        if record.floor is not None:
            row.append(f"{rung.test - record.floor.test:.4f}")
        rows.append([*row, f"{rung.bits:.3f}", f"{rung.seconds:.1f}", one_line(rung, writes)])
    return head, rows


def shortened_rows(record: Record, width: int) -> tuple[list[str], list[list[str]]]:
    """The table with as much of what a model writes as a line of so many characters has room for, if that is
    WRITES_LEAST or more."""
    head, rows = table_rows(record)
    left = width - sum(
        max(map(len, column)) + len(GAP) for column in zip(head[:-1], *(r[:-1] for r in rows), strict=True)
    )
    return table_rows(record, writes=min(left, WRITES)) if left >= WRITES_LEAST else (head, rows)


def plain_table(record: Record) -> str:
    """The table in aligned columns, numbers to the right, with notes below."""
    head, rows = table_rows(record)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join([*(_aligned(row, widths) for row in (head, *rows)), "", *_notes(record)])


def print_table(record: Record, console: Console) -> None:
    """The table with rich, as wide as the terminal allows, the best values green."""
    from rich.text import Text

    head, rows = shortened_rows(record, console.width)
    best = [min(rows, key=lambda row: float(row[i])) if rows and _compared(head[i]) else None for i in range(len(head))]
    cells = [[Text(cell, style="bold green" if row is best[i] else "") for i, cell in enumerate(row)] for row in rows]
    for line in cells:
        line[-1].stylize("dim")
    print_columns(console, head, cells, leaving=LEAVING, left=("model", "it writes"))
    for note in _notes(record):
        console.print(Text(note, style="dim"))


def rung_line(rung: Rung) -> str:
    """What matters of a rung that is climbed, for the line that began with its name and budget."""
    interrupted = ", interrupted" if rung.interrupted else ""
    return f"dev {rung.dev:.4f}  test {rung.test:.4f}  {rung.seconds:6.1f} s{interrupted}"


def _compared(name: str) -> bool:
    return name in ("train", "dev", "test", "bits/char")


def _notes(record: Record) -> list[str]:
    notes = [f"Losses in nats per character; guessing costs ln {record.vocab_size} = {record.uniform:.4f}."]
    sticks = [f"{stick.name} {stick.test:.4f}" for stick in record.yardsticks if stick.name != "guessing"]
    if sticks:
        notes.append(f"Yardsticks on test: {', '.join(sticks)}.")
    took = [f"The climb took {clock(record.seconds)}, counting and scoring included."] if record.seconds else []
    return [*notes, *record.captions, *verdict(record), *took]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True))]
    return "  ".join([*cells, row[-1]]).rstrip()
