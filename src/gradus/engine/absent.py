"""What is said of a name that PyTorch's module may have and ours has not."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

ENGINE = "gradus.engine"


def torch_name(module: str) -> str:
    """The name that programs have for a module of the engine: gradus.engine.nn is torch.nn."""
    return "torch" + module.removeprefix(ENGINE)


def not_offered(module: ModuleType, name: str) -> str:
    """One line: that the module has no such name, and which one it has that looks like it."""
    names = vars(module)
    public = names.get("__all__") or [known for known in names if not known.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1, cutoff=0.8)
    where = torch_name(module.__name__)
    hint = f"; did you mean {where}.{near[0]}?" if near else ""
    return f"gradus's engine does not offer {where}.{name}{hint}"


def refuse(module_name: str) -> Callable[[str], Any]:
    """A `__getattr__` for a module, which says so."""

    def __getattr__(name: str) -> Any:
        raise AttributeError(not_offered(sys.modules[module_name], name), name=name, obj=sys.modules[module_name])

    return __getattr__
