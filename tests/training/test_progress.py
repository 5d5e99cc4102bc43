"""What one sees while training."""

from __future__ import annotations

import io
import math

import pytest

from gradus.training import Report, show_progress
from gradus.training.progress import describe, duration


def report(step: int, done: float, *, loss: float = 1.5, dev_loss: float | None = None) -> Report:
    return Report(step, done, step * 100, 30.0, 1234.5, 0.003, loss, dev_loss)


def test_a_pipe_gets_a_line_at_every_twentieth_and_at_every_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("gpt", terminal=False) as show:
        for step in range(1, 101):
            show(report(step, step / 100, dev_loss=2.0 if step == 33 else None))
    steps = [int(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert steps == [1, *range(5, 35, 5), 33, *range(35, 105, 5)]


def test_a_terminal_gets_a_bar_with_the_last_dev_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "140")
    with show_progress("gpt", terminal=True) as show:
        show(report(10, 0.25, dev_loss=2.25))
        show(report(20, 0.5))
    last = screen.getvalue().rstrip().splitlines()[-1]
    for part in ("gpt", "50 %", "step 20", "loss 1.5000", "dev 2.2500", "1,234 tokens/s", "0:30 left"):
        assert part in last


def test_a_report_in_words() -> None:
    assert describe(report(1, 0.25, dev_loss=2.0)) == "loss 1.5000  dev 2.0000  1,234 tokens/s  1:30 left"
    assert describe(report(1, 1.0, loss=math.nan)) == "1,234 tokens/s"
    assert [duration(s) for s in (5, 65, 3605.4)] == ["0:05", "1:05", "1:00:05"]
