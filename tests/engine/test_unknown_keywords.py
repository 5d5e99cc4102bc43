"""A keyword that the engine does not have is refused, not dropped; one without effect here is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gradus.engine as torch

MAKERS: list[Callable[..., Any]] = [
    lambda **k: torch.zeros(2, **k),
    lambda **k: torch.ones(2, **k),
    lambda **k: torch.full((2,), 1.0, **k),
    lambda **k: torch.randn(2, **k),
    lambda **k: torch.rand(2, **k),
    lambda **k: torch.randperm(2, **k),
    lambda **k: torch.zeros_like(torch.ones(2), **k),
    lambda **k: torch.ones(2).new_zeros(2, **k),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_keyword_that_would_be_dropped_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'"):
        make(foo=torch.ones(2))


@pytest.mark.parametrize("make", MAKERS)
def test_a_keyword_without_effect_here_is_taken(make: Callable[..., Any]) -> None:
    assert make(pin_memory=False, out=None).shape == (2,)
