"""Names that PyTorch has and the engine does not support: they can be imported and passed around; using one raises an
error.

Programs import more than they use. A module that only PyTorch has is created at its first import: names that the engine
has are found in the nearest package above it (`torch.nn.modules.conv.Conv1d` in `torch.nn`), and its other names are
placeholders that raise an error when they are called. A name that PyTorch does not have either raises an error at once.
`pytorch_names.txt` holds PyTorch's names, and is read at the first lookup.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

ENGINE = "gradus.engine"


class NotSupported(NotImplementedError):
    """A part of PyTorch was used that this engine does not support."""


def torch_name(module: str) -> str:
    """PyTorch's name for a module of the engine: gradus.engine.nn is torch.nn."""
    return "torch" + module.removeprefix(ENGINE).removeprefix(".compat")


@functools.cache
def pytorchs_names() -> dict[str, frozenset[str]]:
    """The names in each public module and main class of PyTorch."""
    lines = Path(__file__).with_name("pytorch_names.txt").read_text(encoding="utf-8").splitlines()
    return {home: frozenset(names.split()) for home, _, names in (line.partition(": ") for line in lines)}


def in_pytorch(name: str) -> bool:
    """Whether PyTorch has a public module or name such as torch.nn.functional.fold."""
    home, _, last = name.rpartition(".")
    return name in pytorchs_names() or last in pytorchs_names().get(home, ())


def missing(name: str, known: list[str]) -> str:
    """An error message for an unknown name: whether PyTorch has it, or a similar known name."""
    if in_pytorch(name):
        return f"gradus's engine does not support {name}, which PyTorch has"
    home, _, last = name.rpartition(".")
    near = difflib.get_close_matches(last, known, n=1, cutoff=0.8)
    return f"gradus's engine does not support {name}" + (f"; did you mean {home}.{near[0]}?" if near else "")


def attribute(owner: object, name: str, home: str) -> str:
    """An error message for a missing attribute: whether PyTorch's class has it."""
    if not name.startswith("__") and in_pytorch(f"{home}.{name}"):
        return f"gradus's engine does not support {home}.{name}, which PyTorch has"
    return f"'{type(owner).__name__}' object has no attribute '{name}'"


class MissingAttribute:
    """A descriptor that raises an AttributeError when read; programs may set the attribute."""

    def __init__(self, home: str, name: str) -> None:
        self.name, self.message = name, missing(f"{home}.{name}", [])

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(self.message, name=self.name, obj=owner if instance is None else instance)


def missing_attributes(home: str) -> type:
    """A last base class with PyTorch's attributes, each of which raises an error that says it is not supported."""
    body = {name: MissingAttribute(home, name) for name in pytorchs_names()[home]}
    return type("Missing", (), {"__slots__": (), "__dir__": _dir_without_missing, **body})


def _dir_without_missing(self: object) -> list[str]:
    names = object.__dir__(self)
    return [name for name in names if not isinstance(inspect.getattr_static(type(self), name, None), MissingAttribute)]


def not_supported(module: ModuleType, name: str) -> str:
    """An error message for a name that a module of the engine does not have."""
    names = vars(module)
    known = names.get("__all__") or [each for each in names if not each.startswith("_")]
    return missing(f"{torch_name(module.__name__)}.{name}", list(known))


def refuse(module_name: str) -> Callable[[str], Any]:
    """A `__getattr__` for a module of the engine: returns a submodule, or raises an error that says what is not
    supported.
    """

    def __getattr__(name: str) -> Any:
        below = f"{torch_name(module_name)}.{name}"
        if name == "__path__" and any(known.startswith(f"{torch_name(module_name)}.") for known in pytorchs_names()):
            return []  # a package to Python's import, as PyTorch's is
        if not name.startswith("__") and below in pytorchs_names():
            return find_module(below)
        raise AttributeError(not_supported(sys.modules[module_name], name), name=name, obj=sys.modules[module_name])

    return __getattr__


