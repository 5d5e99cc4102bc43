"""The result as a table in aligned columns, on a terminal in colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.bench.line import Line
from gradus.bench.rows import COMPILED, GRADUS, PYTORCH, ROWS
from gradus.bench.side_by_side import Record
from gradus.columns import print_columns

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("work", "threads", "unit", "gradus", "PyTorch", "compiled", "other", "figure", "reach", "aim", "")
TEXT = ("work", "unit", "")  # columns that are not numbers
LEAVING = ("aim", "reach", "other", "compiled", "threads", "")  # what leaves a narrow terminal, in this order

_UNITS = {"bytes": ("MiB", 2**-20), "times": ("x", 1.0)}
_STYLES = {"aim reached": "bold green", "reached": "green", "not reached": "red"}


def table_rows(record: Record, *, spread: bool = True) -> tuple[list[str], list[list[str]]]:
    """The table as text: its header, and a row for each line; empty columns are left out."""
    rows = [_row(line, spread=spread) for line in record.lines]
    kept = [i for i in range(len(COLUMNS)) if any(row[i] for row in rows)]
    return [COLUMNS[i] for i in kept], [[row[i] for i in kept] for row in rows]


def plain_table(record: Record) -> str:
    """The table in aligned columns, with the explanations below."""
    return "\n".join([*_aligned(*table_rows(record)), "", *explanations(record)])


def print_table(record: Record, console: Console) -> None:
    """Print the table in colour; if it is too wide, without the spread of the rounds."""
    from rich.text import Text

    head, rows = table_rows(record)
    if max(map(len, _aligned(head, rows))) > console.width:
        head, rows = table_rows(record, spread=False)
    cells = [[*map(Text, row[:-1]), Text(row[-1], style=_STYLES.get(row[-1].removesuffix(" *"), ""))] for row in rows]
    print_columns(console, head, cells, leaving=LEAVING, left=TEXT)
    console.print()
    for line in explanations(record):
        console.print(Text(line, style="dim"))


def explanations(record: Record) -> list[str]:
    """What each row and its figure are, how it was measured, and on which machine."""
    measured = {line.row for line in record.lines}
    width = max(map(len, measured), default=0)
    lines = []
    for row in ROWS:
        if row.name in measured:
            figure = f"{row.ratio[0]} over {row.ratio[1]}" if row.ratio else "gradus's own"
            lines.append(f"{row.name:{width}}  {row.title}; figure: {figure}")
    lines.append(
        "Median of the rounds (minimum-maximum). The contestants took turns, each in a process of its own and with the "
        "same number of threads; those that are compared computed the same result."
    )
    disturbed = [line.others for line in record.lines if line.others is not None and line.disturbed]
    if disturbed:
        lines.append(
            f"* Other programs kept up to {max(disturbed):.1f} cores busy meanwhile, so this figure is unreliable. "
            "Measure again when the machine is idle."
        )
    return [*lines, *record.notes, described(record)]


def described(record: Record) -> str:
    """The machine in one line."""
    facts = dict(record.machine)
    place = f"{facts.pop('processor')}, {facts.pop('cores')} cores, {facts.pop('system')}"
    return f"{place}; " + ", ".join(f"{name} {value}" for name, value in facts.items())


def number(x: float) -> str:
    """Three significant digits, or all before the decimal point."""
    digits = 2 if x == 0 else max(0, 2 - math.floor(math.log10(abs(x))))
    return f"{x:,.{digits}f}"


def _row(line: Line, *, spread: bool) -> list[str]:
    unit, factor = _unit(line)
    others = [name for name in (*line.rounds, *line.absent) if name not in (GRADUS, PYTORCH, COMPILED)]
    goal = line.goal
    return [
        f"{line.row}: {line.part}" if line.part else line.row,
        str(line.threads),
        unit,
        *(_cell(line, name, factor, spread=spread) for name in (GRADUS, PYTORCH, COMPILED)),
        " ".join(f"{name} {_cell(line, name, factor, spread=spread)}" for name in others),
        "" if line.figure is None else number(line.figure),
        "" if goal is None else f"{'<=' if goal.at_most else '>='} {goal.reach:g}",
        "" if goal is None or goal.aim is None else f"{goal.aim:g}",
        f"{line.verdict} *" if line.disturbed else line.verdict,
    ]


def _unit(line: Line) -> tuple[str, float]:
    """The unit for a line, by the smallest of its medians, and the factor to multiply with."""
    if line.unit in _UNITS:
        return _UNITS[line.unit]
    if line.ratio is None:  # the median itself is judged, in seconds
        return "s", 1.0
    least = min((median for name in line.rounds if (median := line.median(name)) is not None), default=1.0)
    return ("s", 1.0) if least >= 1 else ("ms", 1e3) if least >= 1e-4 else ("µs", 1e6)


def _cell(line: Line, name: str, factor: float, *, spread: bool) -> str:
    median = line.median(name)
    if median is None:
        return line.absent.get(name, "")
    taken = line.rounds[name]
    if not spread or len(taken) == 1:
        return number(median * factor)
    return f"{number(median * factor)} ({number(min(taken) * factor)}-{number(max(taken) * factor)})"


def _aligned(head: list[str], rows: list[list[str]]) -> list[str]:
    """A line of text for the head and for each row."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    aligned = [str.ljust if name in TEXT else str.rjust for name in head]
    return [
        "  ".join(align(cell, width) for align, cell, width in zip(aligned, row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
