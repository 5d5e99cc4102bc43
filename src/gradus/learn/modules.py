"""Modules made of texts, and the package `mine`: what the learner has written, under the name of its exercise.

`from mine.value import Value` imports the learner's own file where it has passed its checks, and gradus's solution
where it has not, so that one exercise that is not right yet doesn't stop the next.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_loader
from types import CodeType, ModuleType

from gradus.learn.exercise import catalogue

PACKAGE = "mine"


class TextLoader(InspectLoader):
    """Loads a module from its text; `file` is what tracebacks name."""

    def __init__(self, text: str, file: str, *, package: bool = False) -> None:
        self.text, self.file, self.package = text, file, package

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        return self.text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return self.source_to_code(self.text, self.file)

    def is_package(self, fullname: str) -> bool:  # noqa: ARG002
        return self.package


def module_from_text(name: str, text: str, file: str) -> ModuleType:
    """Run a text as a module of its own. Raises what the text raises, SyntaxError among it."""
    spec = spec_from_loader(name, TextLoader(text, file), origin=file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    module.__file__ = file
    spec.loader.exec_module(module)
    return module


class MineFinder(MetaPathFinder):
    """Finds `mine` and its modules.

    Args:
        right: the learner's own files that have passed, by exercise: their path and text.
        until: the exercise that is checked; it and what comes after it have no module. None leaves none out.
    """

    def __init__(self, right: Mapping[str, Sequence[str]], until: str | None) -> None:
        self.right = right
        self.names = list(catalogue())[: None if until is None else list(catalogue()).index(until)]

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        package, _, name = fullname.partition(".")
        if package != PACKAGE:
            return None
        if not name:
            return spec_from_loader(fullname, TextLoader("", "mine", package=True), is_package=True)
        if name not in self.names:
            return None
        if name in self.right:
            file, text = self.right[name]
            return spec_from_loader(fullname, TextLoader(text, file))
        return spec_from_loader(fullname, TextLoader(catalogue()[name].solution, f"gradus's own mine.{name}"))


def install(right: Mapping[str, Sequence[str]], until: str | None = None) -> None:
    """Make the modules of `mine` importable, anew: those that were imported before are forgotten."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, MineFinder)]
    for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, MineFinder(right, until))
