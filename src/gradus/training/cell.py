"""Progress in a notebook: one line that changes in its place, whatever number of steps it tells of."""

from __future__ import annotations

import sys
from html import escape
from importlib import import_module
from typing import Any

MARKS = 500  # how often the line changes, at most, over a budget


def in_notebook() -> bool:
    """Whether this is a Jupyter kernel, which can show something new in the place of what it has shown."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class CellLine:
    """A bar with words beside it, in the output of the cell that runs."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._mark = -1

    def show(self, done: float, words: str) -> None:
        """Show a line, unless the last one is hardly older. `done` is the part of the budget that is spent."""
        mark = int(done * MARKS + 1e-9)
        if mark == self._mark:
            return
        self._mark = mark
        bar = f'<progress value="{done:.3f}" style="width:16em;vertical-align:middle"></progress>'
        data = {"text/html": f'{bar} <code style="background:none">{escape(words)}</code>', "text/plain": words}
        if self._handle is None:
            self._handle = import_module("IPython.display").display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
