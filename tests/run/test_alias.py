"""`import torch` that means the engine, for as long as a program runs and no longer."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import sys
import warnings

import pytest
import torch as theirs

import gradus.engine as engine
from gradus.engine.compat.absent import AbsentModule, NotSupported, find_module, torch_name
from gradus.run import torch_is_engine

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
    assert module is sys.modules[module.__name__]  # its own name is left alone
    assert torch_name(module.__name__) == name
    if name != "torch.utils.tensorboard":  # PyTorch's own needs a package more
        assert importlib.import_module(name).__name__ == name  # PyTorch has a module of this name, too


@pytest.mark.parametrize("name", SUBMODULES)
def test_import_torch_alone_makes_submodules_known(name: str) -> None:
    found = engine
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    assert found is find_module(name)


def test_layers_are_found_where_pytorch_keeps_them() -> None:
    assert find_module("torch.nn.modules").Linear is engine.nn.Linear
    assert find_module("torch.nn.modules.utils")._pair(1) == (1, 1)
    assert engine.nn.utils.__name__ == "gradus.engine.nn.utils"  # not PyTorch's nn.modules.utils
    assert find_module("torch.nn.modules.linear").Linear is engine.nn.Linear


@pytest.mark.parametrize("name", ["torch.tensor", "torch.ops", "torch.kernels", "torch.absent", "torch.nn.nobody"])
def test_a_module_that_neither_has_says_so(name: str) -> None:
    with (
        torch_is_engine(),
        pytest.raises(ModuleNotFoundError, match=f"gradus's engine does not support the module {name}"),
    ):
        importlib.import_module(name)
    assert callable(engine.tensor)  # the function keeps its name


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch.onnx", "export"),
        ("torch.fx", "Interpreter"),
        ("torch.hub", "load"),
        ("torch.distributed.optim", "ZeroRedundancyOptimizer"),
        ("torch.distributed.fsdp", "FullyShardedDataParallel"),
        ("torch.nn.attention.flex_attention", "flex_attention"),
        ("torch.utils.benchmark", "Timer"),
        ("torch.utils.model_zoo", "load_url"),
        ("torch.utils.collect_env", "get_pretty_env_info"),
        ("torch.ao.quantization", "quantize_dynamic"),
        ("torch.library", "custom_op"),
        ("torch.quantization", "QuantStub"),
    ],
)
def test_what_only_pytorch_has_can_be_imported_and_refuses_to_work(module: str, name: str) -> None:
    with torch_is_engine():
        found = importlib.import_module(module)
    assert isinstance(found, AbsentModule)
    assert find_module(module) is found
    thing = getattr(found, name)
    assert not isinstance(3, thing)
    derived = type(thing)("Derived", (thing,), {})
    for use in (thing, derived, bool, getattr(thing, "part", None)):
        with pytest.raises(NotSupported, match=rf"^gradus's engine does not support {module}\.{name}"):
            use(thing)  # type: ignore[misc]
    with pytest.raises(AttributeError, match=f"does not support {module}.nobody"):
        found.nobody  # noqa: B018
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert hasattr(importlib.import_module(module), name)  # PyTorch has it


@pytest.mark.parametrize(
    ("theirs_is", "ours_is"),
    [
        ("nn.modules.conv.Conv1d", "nn.Conv1d"),
        ("nn.modules.module.Module", "nn.Module"),
        ("nn.modules.loss.CrossEntropyLoss", "nn.CrossEntropyLoss"),
        ("optim.adamw.AdamW", "optim.AdamW"),
        ("autograd.grad_mode.no_grad", "no_grad"),
        ("autograd.function.Function", "autograd.Function"),
        ("functional.split", "split"),
        ("random.manual_seed", "manual_seed"),
    ],
)
def test_a_name_is_found_in_the_file_where_pytorch_keeps_it(theirs_is: str, ours_is: str) -> None:
    def found(way: str) -> object:
        return functools.reduce(getattr, way.split("."), engine)

    assert found(theirs_is) is found(ours_is)
    home, _, name = theirs_is.rpartition(".")
    with torch_is_engine():
        assert getattr(importlib.import_module(f"torch.{home}"), name) is found(ours_is)


def test_other_modules_are_found_as_ever() -> None:
    with torch_is_engine():
        assert importlib.import_module("json").dumps([1]) == "[1]"
        with pytest.raises(ModuleNotFoundError, match="torchnothing"):
            importlib.import_module("torchnothing")


def test_a_program_that_asks_for_pytorchs_version_gets_the_engines() -> None:
    with torch_is_engine():
        assert importlib.metadata.version("torch") == engine.__version__
        assert importlib.metadata.version("numpy")
    assert importlib.metadata.version("torch").split("+")[0] == str(theirs.__version__).split("+")[0]
