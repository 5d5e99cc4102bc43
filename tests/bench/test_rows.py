"""What there is to measure, and what a figure is worth."""

from __future__ import annotations

import importlib

import pytest

from gradus.bench.rows import ROWS, Goal, choose_rows
from gradus.errors import UserError


def test_all_rows_are_measured_unless_some_are_named() -> None:
    assert choose_rows([]) == list(ROWS)
    assert [row.name for row in choose_rows(["gpt-small", "mlp"])] == ["mlp", "gpt-small"]


def test_quick_leaves_slow_rows_out_unless_they_are_named() -> None:
    assert not any(row.slow for row in choose_rows([], quick=True))
    (row,) = choose_rows(["gpt-large"], quick=True)
    assert row.slow
    assert row.rounds <= 3


def test_an_unknown_row_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="no row is called 'gtp-small'; did you mean gpt-small"):
        choose_rows(["gtp-small"])
    with pytest.raises(UserError, match=f"there are {ROWS[0].name}, "):
        choose_rows(["xyz"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_work_of_every_row_exists(row: object) -> None:
    assert hasattr(row, "works")
    for work in row.works.values():
        module, function = work.split(":")
        assert callable(getattr(importlib.import_module(f"gradus.bench.{module}"), function))


@pytest.mark.parametrize(
    ("goal", "figure", "verdict"),
    [
        (Goal(1.8, 2.8), 1.79, "not reached"),
        (Goal(1.8, 2.8), 1.8, "reached"),
        (Goal(1.8, 2.8), 2.8, "aim reached"),
        (Goal(1.0, 0.7, at_most=True), 1.01, "not reached"),
        (Goal(1.0, 0.7, at_most=True), 1.0, "reached"),
        (Goal(1.0, 0.7, at_most=True), 0.7, "aim reached"),
        (Goal(0.2, at_most=True), 0.0, "reached"),
    ],
)
def test_a_goal_is_reached_at_its_number(goal: Goal, figure: float, verdict: str) -> None:
    assert goal.verdict(figure) == verdict
