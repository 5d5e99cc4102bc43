"""How loops are compiled: what only compiled functions call is part of them, and compiled once."""

from __future__ import annotations

import gc
from typing import Any

from gradus.engine import kernels

kernels.compiled()  # Numba, and what is said when something is compiled

from gradus.engine.kernels.jit import inner, loop  # noqa: E402


@inner()
def _power(x: float, n: int) -> float:
    y = 1.0
    for _ in range(n):
        y *= x
    return y


def test_an_inner_function_has_one_form_for_constants_and_variables() -> None:
    @loop()
    def total(x: Any, n: Any) -> Any:
        return _power(x, n) + _power(x, 2) + _power(3.0, n)

    assert total(2.0, 3) == 8 + 4 + 27
    assert len(_power.overloads) == 1


def test_the_garbage_collector_is_back_after_compiling() -> None:
    @loop()
    def one() -> int:
        return 1

    assert gc.isenabled()
    assert one() == 1
    assert gc.isenabled()
    gc.disable()
    try:

        @loop()
        def two() -> int:
            return 2

        assert two() == 2
        assert not gc.isenabled()
    finally:
        gc.enable()
