"""The backend: `torch`, `nn` and `F`, of either our engine or PyTorch.

Model files say `from gradus.backend import torch, nn, F` and never ask which of the two they got; the way Keras
chooses its backend. The choice is made once per process, by `use(name)` or else by the variable GRADUS_BACKEND, and is
final when one of the three names is first imported from here: a class that derives from one backend's `nn.Module`
cannot change to the other's.

Of the processes that torchrun starts, it is known here how many there are, and which of them this is.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType
from typing import TYPE_CHECKING

from gradus.errors import UserError

if TYPE_CHECKING:
    from gradus import engine as torch
    from gradus.engine import nn
    from gradus.engine.nn import functional as F

__all__ = ["BACKENDS", "VARIABLE", "F", "name", "nn", "rank", "torch", "use", "world_size"]

VARIABLE = "GRADUS_BACKEND"
BACKENDS = {"engine": "gradus.engine", "torch": "torch"}  # the name of a backend -> its package

_chosen: str | None = None


def use(backend: str) -> None:
    """Choose the backend of this process, before any model is imported.

    Args:
        backend: "engine" or "torch".

    Raises:
        UserError: if there is no such backend, or PyTorch is asked for and not installed.
        RuntimeError: if the other backend has been chosen already.
    """
    global _chosen
    if backend not in BACKENDS:
        raise UserError(f"unknown backend {backend!r}: choose one of {', '.join(BACKENDS)}")
    if _chosen not in (None, backend):
        raise RuntimeError(
            f"the backend is {_chosen!r} already and cannot become {backend!r}: choose before importing models"
        )
    if importlib.util.find_spec(BACKENDS[backend]) is None:
        raise UserError("the backend 'torch' needs PyTorch, which is not installed: pip install 'gradus-lm[torch]'")
    _chosen = backend


def name() -> str:
    """The backend of this process, "engine" or "torch". After this call it cannot be changed."""
    if _chosen is None:
        use(os.environ.get(VARIABLE) or "engine")
    assert _chosen is not None
    return _chosen


def world_size() -> int:
    """How many processes work together, on all machines: what torchrun says, or 1."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def rank() -> int:
    """Which of them this process is; 0 leads, writes and speaks."""
    return int(os.environ.get("RANK") or 0) if world_size() > 1 else 0


def __getattr__(attribute: str) -> ModuleType:
    """Import the chosen backend when `torch`, `nn` or `F` is first asked for."""
    if attribute not in ("torch", "nn", "F"):
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
    package = BACKENDS[name()]
    globals()["torch"] = importlib.import_module(package)
    globals()["nn"] = importlib.import_module(f"{package}.nn")
    globals()["F"] = importlib.import_module(f"{package}.nn.functional")
    module: ModuleType = globals()[attribute]
    return module
