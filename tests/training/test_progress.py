"""What one sees while training."""

from __future__ import annotations

import io
import math
import re

import pytest

from gradus.training import Report, show_progress
from gradus.training.progress import MARGIN, describe, duration, progress_line


def report(
    step: int, done: float, *, loss: float = 1.5, dev_loss: float | None = None, seconds: float = 30.0
) -> Report:
    return Report(step, done, step * 100, seconds, 1234.5, 0.003, loss, dev_loss)


def test_where_there_is_no_terminal_a_line_at_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("gpt", terminal=False) as show:
        for step in range(1, 101):
            show(report(step, step / 100, dev_loss=2.0 if step == 33 else None))
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in lines] == [1, *range(10, 110, 10)]
    assert lines[3] == "step     30   30%  loss 1.5000  1,234 tokens/s  1:10 left"
    assert lines[4] == "step     40   40%  loss 1.5000  dev 2.0000  1,234 tokens/s  0:45 left"


def test_a_terminal_gets_a_line_with_the_last_dev_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "140")
    with show_progress("gpt", terminal=True) as show:
        show(report(10, 0.25, dev_loss=2.25))
        show(report(20, 0.5))
    last = screen.getvalue().rstrip().splitlines()[-1]
    for part in ("gpt", "50%", "step 20", "loss 1.5000", "dev 2.2500", "1,234 tokens/s", "0:30 left"):
        assert part in last


def test_ctrl_c_leaves_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    monkeypatch.setenv("TERM", "xterm")

    def interrupted() -> None:
        with show_progress("gpt") as show:
            show(report(10, 0.25, dev_loss=2.25))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert screen.getvalue().count("\n") == 1
    assert "\x1b[1A" not in screen.getvalue()  # no line is drawn above another one
    lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n").split()
    assert lines.count("25%") <= 2  # as it was last drawn, and as it stays
    # There is room for the ^C that the terminal shows, so that the line does not become two.
    assert len(re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", screen.getvalue()).split("\r")[-1]) <= 60 - MARGIN + 1


LONG = report(12_345, 0.5, loss=2.25, seconds=3700)
LINES = {
    120: "bigram network  ━━━━━━━━━━━━━━━───────────────   50%  step 12,34"
    "5  loss 2.2500  dev 2.1250  1,234 tokens/s  1:01:40 left",
    100: "bigram network  ━━━━━─────   50%  step 12,345  loss 2.2500  dev 2.1250  1,234 tokens/s  1:01:40 left",
    80: "bigram network  ━━━━━━━━━──────────   50%  loss 2.2500  dev 2.1250  1:01:40 left",
    60: "bigram network   50%  loss 2.2500  dev 2.1250  1:01:40 left",
    46: "bigram network   50%  dev 2.1250  1:01:40 left",
    30: " 50%  dev 2.1250  1:01:40 left",
}


@pytest.mark.parametrize("width", LINES)
def test_the_bar_gives_way_before_dev_loss_and_time_left(width: int) -> None:
    assert progress_line("bigram network", LONG, 2.125, width) == LINES[width]


def test_no_line_is_wider_than_it_may_be_and_all_hold_what_must_stay() -> None:
    for width in range(30, 200):
        line = progress_line("bigram network", LONG, 2.125, width)
        assert len(line) <= width
        for part in ("50%", "dev 2.1250", "1:01:40 left"):
            assert part in line


def test_a_report_in_words() -> None:
    assert describe(report(1, 0.25, dev_loss=2.0)) == "loss 1.5000  dev 2.0000  1,234 tokens/s  1:30 left"
    assert describe(report(1, 1.0, loss=math.nan)) == "1,234 tokens/s"
    assert [duration(s) for s in (5, 65, 3605.4)] == ["0:05", "1:05", "1:00:05"]
