"""Whether operations are recorded: `no_grad` and its relatives, each a context manager and a decorator."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, TypeVar


class _Mode(threading.local):
    enabled = True


state = _Mode()

F = TypeVar("F", bound=Callable[..., Any])


class set_grad_enabled:
    """Context manager, decorator, or plain call: record the graph from here on, or do not."""

    def __init__(self, mode: bool) -> None:
        self.enabled, self.before = mode, state.enabled
        state.enabled = mode

    def __enter__(self) -> None:
        state.enabled = self.enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.enabled = self.before

    def __call__(self, function: F) -> F:
        state.enabled = self.before  # used as a decorator: nothing changes until the function is called
        return _decorated(function, lambda: set_grad_enabled(self.enabled))


class no_grad:
    """Context manager and decorator: what is computed inside leaves no graph."""

    enabled: ClassVar[bool] = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else _decorated(function, cls)  # `@no_grad` without brackets

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(state.enabled)
        state.enabled = self.enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.enabled = self.before.pop()

    def __call__(self, function: F) -> F:
        return _decorated(function, type(self))


class enable_grad(no_grad):
    """Context manager and decorator: record the graph, also inside `no_grad`."""

    enabled = True


class inference_mode(no_grad):
    """As `no_grad`."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        if callable(mode):
            return _decorated(mode, cls)
        return object.__new__(cls if mode else enable_grad) if mode else enable_grad()


def is_inference_mode_enabled() -> bool:
    """Whether operations are not recorded: this engine's inference mode is `no_grad`."""
    return not state.enabled


def is_grad_enabled() -> bool:
    return state.enabled


def _decorated(function: Any, manager: Callable[[], Any]) -> Any:
    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with manager():
            return function(*args, **kwargs)

    return inside
