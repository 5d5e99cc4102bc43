"""The table of a climb on standard output: with rich on a terminal, as text in a pipe, and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradus.report.compare import digits, verdict
from gradus.report.page import one_line
from gradus.report.record import Record, Rung

if TYPE_CHECKING:
    from rich.console import Console

GAP = 2  # spaces between columns
DROPPED = ("seconds", "context", "parameters", "train", "bits/char", "sliding")  # on a narrow terminal, in this order
WRITES = 60  # characters of what a model writes; on a terminal what is left of the line, but ...
WRITES_LEAST = 20  # ... not at all where less than this is left


def table_rows(record: Record, *, writes: int = WRITES) -> tuple[list[str], list[list[str]]]:
    """The table as text: its head, and a row for each rung; what a page shows and what a terminal shows is this.

    Args:
        writes: characters of the last column, what a model writes.
    """
    sliding = any(rung.sliding is not None for rung in record.rungs)
    decimals = digits((rung.test for rung in record.rungs), 4)
    head = ["model", "parameters", "context", "train", "dev", "test", *(["sliding"] if sliding else [])]
    head += ["bits/char", "seconds", "it writes"]
    rows = []
    for rung in record.rungs:
        row = [rung.title, f"{rung.parameters:,}", str(rung.context)]
        row += [f"{loss:.{decimals}f}" for loss in (rung.train, rung.dev, rung.test)]
        if sliding:
            row.append("" if rung.sliding is None else f"{rung.sliding:.{decimals}f}")
        rows.append([*row, f"{rung.bits:.3f}", f"{rung.seconds:.1f}", one_line(rung, writes)])
    return head, rows


def fitting_rows(record: Record, width: int) -> tuple[list[str], list[list[str]]]:
    """The table as it fits a line of so many characters: what a model writes becomes shorter and goes, then whole
    columns in the order of DROPPED; no number is ever cut."""
    head, rows = table_rows(record)
    left = width - _width(head[:-1], [row[:-1] for row in rows]) - GAP
    if left >= WRITES_LEAST:
        return table_rows(record, writes=min(left, WRITES))
    head, rows = head[:-1], [row[:-1] for row in rows]
    for name in DROPPED:
        if _width(head, rows) <= width:
            break
        if name in head:
            i = head.index(name)
            head, rows = head[:i] + head[i + 1 :], [row[:i] + row[i + 1 :] for row in rows]
    return head, rows


def plain_table(record: Record) -> str:
    """The table in aligned columns, numbers to the right, with notes below."""
    head, rows = table_rows(record)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join([*(_aligned(row, widths) for row in (head, *rows)), "", *_notes(record)])


def print_table(record: Record, console: Console) -> None:
    """The table with rich, as wide as the terminal allows, the best values green."""
    from rich.table import Table
    from rich.text import Text

    head, rows = fitting_rows(record, console.width)
    best = [min(rows, key=lambda row: float(row[i])) if rows and _compared(head[i]) else None for i in range(len(head))]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for name in head:
        text = name in ("model", "it writes")
        table.add_column(name, justify="left" if text else "right", no_wrap=True)
    for row in rows:
        cells = [Text(cell, style="bold green" if row is best[i] else "") for i, cell in enumerate(row)]
        if head[-1] == "it writes":
            cells[-1].stylize("dim")
        table.add_row(*cells)
    console.print(table)
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
    return [*notes, *record.captions, *verdict(record)]


def _width(head: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Characters of a line of the table."""
    return sum(max(map(len, column)) + GAP for column in zip(head, *rows, strict=True)) - GAP


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True))]
    return "  ".join([*cells, row[-1]]).rstrip()
