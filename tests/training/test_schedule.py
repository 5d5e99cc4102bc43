"""The learning rate over the budget."""

from __future__ import annotations

import math

import pytest

from gradus.training.schedule import Schedule, learning_rate_factor


def factor(progress: float, schedule: Schedule = "cosine", warmup: float = 0.2, min_ratio: float = 0.1) -> float:
    return learning_rate_factor(progress, schedule=schedule, warmup=warmup, min_ratio=min_ratio)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "wsd", "inverse-sqrt", "step", "constant"])
def test_the_warm_up_is_a_straight_line_from_zero_to_one(schedule: Schedule) -> None:
    assert [factor(p, schedule) for p in (0.0, 0.05, 0.1, 0.2)] == pytest.approx([0, 0.25, 0.5, 1])


def test_the_fall_has_the_shape_of_its_name_and_ends_at_the_smallest_rate() -> None:
    assert [factor(p, "linear") for p in (0.4, 0.6, 1.0, 1.3)] == pytest.approx([0.775, 0.55, 0.1, 0.1])
    assert [factor(p, "cosine") for p in (0.4, 0.6, 1.0, 1.3)] == pytest.approx(
        [0.1 + 0.45 * (1 + math.cos(math.pi / 4)), 0.55, 0.1, 0.1]
    )
    assert [factor(p, "constant") for p in (0.4, 1.0, 1.3)] == [1, 1, 1]
    assert [factor(p, "inverse-sqrt") for p in (0.4, 0.8, 1.0, 1.3)] == pytest.approx(
        [math.sqrt(0.5), 0.5, math.sqrt(0.2), math.sqrt(0.2)]
    )
    assert [factor(p, "step") for p in (0.4, 0.5, 0.51, 1.0, 1.3)] == [1, 1, 0.1, 0.1, 0.1]
    assert [factor(p, "wsd") for p in (0.4, 0.8, 0.9, 1.0, 1.3)] == pytest.approx([1, 1, 0.55, 0.1, 0.1])
    assert [factor(p, "wsd", warmup=0.9) for p in (0.9, 0.95, 1.0)] == pytest.approx([1, 0.55, 0.1])


def test_no_warm_up_starts_at_the_top_and_nothing_but_warm_up_ends_there() -> None:
    assert factor(0.0, warmup=0.0) == 1
    assert factor(0.5, warmup=1.0) == 0.5
    assert factor(1.0, warmup=1.0) == 1
