"""Packages whose names are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as typing has it, which is not imported here, so that `import gradus` takes no time
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazy(
    package: str, modules: Mapping[str, str], otherwise: Callable[[str], Any] | None = None
) -> Callable[[str], Any]:
    """A `__getattr__` for a package: each name is imported from the module of the package that the mapping gives.

    Any other name is looked up by `otherwise`, another `__getattr__`; without one it is an AttributeError.
    """

    def __getattr__(name: str) -> Any:
        if name in modules:
            return getattr(import_module(f"{package}.{modules[name]}"), name)
        if otherwise is not None:
            return otherwise(name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__
