"""The examples in the docstrings run and say what they print."""

from __future__ import annotations

import doctest
from importlib import import_module

import numpy as np
import pytest

from gradus.plots import _HOME


@pytest.mark.parametrize("module", sorted(set(_HOME.values()) - {"curve"}))
def test_docstring_examples_run(module: str) -> None:
    result = doctest.testmod(import_module(f"gradus.plots.{module}"), extraglobs={"np": np})
    assert result.attempted
    assert not result.failed
