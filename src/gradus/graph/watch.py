"""Seeing which module computed what: while a `watch` is open, every call of the module and of those inside it is noted.

It works for modules made of Values and for nn modules, ours and PyTorch's, and asks nothing of them: calls go through
the class's `__call__`, which is wrapped on the way in and restored on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any


@dataclass(slots=True)
class Call:
    """One call: the module's name and class, the call around it (-1: none), and the Values or tensors in and out."""

    name: str
    kind: str
    parent: int
    inputs: list[Any] = field(default_factory=list, repr=False)
    outputs: list[Any] = field(default_factory=list, repr=False)


class watch:
    """Note the calls of a module and of its parts.

        with watch(mlp) as calls:
            out = mlp([x, y])
        graph(out, calls=calls)         # an MLP, its layers and its neurons are boxes that fold

    Args:
        module: an object that is called, with parts in its attributes or, as nn modules have it, in `named_modules()`.
        name: what to call it; the class's name if None.
    """

    def __init__(self, module: Any, name: str | None = None) -> None:
        self.calls: list[Call] = []
        self.names = dict(_parts(module, type(module).__name__ if name is None else name))
        self.modules = module  # keeps the ids above valid
        self.open: list[tuple[int, int]] = []
        self.restore: list[tuple[type, Any]] = []

    def __repr__(self) -> str:
        return f"watch({type(self.modules).__name__}: {len(self.calls):,} calls)"

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __enter__(self) -> watch:
        classes = {cls for _, cls in self.names.values()}
        wrapped = {cls: self._wrap(cls.__call__) for cls in classes}  # all are read before any is changed
        for cls, call in wrapped.items():
            self.restore.append((cls, cls.__dict__.get("__call__")))
            setattr(cls, "__call__", call)  # noqa: B010 (a type checker forbids the plain form)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cls, original in self.restore:
            if original is None:
                del cls.__call__  # it was inherited
            else:
                setattr(cls, "__call__", original)  # noqa: B010
        self.restore.clear()

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            known = self.names.get(id(module))
            if known is None or (self.open and self.open[-1][1] == id(module)):  # not watched, or super().__call__
                return original(module, *args, **kwargs)
            number = len(self.calls)
            parent = self.open[-1][0] if self.open else -1
            self.calls.append(Call(known[0], known[1].__name__, parent, _leaves((args, kwargs))))
            self.open.append((number, id(module)))
            try:
                result = original(module, *args, **kwargs)
            finally:
                self.open.pop()
            self.calls[number].outputs = _leaves(result)
            return result

        return call


def _parts(module: Any, name: str, prefix: str = "") -> Iterator[tuple[int, tuple[str, type]]]:
    """Every module inside, with its dotted name and class."""
    if hasattr(module, "named_modules"):
        for path, part in module.named_modules():
            yield id(part), (path or name, type(part))
        return
    yield id(module), (name, type(module))
    for attribute, value in getattr(module, "__dict__", {}).items():
        parts = (
            {f"{attribute}.{i}": part for i, part in enumerate(value)}
            if isinstance(value, list)
            else {attribute: value}
        )
        for path, part in parts.items():
            if hasattr(part, "parameters") and callable(part):
                yield from _parts(part, prefix + path, f"{prefix}{path}.")


def _leaves(value: Any) -> list[Any]:
    """The Values and tensors in a nest of tuples, lists and dicts."""
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in _leaves(part)]
    if isinstance(value, dict):
        return _leaves(list(value.values()))
    return [value] if hasattr(value, "_prev") or hasattr(value, "grad_fn") else []
