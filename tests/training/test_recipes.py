"""The recipes: every entry is for a model and a kind of text that exist, and for settings of theirs."""

from __future__ import annotations

from typing import Any

import pytest

from gradus.text import KINDS, catalogue
from gradus.training import RECIPES, TrainConfig, model_settings, settings_of


@pytest.mark.parametrize(("of", "recipe"), RECIPES.items())
def test_a_recipe_has_valid_settings_of_its_model(of: tuple[str, str], recipe: dict[str, Any]) -> None:
    model, kind = of
    assert kind in (*KINDS, *(entry.name for entry in catalogue()))
    known = {**settings_of(TrainConfig), **model_settings(model)}
    for name, value in recipe.items():
        assert known[name].check(value) == value
        assert value != known[name].default, f"{name} is its own default already"
