"""The examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.generation import SamplingRule, generate
from gradus.models import build_model
from gradus.text import Batches, CharTokenizer, Corpus

NAMES: dict[str, Any] = {
    "np": np,
    "torch": torch,
    "Batches": Batches,
    "CharTokenizer": CharTokenizer,
    "Corpus": Corpus,
    "SamplingRule": SamplingRule,
    "build_model": build_model,
    "generate": generate,
}


@pytest.mark.parametrize(
    "module",
    [
        "gradus.generation.generate",
        "gradus.models.encoder",
        "gradus.models.layers",
        "gradus.models.transformer",
        "gradus.order",
        "gradus.text.pairs",
        "gradus.text.wordpiece",
        "gradus.training.loop",
    ],
)
def test_examples_print_what_they_say(module: str) -> None:
    found: ModuleType = importlib.import_module(module)
    result = doctest.testmod(found, extraglobs=NAMES)
    assert result.attempted > 0
    assert result.failed == 0
