"""Tables that fit a terminal: whole columns leave a narrow one, in an order that the table states, so that no number is
ever cut; one column of text may wrap."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LEAST_TEXT = 20  # characters that a column which wraps must have
GAP = "  "


def fitting(
    head: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, leaving: Sequence[str], wrapping: str = ""
) -> list[int]:
    """The numbers of the columns that fit into a width, from left to right.

    Args:
        head: the columns' names.
        width: in characters.
        leaving: the names of the columns that may leave, the first to leave first.
        wrapping: the column whose text may wrap, down to LEAST_TEXT characters.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    if wrapping in head:
        place = head.index(wrapping)
        widths[place] = min(widths[place], LEAST_TEXT)
    kept = list(range(len(head)))
    for name in leaving:
        if sum(widths[i] for i in kept) + len(GAP) * (len(kept) - 1) <= width:
            break
        kept = [i for i in kept if head[i] != name]
    return kept


def print_columns(
    console: Console,
    head: Sequence[str],
    rows: Sequence[Sequence[Text]],
    *,
    leaving: Sequence[str],
    wrapping: str = "",
    left: Collection[str] = (),
) -> None:
    """Print a table as `fitting` says, and below it the names of the columns that left.

    Args:
        left: the columns that are aligned to the left: text. All others are, as numbers, to the right.
    """
    from rich.table import Table
    from rich.text import Text

    plain = [[cell.plain for cell in row] for row in rows]
    kept = fitting(head, plain, console.width, leaving=leaving, wrapping=wrapping)
    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="dim", collapse_padding=True)
    for i in kept:
        wraps = head[i] == wrapping
        table.add_column(head[i], justify="left" if head[i] in left else "right", no_wrap=not wraps, overflow="fold")
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    console.print(table)
    gone = [name for i, name in enumerate(head) if i not in kept]
    if gone:
        console.print(Text(f"a wider terminal also shows: {', '.join(gone)}", style="dim italic"))
