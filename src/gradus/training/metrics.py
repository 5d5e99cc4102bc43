"""metrics.jsonl: the measurements of a run, one JSON object a line, appended while it trains and read afterwards."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from gradus.files import from_json, is_number, note, saving, to_json
from gradus.training.folder import reading


class Metrics(list[dict[str, Any]]):
    """The measurements of a run, a dict a line, which show themselves as a table; `pandas.DataFrame(metrics)` takes
    them as they are."""

    MOST = 12  # rows shown; of more, the first and the last

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in rows)

    def _repr_html_(self) -> str:
        head, *rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self._rows())
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head.replace('td>', 'th>')}</tr></thead><tbody>{body}</tbody></table>"

    def _rows(self) -> list[list[str]]:
        """The names, then the numbers as text."""
        names = list(dict.fromkeys(name for line in self for name in line)) or ["no measurements yet"]
        shown: list[dict[str, Any]] = list(self)
        if len(self) > self.MOST:
            shown = [*self[: self.MOST // 2], dict.fromkeys(names, "…"), *self[-self.MOST // 2 :]]
        cells = [[line.get(name, "") for name in names] for line in shown]
        return [names, *([f"{c:.5g}" if isinstance(c, float) else str(c) for c in row] for row in cells)]


class Line(NamedTuple):
    text: str
    values: dict[str, Any]


def append_line(path: Path, values: dict[str, Any]) -> None:
    """Add a line. UserError if it cannot be written."""
    with saving(path.parent), open(path, "a", encoding="utf-8") as file:
        file.write(to_json(values) + "\n")


def read_bytes(path: Path) -> bytes:
    """The file's content; nothing where there is none. UserError if it cannot be read."""
    if not path.exists():
        return b""
    with reading(path):
        return path.read_bytes()


def read_lines(path: Path) -> list[Line]:
    """The lines that are not damaged; the user is told of those that are."""
    data, good, damaged = read_bytes(path), [], []
    for number, text in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
        try:
            line = from_json(text)
            if type(line["step"]) is not int or not all(map(is_number, line.values())):
                raise TypeError
            values = {name: value if type(value) is int else float(value) for name, value in line.items()}
            good.append(Line(text.decode(), values))
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged.append(str(number))
    if damaged and data:
        more = " and more" if len(damaged) > 5 else ""
        note(f"{path}: left out what is damaged: line {', '.join(damaged[:5])}{more}")
    return good


def up_to(lines: list[Line], step: int) -> str:
    """The file's content with the lines up to a step only."""
    return "".join(line.text + "\n" for line in lines if line.values["step"] <= step)
