"""`torch.jit`: compilation, without effect: programs run unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradus.engine.compat.absent import refuse


def script(obj: Any, *_: Any, **__: Any) -> Any:
    """Return the function or module unchanged."""
    return obj


def trace(func: Any, example_inputs: Any = None, *_: Any, **__: Any) -> Any:
    """Return the function or module unchanged."""
    return func


def ignore(fn: Any = None, drop: bool = False, **_: Any) -> Any:
    """A decorator without effect."""
    return _decorator(fn)


def unused(fn: Any) -> Any:
    """A decorator without effect."""
    return fn


def export(fn: Any) -> Any:
    """A decorator without effect."""
    return fn


def is_scripting() -> bool:
    return False


def is_tracing() -> bool:
    return False


def _decorator(function: Callable[..., Any] | None) -> Any:
    return (lambda f: f) if function is None else function


__getattr__ = refuse(__name__)
