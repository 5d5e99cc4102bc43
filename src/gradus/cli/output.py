"""Standard output and error that take any text and never end a command's work: terminals that lack a character get its
number, paths that are not UTF-8 their own bytes, and a full disk or a closed pipe is remembered and reported once."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

HANDLER = "gradus"  # our error handler for characters that an encoding lacks


class Raw(io.RawIOBase):
    """A stream's lowest layer. What cannot be written is dropped if the work has to go on, and remembered.

    Attributes:
        failed: the first error, None while all goes well.
        goes_on: whether the command's work matters more than its output.
    """

    def __init__(self, below: io.RawIOBase, *, goes_on: bool) -> None:
        self.below, self.goes_on = below, goes_on
        self.name, self.mode = getattr(below, "name", ""), "wb"
        self.failed: OSError | None = None

    def write(self, data: object) -> int | None:
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        if self.failed is not None and self.goes_on:
            return size
        try:
            return self.below.write(data)  # type: ignore[arg-type]
        except OSError as error:
            self.failed = self.failed or error
            if not self.goes_on:
                raise
            return size

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.below.isatty()

    def fileno(self) -> int:
        return self.below.fileno()


_raw: list[Raw] = []  # of standard output, where it is ours


def set_up() -> None:
    """Replace standard output and error by ours, a closed one by the null device. Streams that a program has put there
    are left alone."""
    codecs.register_error(HANDLER, _substitute)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the process ends)
            continue
        if stream is not getattr(sys, f"__{name}__") or not isinstance(stream, io.TextIOWrapper):
            continue
        below = getattr(stream.buffer, "raw", stream.buffer)  # python -u has no layer between
        if not isinstance(below, io.RawIOBase):
            continue
        with suppress(OSError, ValueError):
            stream.flush()
        raw = Raw(below, goes_on=name == "stderr")
        ours = io.TextIOWrapper(
            io.BufferedWriter(raw),
            stream.encoding,
            HANDLER,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, ours)
        if name == "stdout":
            _raw.append(raw)


@contextmanager
def work_goes_on() -> Iterator[None]:
    """Within it, output that cannot be written does not end the command: what it makes is on disk."""
    for raw in _raw:
        raw.goes_on = True
    try:
        yield
    finally:
        for raw in _raw:
            raw.goes_on = False


def say(text: str, command: str = "") -> None:
    """Print a line, and at its end a command to copy. Where a terminal is narrower, the line wraps between words, and
    the command has a line of its own."""
    whole = f"{text} {command}" if command else text
    shown = wrapped(whole, sys.stdout)
    print(f"{wrapped(text, sys.stdout)}\n{command}" if command and shown != whole else shown, flush=True)


def wrapped(text: str, stream: TextIO) -> str:
    """A text for a terminal: its lines wrapped between words, so that no number is cut. For other streams, as it is."""
    if not stream.isatty():
        return text
    import shutil
    import textwrap

    width = shutil.get_terminal_size().columns
    lines = (textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n"))
    return "\n".join("\n".join(parts) for parts in lines)


def show_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    leaving: Sequence[str],
    wrapping: str = "",
    left: Sequence[str] = (),
) -> None:
    """Print rows: in a terminal as a table that fits it, see `print_columns`; elsewhere as fields between tabs."""
    from rich.console import Console
    from rich.text import Text

    from gradus.columns import print_columns

    console = Console()
    if console.is_terminal:
        cells = [[Text(cell, style="" if i else "bold") for i, cell in enumerate(row)] for row in rows]
        print_columns(console, head, cells, leaving=leaving, wrapping=wrapping, left=left)
    else:
        for row in rows:
            print("\t".join(row))


def finish() -> OSError | None:
    """Flush. Returns the error for which something was not written, unless the reader has closed the pipe."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):  # ValueError: the program closed it
        pass
    failed = None
    for raw in _raw:
        raw.goes_on, failed = True, raw.failed  # so that Python, too, can flush at the end
    return failed if failed is not None and failed.errno != errno.EPIPE else None


def _substitute(error: UnicodeError) -> tuple[str | bytes, int]:
    """What to write for a character that the encoding lacks: the byte it stands for in a path, or its number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return character.encode("ascii", "backslashreplace").decode(), error.start + 1
