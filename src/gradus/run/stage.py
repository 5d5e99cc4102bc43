"""The environment that a program starts in: it is `__main__`, with its arguments, and its folder first on the path."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from gradus.run.alias import torch_is_engine


@contextmanager
def stage(path: Path, arguments: Sequence[str], *, file: bool) -> Iterator[ModuleType]:
    """Within it, `__main__`, sys.argv and sys.path are those of the program at `path`. Yields the module of its names.

    Args:
        file: the program is this very file, and may read its `__file__`.
    """
    module = ModuleType("__main__")
    if file:
        module.__file__ = str(path)
        module.__loader__ = SourceFileLoader("__main__", str(path))
    before = sys.argv, sys.path, sys.modules["__main__"]
    sys.argv = [str(path), *arguments]
    sys.path = [str(path.resolve().parent), *sys.path]
    sys.modules["__main__"] = module
    try:
        with torch_is_engine():
            yield module
    finally:
        sys.argv, sys.path, sys.modules["__main__"] = before
