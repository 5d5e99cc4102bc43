"""The gamma function's relatives and the inverse error function: PyTorch's values, and gradients that are slopes."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engine.compare import agree, agree_with_differences, numbers

FUNCTIONS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("lgamma", lambda t, x: t.lgamma(x)),
    ("digamma", lambda t, x: x.digamma()),
    ("polygamma 0", lambda t, x: x.polygamma(0)),
    ("polygamma 1", lambda t, x: t.polygamma(1, x)),
    ("polygamma 3", lambda t, x: t.polygamma(3, x)),
]
IDS = [name for name, _ in FUNCTIONS]
PLACES = np.array([1e-8, 0.3, 1.0, 1.5, 2.0, 5.25, 9.99, 10.5, 40.0, 1e4])


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=IDS)
def test_relatives_of_gamma_above_zero(name: str, function: Callable[[Any, Any], Any]) -> None:
    del name
    agree(function, PLACES)
    agree(function, PLACES[1:].astype(np.float32))
    agree_with_differences(function, numbers(6, low=0.5, high=12.0))


@pytest.mark.parametrize(("name", "function"), FUNCTIONS[:2], ids=IDS[:2])
def test_relatives_of_gamma_below_zero_and_at_its_poles(name: str, function: Callable[[Any, Any], Any]) -> None:
    del name
    agree(function, np.array([-0.5, -1.25, -7.7, -30.5]))
    agree(function, np.array([0.0, -0.0, -1.0, -2.0, np.inf, np.nan]), gradients=False)
    agree(lambda t, x: function(t, x.long()), np.array([1.0, 4.0]), gradients=False)


def test_inverse_error_function() -> None:
    agree(lambda t, x: t.erfinv(x), np.array([-0.999, -0.7, -0.2, 0.0, 0.3, 0.71, 0.9999999]))
    agree(lambda t, x: x.erfinv(), np.array([-0.9, 0.5, 0.9], np.float32))
    agree(lambda t, x: x.erfinv(), np.array([-1.0, 1.0, 1.5, np.nan]), gradients=False)
    agree_with_differences(lambda t, x: t.erfinv(x), numbers(5, low=-0.95, high=0.95))
