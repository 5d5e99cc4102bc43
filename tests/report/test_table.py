"""The table on standard output: aligned in a pipe, coloured on a terminal, the same numbers in both."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gradus.report.climb import Budget
from gradus.report.ladder import LADDER
from gradus.report.onlooker import Onlooker
from gradus.report.record import Record
from gradus.report.table import plain_table, print_table, table_rows
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


@pytest.mark.parametrize(
    ("width", "gone"),
    [
        (120, []),
        (80, ["it writes"]),
        (60, ["parameters", "context", "seconds", "it writes"]),
        (40, ["parameters", "context", "train", "bits/char", "seconds", "it writes"]),
    ],
)
def test_narrow_terminal_drops_whole_columns_and_cuts_no_number(
    width: int, gone: list[str], climbed: tuple[Record, Path]
) -> None:
    record = climbed[0]
    out = StringIO()
    print_table(record, Console(file=out, force_terminal=True, width=width, color_system=None))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    head, rows = table_rows(record)
    kept = [i for i, name in enumerate(head) if name not in (*gone, "it writes")]
    for line, row in zip(lines[1:], rows, strict=False):
        assert line.split()[: len(" ".join(row[i] for i in kept).split())] == " ".join(row[i] for i in kept).split()
    told = " ".join(" ".join(lines[1 + len(rows) :]).split())
    assert (f"a wider terminal also shows: {', '.join(gone)} Losses" in told) is bool(gone)


def test_onlooker_leaves_one_line_a_rung_on_a_terminal_and_in_a_pipe(
    climbed: tuple[Record, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal in (False, True):
        onlooker = Onlooker(Console(file=StringIO(), force_terminal=terminal, width=60))
        for step, rung in zip(LADDER, climbed[0].rungs, strict=True):
            onlooker.begin(step, Budget(steps=4) if step.documents.steps else Budget())
            onlooker.train(REPORT)
            onlooker.end(rung)
        onlooker.close()
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(LADDER)
        for line, rung in zip(lines, climbed[0].rungs, strict=True):
            assert f"dev {rung.dev:.4f}  test {rung.test:.4f}" in line
        assert ("4 steps" in lines[1]) is not terminal  # the terminal is narrow, and the budget gives way
        assert not terminal or max(map(len, lines)) <= 60
        assert ("counts once" in lines[0]) is not terminal


def test_onlooker_shows_what_train_shows_until_the_rung_is_climbed(climbed: tuple[Record, Path]) -> None:
    screen = StringIO()
    onlooker = Onlooker(Console(file=screen, force_terminal=True, width=100))
    onlooker.begin(LADDER[1], Budget(steps=4))
    onlooker.train(replace(REPORT, done=0.25, dev_loss=2.5))
    onlooker.train(REPORT)
    time_left = "loss 1.2500  dev 2.5000  50 tokens/s  0:02 left"
    assert time_left not in screen.getvalue()[: screen.getvalue().find("25%")]
    onlooker.end(climbed[0].rungs[1])
    assert time_left in screen.getvalue()
    assert screen.getvalue().rstrip().endswith("\x1b[2K")  # the line is removed


def test_interruption_ends_the_line_that_has_begun(capsys: pytest.CaptureFixture[str]) -> None:
    onlooker = Onlooker(Console(file=StringIO(), force_terminal=False))
    onlooker.begin(LADDER[0], Budget())
    onlooker.close()
    onlooker.close()
    assert capsys.readouterr().out.count("\n") == 1
