"""What PyTorch has and the engine has not: it can be named, imported and handed around, and says so when it is used.

Programs import more than they use. A module of PyTorch's that is not here is made when it is asked for: what the engine
has of its names is found in the nearest room above it (`torch.nn.modules.conv.Conv1d` in `torch.nn`), and each other
name that PyTorch has there stands for itself until it is called. A name that PyTorch has not either is an error at
once. `pytorch_names.txt` holds PyTorch's names, and is read when the first question comes up.
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
    """Something of PyTorch's was used that this engine does not have."""


def torch_name(module: str) -> str:
    """The name that programs have for a module of the engine: gradus.engine.nn is torch.nn."""
    return "torch" + module.removeprefix(ENGINE).removeprefix(".compat")


@functools.cache
def pytorchs_names() -> dict[str, frozenset[str]]:
    """For each public module of PyTorch, and for its main classes, the names it has."""
    lines = Path(__file__).with_name("pytorch_names.txt").read_text(encoding="utf-8").splitlines()
    return {home: frozenset(names.split()) for home, _, names in (line.partition(": ") for line in lines)}


def in_pytorch(name: str) -> bool:
    """Whether PyTorch has a public module or name such as torch.nn.functional.fold."""
    home, _, last = name.rpartition(".")
    return name in pytorchs_names() or last in pytorchs_names().get(home, ())


def missing(name: str, known: list[str]) -> str:
    """One line: that there is no such name here, and whether PyTorch has it or which known one is like it."""
    if in_pytorch(name):
        return f"gradus's engine does not support {name}, which PyTorch has"
    home, _, last = name.rpartition(".")
    near = difflib.get_close_matches(last, known, n=1, cutoff=0.8)
    return f"gradus's engine does not support {name}" + (f"; did you mean {home}.{near[0]}?" if near else "")


def attribute(owner: object, name: str, home: str) -> str:
    """One line about an attribute that an object has not: whether PyTorch's of that class has it."""
    if not name.startswith("__") and in_pytorch(f"{home}.{name}"):
        return f"gradus's engine does not support {home}.{name}, which PyTorch has"
    return f"'{type(owner).__name__}' object has no attribute '{name}'"


class MissingAttribute:
    """Raises, where an object is asked for it, and lets a program set it."""

    def __init__(self, home: str, name: str) -> None:
        self.name, self.message = name, missing(f"{home}.{name}", [])

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(self.message, name=self.name, obj=owner if instance is None else instance)


def missing_attributes(home: str) -> type:
    """A last base for a class of the engine: what PyTorch's has, for the case that the class does not have it."""
    body = {name: MissingAttribute(home, name) for name in pytorchs_names()[home]}
    return type("Missing", (), {"__slots__": (), "__dir__": _dir_without_missing, **body})


def _dir_without_missing(self: object) -> list[str]:
    names = object.__dir__(self)
    return [name for name in names if not isinstance(inspect.getattr_static(type(self), name, None), MissingAttribute)]


def not_supported(module: ModuleType, name: str) -> str:
    """One line about a name that a module of the engine has not."""
    names = vars(module)
    known = names.get("__all__") or [each for each in names if not each.startswith("_")]
    return missing(f"{torch_name(module.__name__)}.{name}", list(known))


def refuse(module_name: str) -> Callable[[str], Any]:
    """A `__getattr__` for a module of the engine: a module of PyTorch's below it, or an error about what is absent."""

    def __getattr__(name: str) -> Any:
        below = f"{torch_name(module_name)}.{name}"
        if name == "__path__" and any(known.startswith(f"{torch_name(module_name)}.") for known in pytorchs_names()):
            return []  # a package to Python's import, as PyTorch's is
        if not name.startswith("__") and below in pytorchs_names():
            return find_module(below)
        raise AttributeError(not_supported(sys.modules[module_name], name), name=name, obj=sys.modules[module_name])

    return __getattr__


_INSIDE = {  # where PyTorch keeps something -> where it is
    "torch.nn.modules.utils": "torch.nn.tuples",
    "torch.nn.modules.lazy": "torch.nn.lazy",
}
_PARTS = (  # modules that hold a part of the module above them, under the same names; others have names of their own
    "torch.amp.", "torch.cuda.amp.", "torch.cuda.graphs.", "torch.cuda.memory.", "torch.cuda.random.",
    "torch.cuda.streams.", "torch.distributed.distributed_c10d.", "torch.distributions.", "torch.functional.",
    "torch.multiprocessing.spawn.", "torch.nn.modules.", "torch.nn.parallel.", "torch.optim.",
    "torch.profiler.profiler.", "torch.storage.", "torch.xpu.",
)  # fmt: skip
_NOT_PUBLIC = ("_C", "_dynamo", "_inductor", "__config__")  # which programs name all the same


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
    """The module that stands for one of PyTorch's; the same one each time.

    Raises:
        ModuleNotFoundError: if PyTorch has no such module.
    """
    if name not in pytorchs_names() or name in CLASSES:
        raise ModuleNotFoundError(f"gradus's engine does not support the module {name}", name=name)
    return AbsentModule(name)


CLASSES = ("torch.Tensor", "torch.nn.Module", "torch.optim.Optimizer")  # in the table among the modules


class AbsentModule(ModuleType):
    """Stands for a module of PyTorch's."""

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
    """The engine's module that is nearest above one of PyTorch's."""
    while True:
        name = name.rpartition(".")[0]
        found = find_module(name)
        if not isinstance(found, AbsentModule):
            return found


class Absent(type):
    """The type of what stands for a name: a class, so that it can be derived from and asked about in isinstance."""

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
        """A part of it, such as a member of an enumeration, stands for itself, too."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{cls.stands_for}.{name}", (), {})

    def __repr__(cls) -> str:
        return f"<{cls.stands_for}, which gradus's engine does not support>"

    def _refuse(cls) -> NoReturn:
        raise NotSupported(f"gradus's engine does not support {cls.stands_for}, which PyTorch has")