_INSIDE = {  # PyTorch's module -> the engine's
    "torch.nn.modules.utils": "torch.nn.tuples",
    "torch.nn.modules.lazy": "torch.nn.lazy",
}
_PARTS = (  # modules whose names are also in the module above them; other modules have other names
    "torch.amp.", "torch.cuda.amp.", "torch.cuda.graphs.", "torch.cuda.memory.", "torch.cuda.random.",
    "torch.cuda.streams.", "torch.distributed.distributed_c10d.", "torch.distributions.", "torch.functional.",
    "torch.multiprocessing.spawn.", "torch.nn.modules.", "torch.nn.parallel.", "torch.optim.",
    "torch.profiler.profiler.", "torch.storage.", "torch.xpu.",
)  # fmt: skip
_NOT_PUBLIC = ("_C", "_dynamo", "_inductor", "__config__")  # which programs use nevertheless


def find_module(name: str) -> ModuleType:
    """The engine's module for one of PyTorch's, such as torch.nn.functional, or a placeholder.

    Raises:
        ModuleNotFoundError: if PyTorch has no such module.
    """
    wanted = name
    for theirs, ours in _INSIDE.items():
        if name == theirs or name.startswith(theirs + "."):
            wanted = ours + name.removeprefix(theirs)
            break
    root = wanted.split(".")[1:2]
    if not root or root[0] in _NOT_PUBLIC or f"torch.{root[0]}" in pytorchs_names():
        found = module_of(wanted.removeprefix("torch"))
        if found is not None:
            return found
    return absent_module(name)


def module_of(path: str) -> ModuleType | None:
    """The engine's module for a path below `torch`, such as ".nn.functional"; None if there is none."""
    for room in (ENGINE, f"{ENGINE}.compat"):
        try:
            return importlib.import_module(room + path)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{room}{path}.".startswith(f"{error.name}."):
                raise
    return None


@functools.cache
def absent_module(name: str) -> AbsentModule:
    """The placeholder for a module of PyTorch; the same one each time.

    Raises:
        ModuleNotFoundError: if PyTorch has no such module.
    """
    if name not in pytorchs_names() or name in CLASSES:
        raise ModuleNotFoundError(f"gradus's engine does not support the module {name}", name=name)
    return AbsentModule(name)


CLASSES = ("torch.Tensor", "torch.nn.Module", "torch.optim.Optimizer")  # in the same table as the modules


class AbsentModule(ModuleType):
    """A placeholder for a module of PyTorch."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"{name}, which gradus's engine does not support: its names can be used, not called.")
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        full = f"{self.__name__}.{name}"
        if not name.startswith("__"):
            if full in pytorchs_names():
                return find_module(full)
            room = _nearest_room(self.__name__)
            names = getattr(room, "__all__", vars(room)) if f"{self.__name__}.".startswith(_PARTS) else ()
            if name in names and not isinstance(getattr(room, name), ModuleType):
                return getattr(room, name)
            if in_pytorch(full):
                return Absent(full, (), {})
        raise AttributeError(missing(full, sorted(pytorchs_names()[self.__name__])), name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *pytorchs_names()[self.__name__]})


def _nearest_room(name: str) -> ModuleType:
    """The engine's nearest module above one of PyTorch's."""
    while True:
        name = name.rpartition(".")[0]
        found = find_module(name)
        if not isinstance(found, AbsentModule):
            return found


class Absent(type):
    """The metaclass of placeholders: they are classes, so that they can be subclassed and passed to isinstance."""

    stands_for: str

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **_: Any) -> Any:
        made = super().__new__(mcs, name.rpartition(".")[2], bases, body)
        made.stands_for = next((base.stands_for for base in bases if isinstance(base, Absent)), name)
        return made

    def __init__(cls, *_: Any, **__: Any) -> None:
        """Everything is done in `__new__`."""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        cls._refuse()

    def __bool__(cls) -> NoReturn:  # noqa: PLE0304 (it is no class that is tested here by mistake)
        cls._refuse()

    def __getattr__(cls, name: str) -> Any:
        """An attribute, such as a member of an enumeration, is a placeholder too."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{cls.stands_for}.{name}", (), {})

    def __repr__(cls) -> str:
        return f"<{cls.stands_for}, which gradus's engine does not support>"

    def _refuse(cls) -> NoReturn:
        raise NotSupported(f"gradus's engine does not support {cls.stands_for}, which PyTorch has")
