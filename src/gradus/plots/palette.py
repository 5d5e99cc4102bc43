"""The colours of gradus: one order of hues for series, a light and a dark set, shared by the figures and the page.

The order is fixed and a series keeps its colour wherever it is drawn. Neighbouring hues stay apart for readers with
colour-blindness; whoever draws them still names every series in words beside it.
"""

from __future__ import annotations

from typing import Any

SERIES = ("#2a78d6", "#d9590f", "#4a3aa7", "#16966a", "#b57a00", "#c7457f")
SERIES_DARK = ("#5b9fee", "#f0854a", "#a79df2", "#3fbf8f", "#d9a02b", "#e878a8")

DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))  # solid, dashed, dotted, both

INK = "#1b1c1e"
MUTED = "#63666b"
GRID = "#e4e3df"
SURFACE = "#ffffff"


def series_color(index: int, *, dark: bool = False) -> str:
    """The colour of the index-th series. There are six; more series than that want small multiples, not more hues."""
    colors = SERIES_DARK if dark else SERIES
    return colors[index % len(colors)]


def line_style(index: int) -> dict[str, Any]:
    """How the index-th of many lines is drawn, as matplotlib's arguments: dashes that, together with the colours, tell
    twelve lines apart, and four of them without any colour."""
    return {"linestyle": DASHES[index % len(DASHES)], "linewidth": 1.6}
