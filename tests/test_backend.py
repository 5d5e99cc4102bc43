"""The choice of the backend: where the names come from, that it is final, and what is said when it cannot be made."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from gradus import backend
from gradus.errors import UserError


def in_new_process(program: str, variable: str | None) -> str:
    """What a program prints that starts with GRADUS_BACKEND set so, or not set."""
    environment = {key: value for key, value in os.environ.items() if key != backend.VARIABLE}
    if variable is not None:
        environment[backend.VARIABLE] = variable
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("variable", "packages"),
    [
        (None, "gradus.engine gradus.engine.nn gradus.engine.nn.functional"),
        ("engine", "gradus.engine gradus.engine.nn gradus.engine.nn.functional"),
        ("torch", "torch torch.nn torch.nn.functional"),
    ],
)
def test_names_come_from_the_backend_that_the_environment_names(variable: str | None, packages: str) -> None:
    if variable == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    program = "from gradus.backend import F, nn, torch; print(torch.__name__, nn.__name__, F.__name__)"
    assert in_new_process(program, variable) == packages


def test_use_wins_over_the_environment() -> None:
    program = "from gradus import backend; backend.use('engine'); print(backend.torch.__name__)"
    assert in_new_process(program, "torch") == "gradus.engine"


def test_settings_can_be_listed_before_a_backend_is_chosen() -> None:
    program = (
        "import sys; from gradus.models.config import GPTConfig; from gradus import backend;"
        "backend.use('engine'); print('gradus.engine' in sys.modules, 'torch' in sys.modules)"
    )
    assert in_new_process(program, None) == "False False"


def test_the_choice_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_chosen", "torch")
    with pytest.raises(RuntimeError, match="is 'torch' already and cannot become 'engine'"):
        backend.use("engine")


def test_choosing_the_same_again_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_chosen", "engine")
    backend.use("engine")
    assert backend.name() == "engine"


def test_an_unknown_backend_is_the_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_chosen", None)
    monkeypatch.setenv(backend.VARIABLE, "jax")
    with pytest.raises(UserError, match="unknown backend 'jax': choose one of engine, torch"):
        backend.name()


def test_torch_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_chosen", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install 'gradus-lm\[torch\]'"):
        backend.use("torch")


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tensorflow'"):
        _ = backend.tensorflow
