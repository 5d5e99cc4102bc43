"""The whole measurement, row after row, and its record, which is complete up to an interruption."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradus.bench.contestant import Roster, Tell
from gradus.bench.line import Line
from gradus.bench.machine import Others, cores, machine
from gradus.bench.rows import COMPILED, MICROGRAD, PYTORCH, Row
from gradus.errors import UserError


@dataclass
class Record:
    """The measurement, the machine, and the notes."""

    machine: dict[str, str | int]
    threads: list[int]
    quick: bool
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    def as_json(self) -> dict[str, Any]:
        """The record as JSON data, every round's figures included."""
        return {
            "machine": self.machine,
            "threads": self.threads,
            "quick": self.quick,
            "interrupted": self.interrupted,
            "lines": [line.as_json() for line in self.lines],
            "notes": self.notes,
        }


def side_by_side(rows: Sequence[Row], threads: Sequence[int], *, quick: bool, compile: bool, tell: Tell) -> Record:
    """Measure the rows; Ctrl-C stops after the rows that are done.

    Args:
        threads: the numbers of threads to measure with, the same for everyone.
        quick: said in the record; the rows have been shortened already.
        compile: whether compiled PyTorch takes part.
        tell: is told what is being done.

    Raises:
        UserError: if there are not as many cores.
    """
    if max(threads) > cores():
        raise UserError(f"threads must be at most the {cores()} cores of this machine, got {max(threads)}")
    roster = Roster.of_this_machine()
    record = Record(machine(), sorted(threads), quick, notes=roster.notes)
    for remark in _remarks(rows, roster, record):
        roster.note(remark)
    try:
        for row in rows:
            how = importlib.import_module(f"gradus.bench.{row.how}")
            field = row if compile else row.without(COMPILED)
            for number in _threads_of(row, record.threads):
                others = Others()
                lines: list[Line] = how.measure(field, number, roster, tell)
                for line in lines:
                    line.others = others.cores()
                record.lines += lines
    except KeyboardInterrupt:
        record.interrupted = True
    return record


def _remarks(rows: Sequence[Row], roster: Roster, record: Record) -> Iterator[str]:
    """Note which contestants are missing."""
    wanted = {name for row in rows for name in row.works}
    if PYTORCH in wanted and PYTORCH in roster.absent:
        yield "PyTorch is not installed, so gradus is measured alone: pip install 'gradus-lm[torch]'"
    if MICROGRAD in wanted and MICROGRAD in roster.absent:
        yield "micrograd is not installed: pip install micrograd"
    if record.quick:
        yield "--quick: few rounds and steps, and the slowest rows only if they are named"


def _threads_of(row: Row, threads: list[int]) -> list[int]:
    return {"each": threads, "most": threads[-1:], "one": [1]}[row.threads]
