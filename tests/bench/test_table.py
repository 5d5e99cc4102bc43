"""The table says what was measured, in columns, and what cannot be believed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from gradus.bench.line import Line
from gradus.bench.rows import GRADUS, MICROGRAD, PYTORCH, Goal
from gradus.bench.side_by_side import Record
from gradus.bench.table import number, plain_table, print_table


def record() -> Record:
    lines = [
        Line(
            "mlp", "", "x", 1, "s", {GRADUS: [2e-4], PYTORCH: [4e-4, 5e-4, 9e-4]}, {}, (PYTORCH, GRADUS), Goal(1.8, 2.8)
        ),
        Line("ops", "add", "x", 2, "s", {GRADUS: [2e-5]}, {PYTORCH: "failed"}, (PYTORCH, GRADUS), Goal(1.0, 2.0)),
        Line(
            "memory",
            "",
            "x",
            2,
            "bytes",
            {GRADUS: [3 * 2**20], PYTORCH: [2**20]},
            {},
            (GRADUS, PYTORCH),
            Goal(1.0, 0.7, True),
        ),
        Line("moons", "", "x", 1, "s", {GRADUS: [0.1], MICROGRAD: [1.0]}, {}, (MICROGRAD, GRADUS), None),
    ]
    machine: dict[str, str | int] = {"processor": "abacus", "cores": 2, "system": "Linux", "Python": "3.11.7"}
    return Record(machine, [1, 2], quick=False, lines=lines, notes=["a note"])


def test_a_line_shows_medians_spread_figure_and_verdict() -> None:
    head, mlp, ops, memory, moons, *rest = plain_table(record()).splitlines()
    assert head.split() == ["work", "threads", "unit", "gradus", "PyTorch", "other", "figure", "reach", "aim"]
    assert mlp.split() == ["mlp", "1", "ms", "0.200", "0.500", "(0.400-0.900)", "2.50", ">=", "1.8", "2.8", "reached"]
    assert ops.split() == ["ops:", "add", "2", "µs", "20.0", "failed", ">=", "1", "2"]
    assert memory.split() == ["memory", "2", "MiB", "3.00", "1.00", "3.00", "<=", "1", "0.7", "not", "reached"]
    assert moons.split() == ["moons", "1", "ms", "100", "micrograd", "1,000", "10.0"]
    assert "a note" in rest
    assert rest[-1] == "abacus, 2 cores, Linux; Python 3.11.7"


def test_a_narrow_terminal_shows_every_verdict_without_the_spread() -> None:
    def shown(width: int) -> list[str]:
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
        print_table(record(), console)
        assert isinstance(console.file, io.StringIO)
        return [line.rstrip() for line in console.file.getvalue().splitlines()]

    assert shown(200)[1].endswith("0.500 (0.400-0.900)                     2.50  >= 1.8  2.8  reached")
    assert shown(90)[1].endswith("0.500                     2.50  >= 1.8  reached")
    assert shown(80)[1].endswith("0.500                     2.50  reached")
    assert shown(60)[1].split() == ["mlp", "ms", "0.200", "0.500", "2.50", "reached"]


def test_a_figure_from_a_busy_machine_is_marked() -> None:
    disturbed = record()
    disturbed.lines[0].others = 0.7
    table = plain_table(disturbed)
    assert "2.8  reached *" in table
    assert "* Other programs kept up to 0.7 cores busy meanwhile" in table
    assert "*" not in plain_table(record())


@pytest.mark.parametrize(
    ("x", "text"), [(0.0, "0.00"), (0.01234, "0.0123"), (1.5, "1.50"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_numbers_have_three_digits_that_count(x: float, text: str) -> None:
    assert number(x) == text
