"""Whether operations are recorded: `no_grad` and its relatives, each a context manager and a decorator."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, TypeVar


class _Mode(threading.local):
    enabled = True
    inference = False


state = _Mode()

F = TypeVar("F", bound=Callable[..., Any])


class set_grad_enabled:
    """Context manager, decorator or function: enable or disable the recording of operations."""

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
        state.enabled = self.before  # as a decorator it changes nothing until the function is called
        return _decorated(function, lambda: set_grad_enabled(self.enabled))


class no_grad:
    """Context manager and decorator: operations inside are not recorded."""

    enabled: ClassVar[bool] = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        return self if function is None else _decorated(function, cls)  # `@no_grad` without brackets

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
    """Context manager and decorator: operations inside are recorded, even within `no_grad`."""

    enabled = True


class inference_mode(no_grad):
    """The same as `no_grad`: its tensors are ordinary ones here. `inference_mode(False)` records again."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        return _decorated(mode, cls) if callable(mode) else object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self.outside: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self.outside.append((state.enabled, state.inference))
        state.enabled, state.inference = not self.mode, self.mode

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state.enabled, state.inference = self.outside.pop()

    def __call__(self, function: F) -> F:
        return _decorated(function, lambda: inference_mode(self.mode))


def is_inference_mode_enabled() -> bool:
    """Whether an `inference_mode` is on."""
    return state.inference


def is_grad_enabled() -> bool:
    """Return whether operations are recorded in the graph now."""
    return state.enabled


def _decorated(function: Any, manager: Callable[[], Any]) -> Any:
    """A function that runs within a context manager; of a generator, only its own steps do."""
    if isinstance(function, type):
        return _class_decorated(function, manager)
    if inspect.isgeneratorfunction(function):
        return _stepping(function, manager)

    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with manager():
            return function(*args, **kwargs)

    return inside


def _class_decorated(kind: Any, manager: Callable[[], Any]) -> Any:
    """A class whose constructor runs within a context manager."""
    warnings.warn(
        "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions "
        "or methods. To preserve the current behavior of class decoration, you can directly decorate the `__init__` "
        "method and nothing else.",
        FutureWarning,
        stacklevel=4,
    )
    kind.__init__ = _decorated(kind.__init__, manager)
    return kind


def _stepping(function: Any, manager: Callable[[], Any]) -> Any:
    @functools.wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        try:
            with manager():
                given = generator.send(None)
            while True:
                try:
                    sent = yield given
                except GeneratorExit:
                    with manager():
                        generator.close()
                    raise
                except BaseException as error:
                    with manager():
                        given = generator.throw(error)
                else:
                    with manager():
                        given = generator.send(sent)
        except StopIteration as end:
            return end.value

    return steps
