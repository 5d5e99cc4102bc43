"""`torch._dynamo`, the front of PyTorch's compiler, as far as programs name it: nothing is compiled here."""

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
    """Nothing: every size may change from call to call."""


def mark_static(t: Any, index: Any = None) -> None:
    """Nothing: every size may change from call to call."""
