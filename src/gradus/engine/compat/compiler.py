"""`torch.compiler`: directives to a compiler, without effect, because nothing is compiled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from gradus.engine.compat.runtime import compile as compile

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling",
    "is_dynamo_compiling", "is_exporting", "list_backends", "reset", "set_stance",
]  # fmt: skip


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function unchanged; without one, a decorator that does so."""
    return _as_it_is if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """The function itself."""
    return fn


def assume_constant_result(fn: Any) -> Any:
    """The function itself."""
    return fn


def set_stance(
    stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
) -> AbstractContextManager[None]:
    """A context manager without effect."""
    return nullcontext()


def reset() -> None:
    """No effect: nothing is compiled."""


def cudagraph_mark_step_begin() -> None:
    """No effect: there are no CUDA graphs."""


def is_compiling() -> bool:
    return False


def is_dynamo_compiling() -> bool:
    return False


def is_exporting() -> bool:
    return False


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """An empty list: there are no backends."""
    return []


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
