"""The table on standard output: aligned in a pipe, coloured on a terminal, the same numbers in both."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gradus.report.ladder import LADDER
from gradus.report.record import Record
from gradus.report.table import Onlooker, plain_table, print_table, table_rows
from gradus.training import Report

REPORT = Report(3, 0.5, 100, 2.0, 50.0, 0.1, 1.25, None)


def test_plain_table_is_aligned(climbed: tuple[Record, Path]) -> None:
    record = climbed[0]
    lines = plain_table(record).splitlines()
    table, notes = lines[: 1 + len(record.rungs)], lines[2 + len(record.rungs) :]
    edge = table[0].index("train") + len("train")
    for line, rung in zip(table[1:], record.rungs, strict=True):
        assert line[:edge].endswith(f"{rung.train:.4f}")
        assert line.startswith(rung.title)
        assert line.endswith(table_rows(record)[1][record.rungs.index(rung)][-1])
    assert notes[0] == f"Losses in nats per character; guessing costs ln 13 = {record.uniform:.4f}."


def test_terminal_table_has_the_same_cells_and_marks_the_best(climbed: tuple[Record, Path]) -> None:
    record = climbed[0]
    out = StringIO()
    print_table(record, Console(file=out, force_terminal=True, width=200, color_system="standard", no_color=False))
    text = out.getvalue()
    assert all(cell in text for row in table_rows(record)[1] for cell in row)
    assert record.best is not None
    assert f"\x1b[1;32m{record.best.test:.4f}" in text
    assert text.count("\x1b[1;32m") == 4  # train, dev, test and bits


def test_onlooker_draws_a_bar_on_a_terminal_and_lines_in_a_pipe(
    climbed: tuple[Record, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal in (False, True):
        onlooker = Onlooker(terminal=terminal)
        for step, rung in zip(LADDER, climbed[0].rungs, strict=True):
            onlooker.begin(step, 0.5 if step.share else 0.0)
            onlooker.train(REPORT)
            onlooker.score()
            onlooker.end(rung)
        onlooker.close()
        out = capsys.readouterr().out
        assert out.count("1.2500") == 3  # of those that learn
        assert ("NPLM: 30 seconds" in out) is not terminal
        assert out.count("test loss") == 5
