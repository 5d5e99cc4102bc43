"""A matplotlib backend for notebooks: figures are drawn in memory, and `plt.show()` shows them in the cell's output."""

from __future__ import annotations

from typing import Any

from matplotlib.backend_bases import FigureManagerBase as FigureManager
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from gradus.run.display import show_figures

__all__ = ["FigureCanvas", "FigureManager", "show"]

NAME = f"module://{__name__}"  # as matplotlib is told of it


def show(*_: Any, **__: Any) -> None:
    """What `plt.show()` calls."""
    show_figures()
