"""`torch._dynamo`, the front end of PyTorch's compiler: the names that programs use, without effect."""

from __future__ import annotations

from typing import Any

from gradus.engine.compat._dynamo import config as config
from gradus.engine.compat.absent import refuse
from gradus.engine.compat.compiler import allow_in_graph as allow_in_graph
from gradus.engine.compat.compiler import disable as disable
from gradus.engine.compat.compiler import is_compiling as is_compiling
from gradus.engine.compat.compiler import reset as reset
from gradus.engine.compat.runtime import compile as optimize

__all__ = ["allow_in_graph", "config", "disable", "is_compiling", "mark_dynamic", "mark_static", "optimize", "reset"]

__getattr__ = refuse(__name__)


def mark_dynamic(t: Any, index: Any, **_: Any) -> None:
    """No effect: every size may change between calls."""


def mark_static(t: Any, index: Any = None) -> None:
    """No effect: every size may change between calls."""
