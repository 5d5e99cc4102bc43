"""TrainConfig: one budget, and every value in its range."""

from __future__ import annotations

from typing import Any

import pytest

from gradus.errors import UserError
from gradus.models import MODELS
from gradus.training import TrainConfig, model_settings, settings_of


def test_the_budget_is_three_minutes_unless_steps_or_minutes_are_given() -> None:
    assert (TrainConfig().minutes, TrainConfig().steps) == (3.0, None)
    assert (TrainConfig(steps=5).minutes, TrainConfig(steps=5).steps) == (None, 5)
    assert [TrainConfig(steps=1200).budget, TrainConfig(minutes=0.5).budget] == ["1,200 steps", "0.5 minutes"]


def test_two_budgets_are_refused() -> None:
    with pytest.raises(UserError, match="steps or minutes, not both: got steps 5 and minutes 2"):
        TrainConfig(steps=5, minutes=2.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"minutes": 0.0}, "minutes must be greater than 0, got 0.0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"batch_size": 1, "positions": True}, "batch_size must be at least 2 with positions, got 1"),
        ({"learning_rate": -1.0}, "learning_rate must be greater than 0, got -1.0"),
        ({"warmup": 1.5}, "warmup must be between 0 and 1, got 1.5"),
        ({"beta2": 1.0}, "beta2 must be at least 0 and less than 1, got 1.0"),
        ({"patience": -1}, "patience must be 0 or more, got -1"),
        ({"seed": -1}, "seed must be between 0 and 4294967295, got -1"),
    ],
)
def test_values_out_of_range_are_refused_with_the_value(value: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        TrainConfig(**value)
    assert str(error.value) == message


def test_every_setting_has_a_comment_and_none_is_both_training_s_and_a_model_s() -> None:
    own = settings_of(TrainConfig)
    for model in MODELS:
        settings = model_settings(model)
        assert not own.keys() & settings.keys()
        assert [name for name, setting in settings.items() if not setting.help] == []
    assert [name for name, setting in own.items() if not setting.help] == []
