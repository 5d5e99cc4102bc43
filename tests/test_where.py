"""CONTRIBUTING's table of where things are is true: names are followed from file to file, as a reader follows them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import gradus.engine as engine
import gradus.engine.nn.functional as F
from gradus.engine.autograd.node import Function

ROOT = Path(__file__).parent.parent
ENGINE = ROOT / "src" / "gradus" / "engine"
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

STARTS: dict[str, Callable[..., Any]] = {
    "F.softmax": F.softmax,
    "x.softmax": engine.Tensor.softmax,
    "F.gelu": F.gelu,
    "nn.LayerNorm": engine.nn.LayerNorm.forward,
    "Tensor.view": engine.Tensor.view,
    "torch.cat": engine.cat,
    "AdamW.step": engine.optim.AdamW.update_all,  # what `Optimizer.step` calls with all that there is to update
}
TO_THE_FORMULA, TO_THE_LOOP = 3, 4  # files that a reader opens at most


def file_of(thing: Any) -> str:
    return Path(str(inspect.getsourcefile(thing))).resolve().relative_to(ENGINE).as_posix()


def named_in(function: FunctionType) -> Iterator[Any]:
    """What the source of a function names of the engine: functions, operations, and methods of its own class."""
    owner = function.__qualname__.rpartition(".")[0]
    scope = {**function.__globals__, "self": function.__globals__.get(owner)}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        path = ast.unparse(node).split(".") if isinstance(node, (ast.Name, ast.Attribute)) else []
        thing = scope.get(path[0]) if path and all(map(str.isidentifier, path)) else None
        for name in path[1:]:
            thing = getattr(thing, name, None) if isinstance(thing, (ModuleType, type)) else None
        thing = inspect.unwrap(thing) if callable(thing) else None
        if isinstance(thing, (FunctionType, type)) and thing.__module__.startswith("gradus.engine."):
            yield thing


def path_to(start: Callable[..., Any], arrived: Callable[[Any], bool]) -> tuple[list[str], Any]:
    """The files from a function to the nearest thing it leads to for which `arrived` is true, and that thing."""
    first = inspect.unwrap(start)
    waiting, seen = [([file_of(first)], first)], {first}
    while waiting:
        files, thing = waiting.pop(0)
        if arrived(thing):
            return files, thing
        for other in named_in(thing) if isinstance(thing, FunctionType) else ():
            if other not in seen:
                seen.add(other)
                waiting.append((files if file_of(other) == files[-1] else [*files, file_of(other)], other))
    raise LookupError(f"{first.__qualname__} leads to no such thing")


def is_operation(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, Function) and thing.__module__.startswith("gradus.engine.ops.")


def is_kernel(thing: Any) -> bool:
    """Whether a function is a kernel: one that may call a compiled loop."""
    return isinstance(thing, FunctionType) and "kernels.compiled()." in inspect.getsource(thing)


def files_to_the_loop(start: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """The files from a public name to its formula, and those from there to its loop, if it has one of its own."""
    if "optim" in file_of(start):  # an optimizer's formula is in its own file
        to_formula, rule = [file_of(start)], start
    else:
        to_formula, operation = path_to(start, is_operation)
        rule = operation.forward
    try:
        to_loop, _ = path_to(rule, is_kernel)
    except LookupError:
        return to_formula, []
    return to_formula, to_loop[1:]


@pytest.mark.parametrize("name", STARTS)
def test_the_guide_names_the_files_that_are_opened(name: str) -> None:
    to_formula, to_loop = files_to_the_loop(STARTS[name])
    row = re.search(rf"^\| `{re.escape(name)}` \| (.*) \| (.*)\|$", GUIDE, re.MULTILINE)
    assert row, f"CONTRIBUTING has no row for {name}"
    assert [re.findall(r"`([\w/.]+)`", cell) for cell in row.groups()] == [to_formula, to_loop]


@pytest.mark.parametrize("name", STARTS)
def test_a_formula_is_three_files_away_at_most_and_a_loop_four(name: str) -> None:
    to_formula, to_loop = files_to_the_loop(STARTS[name])
    assert len(to_formula) <= TO_THE_FORMULA
    assert len(to_formula) + len(to_loop) <= TO_THE_LOOP


def test_every_operation_is_in_ops() -> None:
    recording = {"autograd/views.py", "autograd/function.py", "autograd/node.py", "nn/hooks.py", "utils/checkpoint.py"}
    for path in ENGINE.rglob("*.py"):
        inside = path.relative_to(ENGINE).as_posix()
        if not inside.startswith("ops/") and inside not in recording:
            assert not re.search(r"^class \w+\(Function\)", path.read_text(encoding="utf-8"), re.MULTILINE), inside


def test_the_places_that_the_guide_names_are_there() -> None:
    table = GUIDE[GUIDE.index("## Where is what") : GUIDE.index("## How to add an operation")]
    places = re.findall(r"`((?:[\w]+/)+(?:\w+\.py)?|\w+\.py)`", table)
    assert len(places) > 20
    for place in places:
        assert any((root / place).exists() for root in (ENGINE, ROOT / "src" / "gradus", ROOT)), place
