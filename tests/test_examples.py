"""The examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.generation import SamplingRule
from gradus.models import build_model

NAMES: dict[str, Any] = {"np": np, "torch": torch, "build_model": build_model, "SamplingRule": SamplingRule}


@pytest.mark.parametrize("module", ["gradus.generation.generate"])
def test_examples_print_what_they_say(module: str) -> None:
    found: ModuleType = importlib.import_module(module)
    result = doctest.testmod(found, extraglobs=NAMES)
    assert result.attempted > 0
    assert result.failed == 0
