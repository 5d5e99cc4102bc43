"""Nothing is taken and not used: each parameter of each public function is read by its body, or is listed here with
the reason.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

import gradus.engine as torch
from gradus.engine import functions
from gradus.engine.nn import functional

# What has no effect in one place, and is therefore not read.
WITHOUT_EFFECT = {
    "sorted": "what comes in order may also be asked for in any",
    "stable": "equals keep their order whether or not it is asked for",
    "non_blocking": "a copy is done when it returns",
    "memory_format": "asked of numbers that lie in one order",
    "pin_memory": "there is one kind of memory",
    "compute_mode": "PyTorch's ways to compute the same",
    "input": "what is asked of it, every tensor here answers alike",
    "self": "what is asked of it, every tensor here answers alike",
    "size_average": "read by the decorator that makes `reduction` of it",
    "reduce": "read by the decorator that makes `reduction` of it",
}


def _public() -> Iterator[tuple[str, FunctionType]]:
    spaces: list[tuple[str, Any]] = [("torch.", functions), ("Tensor.", torch.Tensor), ("F.", functional)]
    for where, space in spaces:
        for name, found in vars(space).items():
            plain = inspect.unwrap(found) if callable(found) else None
            if isinstance(plain, FunctionType) and not name.startswith("__") and plain.__module__.startswith("gradus"):
                yield where + name, plain


def _read(code: CodeType) -> set[str]:
    """The names that a body reads, those of functions inside it too."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname.startswith("LOAD_")}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            names |= _read(part)
    return names


@pytest.mark.parametrize(("name", "function"), list(_public()), ids=lambda x: x if isinstance(x, str) else "")
def test_each_parameter_is_used(name: str, function: FunctionType) -> None:
    read = _read(function.__code__)
    unused = [p for p in inspect.signature(function).parameters if p not in read and not p.startswith("_")]
    assert [p for p in unused if p not in WITHOUT_EFFECT] == [], name
