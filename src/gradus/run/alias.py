"""`import torch` that means the engine: for as long as a program runs, and for all that it imports.

Python asks its finders for a module that is not loaded yet. The one here comes first, knows every name that begins with
`torch`, and gives the engine's module of that name: the very same object, not a second copy. So `torch.Tensor` is one
class, by whatever way a program, or a library that looks into `sys.modules["torch"]`, comes to it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from gradus.engine.compat.absent import ENGINE, find_module


@contextmanager
def torch_is_engine() -> Iterator[None]:
    """Within the block, `import torch` and its submodules give the engine. A PyTorch loaded before is back after it."""
    finder = EngineFinder()
    before = _take_torch_modules()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _take_torch_modules()
        sys.modules.update(before)


class EngineDistribution(Distribution):
    """What `importlib.metadata` knows of PyTorch: the engine's version."""

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: torch\nVersion: {importlib.import_module(ENGINE).__version__}\n"

    def locate_file(self, path: Any) -> Any:
        return Path(importlib.import_module(ENGINE).__file__ or "").parent / path


class EngineFinder(DistributionFinder):
    """Finds `torch` and everything below it in the engine, and nothing else."""

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterator[Distribution]:
        """PyTorch's distribution, for code that asks for its installed version."""
        if context is None or context.name in (None, "torch"):
            yield EngineDistribution()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (a finder's signature)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] != "torch":
            return None
        return ModuleSpec(fullname, EngineLoader(find_module(fullname)), is_package=True)


class EngineLoader(Loader):
    """Puts a module that is loaded already under another name."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        sys.modules[module.__spec__.name] = self.module


def _take_torch_modules() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.split(".")[0] == "torch" or name == "safetensors.torch"]
    return {name: sys.modules.pop(name) for name in names}
