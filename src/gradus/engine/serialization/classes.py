"""Which classes a file may name, and creating their objects without running their code."""

from __future__ import annotations

import argparse
import pickle
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ENGINE = "gradus.engine"
_NAMESPACES = {"argparse.Namespace": argparse.Namespace, "types.SimpleNamespace": types.SimpleNamespace}

_allowed: dict[str, type] = {}  # by the name that a file would use


def add_safe_globals(safe_globals: Sequence[type | tuple[type, str]]) -> None:
    """Allow `load` to create objects of these classes (or of a class under another name: (class, "module.name"))."""
    for entry in safe_globals:
        kind, name = entry if isinstance(entry, tuple) else (entry, f"{entry.__module__}.{entry.__qualname__}")
        _allowed[name] = kind


def get_safe_globals() -> list[type]:
    """The classes that were allowed."""
    return list(_allowed.values())


def clear_safe_globals() -> None:
    """Clear the list of allowed classes."""
    _allowed.clear()


@contextmanager
def safe_globals(safe_globals: Sequence[type | tuple[type, str]]) -> Iterator[None]:
    """Allow classes within a `with` block."""
    before = dict(_allowed)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _allowed.clear()
        _allowed.update(before)


def resolve(module: str, name: str, *, weights_only: bool) -> Any:
    """Return the class, or the function of the engine, behind a name in a file that is not PyTorch's.

    Raises:
        pickle.UnpicklingError: if it is not allowed. Nothing is imported to look it up.
    """
    full = f"{module}.{name}"
    if full in _allowed:
        return _allowed[full]
    if weights_only:
        raise pickle.UnpicklingError(
            f"Weights only load failed. Unsupported global: GLOBAL {full} was not an allowed global by default. "
            f"Please use `torch.serialization.add_safe_globals([{full}])` or the "
            f"`torch.serialization.safe_globals([{full}])` context manager to allowlist this global if you trust this "
            "class/function. `weights_only=False` allows this program's own classes."
        )
    if full in _NAMESPACES:
        return _NAMESPACES[full]
    loaded = sys.modules.get(module)
    found = None
    if loaded is not None and (module == _ENGINE or module.startswith(_ENGINE + ".") or _is_of_program(loaded)):
        found = _attribute(loaded, name)
    if isinstance(found, type) or (isinstance(found, types.FunctionType) and module.startswith(_ENGINE)):
        return found
    raise pickle.UnpicklingError(
        f"the file names {full}, which is not a class of this program: torch.load makes tensors, containers, numbers, "
        "strings and objects of the program's own classes, and never imports or runs what a file names. Allow a class "
        f"with torch.serialization.add_safe_globals([{name}]), or save a state_dict() instead of the object."
    )


def new(kind: Any) -> Any:
    """Create an object of a class, without attributes.

    Raises:
        pickle.UnpicklingError: if creating, restoring or deleting such an object would run the class's code.
    """
    if not isinstance(kind, type):
        raise pickle.UnpicklingError(f"the file contains an object of {kind!r}, which is not a class")
    for method in ("__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__del__"):
        if getattr(kind, method, None) is not getattr(object, method, None):
            raise pickle.UnpicklingError(
                f"an object of {kind.__module__}.{kind.__qualname__} is not read from a file: its {method} would be "
                "run. Save plain data instead, such as its vars()."
            )
    return object.__new__(kind)


def fill(made: Any, state: Any) -> None:
    """Set the attributes of an object that `new` created."""
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise pickle.UnpicklingError(f"the state of a {type(made).__name__} is not a dict of attributes")
    object.__getattribute__(made, "__dict__").update(state)


def _is_of_program(module: types.ModuleType) -> bool:
    """Whether a module is the program that runs, or lies beside it or below."""
    main = sys.modules.get("__main__")
    if module is main:
        return True
    program, file = getattr(main, "__file__", None), getattr(module, "__file__", None)
    if program is None or file is None:
        return False
    folder, path = Path(program).resolve().parent, Path(file).resolve()
    return folder in path.parents and "site-packages" not in path.parts


def _attribute(module: types.ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, (types.ModuleType, type)) else None
    return found
