"""The recipes: settings that start from another value than their own default, for a model and a kind of text, or a
corpus that has a name. They are data, in `recipes.toml` beside this file, most entries with the trials that chose
them."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any, get_args

from gradus.text.corpus import Kind


def _read() -> dict[tuple[str, str], dict[str, Any]]:
    table = tomllib.loads(files(__package__).joinpath("recipes.toml").read_text(encoding="utf-8"))
    return {(model, kind): settings for model, kinds in table.items() for kind, settings in kinds.items()}


RECIPES = _read()  # (model, kind of text or name of a corpus) -> settings of the model and of TrainConfig by name


def recipe(model: str, corpus: str, kind: str) -> dict[str, Any]:
    """The settings that a model starts with on a corpus, by its name if there is a recipe for that, else by its
    kind."""
    named = RECIPES.get((model, corpus)) if corpus not in get_args(Kind) else None  # a file may be called as a kind is
    return named or RECIPES.get((model, kind), {})
