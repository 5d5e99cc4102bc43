"""IPython's lines that are not Python (`%matplotlib inline`, `!ls`): some are done, the rest is left out and named."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

# Lines about the window or the session, without which the program is the same.
_SILENT = ("%matplotlib", "%config", "%load_ext", "%reload_ext", "%autoreload", "%pylab")
_QUESTION = re.compile(r"[\w.]+\?{1,2}")  # name? asks for help

TIMER = "__timer__"  # the name under which a cell finds a Timer


class Cell(NamedTuple):
    """A cell as Python text, and the magic (%%time, %%capture, or none) that stood at its head."""

    text: str
    magic: str


class Timer:
    """Says how long a `with` block took, as `%time` does."""

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            print(f"Wall time: {time.perf_counter() - self._began:.3g} s")


def read_cell(source: str, warn: Callable[[str], None]) -> Cell:
    """A cell's text with its magic lines replaced by Python ones, line for line.

    What Python can read is left alone, so that a line of a string may begin with % or !.

    Args:
        warn: told of each line that is left out.
    """
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    magic = lines[first].split()[0] if lines[first].startswith("%%") else ""
    if magic not in ("", "%%time", "%%capture"):
        warn(f"a cell of {magic} is left out: only Python is run")
        return Cell("", "")
    if magic:
        lines[first] = ""
    while True:
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines) or not _is_magic(lines[number].strip()):
                break  # no magic: Python will say what is wrong
            lines[number] = _replaced(lines[number], warn)
        else:
            break
    return Cell("\n".join(lines), magic)


def _is_magic(line: str) -> bool:
    return line.startswith(("%", "!", "?")) or _QUESTION.fullmatch(line) is not None


def _replaced(line: str, warn: Callable[[str], None]) -> str:
    text = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    name, _, rest = text.partition(" ")
    if name == "%time" and rest:
        return f"{indent}with {TIMER}: {rest}"
    if name not in _SILENT:
        warn(f"{text} is left out: " + ("commands are not run" if text.startswith("!") else "only Python is run"))
    return f"{indent}pass"
