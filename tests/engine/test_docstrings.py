"""Every public name says what it does, and what the examples in docstrings show is what happens."""

import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gradus.engine as torch

MODULES = [
    "", "autograd", "distributions", "fft", "linalg", "nn", "nn.functional", "nn.init", "nn.utils", "optim",
    "optim.lr_scheduler", "random", "serialization", "special", "testing", "utils.data",
]  # fmt: skip


def public(module: ModuleType) -> dict[str, Any]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = {name: getattr(module, name, None) for name in names}
    return {
        name: value
        for name, value in found.items()
        if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__.startswith("gradus")
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_and_class_has_a_docstring_of_its_own(module: str) -> None:
    for name, value in public(importlib.import_module(f"gradus.engine.{module}".rstrip("."))).items():
        own = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
        assert own, f"{module}.{name} has no docstring"


@pytest.mark.parametrize("owner", [torch.Tensor, torch.nn.Module, torch.optim.Optimizer])
def test_every_public_method_has_a_docstring(owner: type) -> None:
    for name in vars(owner):
        value = inspect.getattr_static(owner, name)
        if not name.startswith("_") and inspect.isfunction(value):
            assert value.__doc__, f"{owner.__name__}.{name} has no docstring"


WITH_EXAMPLES = [
    torch.Tensor, torch.autograd.Function, torch.autograd.grad, torch.nn.Module, torch.optim.Optimizer, torch.save,
    torch.utils.data.DataLoader, torch.utils.data.Dataset,
]  # fmt: skip


@pytest.mark.parametrize("shown", WITH_EXAMPLES, ids=lambda shown: shown.__name__)
def test_the_example_in_the_docstring_prints_what_it_says(shown: Any, tmp_path: Path) -> None:
    names = {"torch": torch, "nn": torch.nn, "path": tmp_path / "checkpoint.pt"}
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(shown) or "", names, shown.__name__, None, None)
    assert example.examples
    printed: list[str] = []
    assert not doctest.DocTestRunner().run(example, out=printed.append).failed, "".join(printed)
