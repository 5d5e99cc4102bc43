"""How loops are compiled: what only compiled functions call is part of them, and compiled once."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numba.core.config
import pytest

from gradus.engine import kernels

kernels.compiled()  # Numba, and what is said when something is compiled

from gradus.engine.kernels.jit import inner, loop  # noqa: E402


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.core.config, "CACHE_DIR", str(tmp_path))


def _power(x: float, n: int) -> float:
    y = 1.0
    for _ in range(n):
        y *= x
    return y


def _successor(x: int) -> int:
    return x + 1


def test_an_inner_function_has_one_form_for_constants_and_variables() -> None:
    power: Any = inner()(_power)

    def sum_of_powers(x: float, n: int) -> Any:
        return power(x, n) + power(x, 2) + power(3.0, n)

    assert loop()(sum_of_powers)(2.0, 3) == 8 + 4 + 27
    assert len(power.overloads) == 1


def test_the_garbage_collector_is_after_compiling_as_it_was() -> None:
    assert gc.isenabled()
    assert loop()(_successor)(1) == 2
    assert gc.isenabled()
    gc.disable()
    try:
        assert loop()(_successor)(1) == 2
        assert not gc.isenabled()
    finally:
        gc.enable()
