"""IPython's functions that show things, for notebooks that import them; where IPython is not installed, its few names
that notebooks use most."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from gradus.run import display


class _Shown:
    """A text that is shown as what its class says."""

    def __init__(self, data: str) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"


class HTML(_Shown):
    def _repr_html_(self) -> str:
        return self.data


class Markdown(_Shown):
    def _repr_markdown_(self) -> str:
        return self.data


class SVG(_Shown):
    def _repr_svg_(self) -> str:
        return self.data


@contextmanager
def ipython_display() -> Iterator[None]:
    """Within the block, `from IPython.display import display` shows in the cell's output, with IPython or without."""
    ours = {"display": display.display, "clear_output": display.clear_output}
    if "IPython" in sys.modules or importlib.util.find_spec("IPython") is not None:
        theirs = importlib.import_module("IPython.display")
        before = {name: getattr(theirs, name) for name in ours}
        vars(theirs).update(ours)
        try:
            yield
        finally:
            vars(theirs).update(before)
        return
    package, module = ModuleType("IPython"), ModuleType("IPython.display")
    package.__path__ = []
    vars(module).update(ours, HTML=HTML, Markdown=Markdown, SVG=SVG)
    package.version_info = (8, 24, 0)  # type: ignore[attr-defined]  # matplotlib asks
    package.display = module  # type: ignore[attr-defined]
    package.get_ipython = lambda: None  # type: ignore[attr-defined]
    sys.modules.update({"IPython": package, "IPython.display": module})
    try:
        yield
    finally:
        del sys.modules["IPython"], sys.modules["IPython.display"]
