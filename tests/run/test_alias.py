"""`import torch` that means the engine, for as long as a program runs and no longer."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys

import pytest
import torch as theirs

import gradus.engine as engine
from gradus.run import torch_is_engine
from gradus.run.alias import PUBLIC, engine_module

SUBMODULES = [
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.nn.parallel",
    "torch.nn.parameter",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.autograd",
    "torch.utils.data",
    "torch.utils.data.dataloader",
    "torch.utils.data.dataset",
    "torch.utils.data.sampler",
    "torch.utils.data.distributed",
    "torch.utils.tensorboard",
    "torch.utils.checkpoint",
    "torch.distributed",
    "torch.cuda",
    "torch.cuda.amp",
    "torch.amp",
    "torch.backends.cudnn",
    "torch.backends.cuda",
    "torch.profiler",
    "torch.serialization",
    "torch.jit",
    "torch.version",
]


def test_torch_is_the_engine_within_the_block_only() -> None:
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torch"}
    with torch_is_engine():
        assert importlib.import_module("torch") is engine
        assert sys.modules["torch"] is engine
        assert isinstance(engine.zeros(1), sys.modules["torch"].Tensor)
    assert importlib.import_module("torch") is theirs
    assert {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torch"} == before


def test_pytorch_is_back_after_an_error() -> None:
    with pytest.raises(ModuleNotFoundError), torch_is_engine():
        importlib.import_module("torch.nn.nobody")
    assert sys.modules["torch"] is theirs
    assert sys.modules["torch.nn"] is theirs.nn


@pytest.mark.parametrize("name", SUBMODULES)
def test_a_submodule_is_the_engines_own_object(name: str) -> None:
    with torch_is_engine():
        module = importlib.import_module(name)
    assert module is sys.modules[name.replace("torch", "gradus.engine", 1)]
    assert module.__name__ == name.replace("torch", "gradus.engine", 1)  # its own name is left alone
    if name != "torch.utils.tensorboard":  # PyTorch's own needs a package more
        assert importlib.import_module(name).__name__ == name  # PyTorch has a module of this name, too


@pytest.mark.parametrize("name", SUBMODULES)
def test_import_torch_alone_makes_submodules_known(name: str) -> None:
    found = engine
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    assert found is engine_module(name)


def test_layers_are_found_where_pytorch_keeps_them() -> None:
    assert engine_module("torch.nn.modules") is engine.nn
    assert engine_module("torch.nn.modules.linear").Linear is engine.nn.Linear


@pytest.mark.parametrize(
    "name", ["torch.fx", "torch.nn.quantized", "torch.tensor", "torch.ops", "torch.kernels", "torch.absent", "torch._C"]
)
def test_a_module_that_is_not_offered_says_so(name: str) -> None:
    with (
        torch_is_engine(),
        pytest.raises(ModuleNotFoundError, match=f"gradus's engine does not offer the module {name}"),
    ):
        importlib.import_module(name)
    assert callable(engine.tensor)  # the function keeps its name


def test_public_modules_are_pytorchs() -> None:
    for name in PUBLIC:
        assert importlib.import_module(f"torch.{name}").__name__ == f"torch.{name}"


def test_other_modules_are_found_as_ever() -> None:
    with torch_is_engine():
        assert importlib.import_module("json").dumps([1]) == "[1]"
        with pytest.raises(ModuleNotFoundError, match="torchnothing"):
            importlib.import_module("torchnothing")


def test_a_program_that_asks_for_pytorchs_version_gets_the_engines() -> None:
    with torch_is_engine():
        assert importlib.metadata.version("torch") == engine.__version__
        assert importlib.metadata.version("numpy")
    assert importlib.metadata.version("torch") == theirs.__version__
