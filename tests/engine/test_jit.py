"""How loops are compiled: what only compiled functions call is part of them, and compiled once."""

from __future__ import annotations

import gc
import importlib.util
from pathlib import Path
from typing import Any

import numba.core.config
import pytest
from numba.core import codegen, compiler, event

from gradus.engine import kernels

kernels.compiled()  # Numba, and what is said when something is compiled

from gradus.engine.kernels import jit  # noqa: E402
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


@pytest.mark.parametrize(("owner", "name"), [(codegen, "JITCodeLibrary"), (compiler, "DefaultPassBuilder")])
def test_without_numbas_private_compiler_an_inner_function_is_compiled_by_the_public_one(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(owner, name)
    spec = importlib.util.spec_from_file_location("jit_of_another_numba", jit.__file__)
    assert spec is not None
    assert spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    monkeypatch.undo()
    power: Any = other.inner()(_power)
    assert numba.njit(lambda x: power(x, 3))(2.0) == 8
    assert power(2.0, 3) == 8  # Python may call it, too


class _WhileCompiling(event.Listener):
    """Whether the garbage collector was on, in each compilation."""

    def __init__(self) -> None:
        self.collected: list[bool] = []

    def on_start(self, _: Any) -> None:
        self.collected.append(gc.isenabled())

    def on_end(self, _: Any) -> None: ...


@pytest.mark.parametrize("before", [True, False])
def test_the_garbage_collector_rests_while_something_compiles(before: bool) -> None:
    (gc.enable if before else gc.disable)()
    listener = _WhileCompiling()
    try:
        with event.install_listener("numba:compile", listener):
            assert loop()(_successor)(1) == 2
        after = gc.isenabled()
    finally:
        gc.enable()
    assert after == before
    assert listener.collected == [False]
