"""Tables of one shape beside each other, as shaded maps on one scale: two ways to one result, to be compared by eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, SERIES, SURFACE
from gradus.plots.style import SMALL, TEXT, bare, new_figure
from gradus.plots.visible import visible

CELL = 0.135  # inches: a letter on each side, and two maps of 27 on a page


def plot_maps(tables: Mapping[str, ArrayLike], symbols: Sequence[str]) -> Figure:
    """Draw each table as a map, rows the first symbol and columns the next.

        >>> figure = plot_maps({"counted": [[0.2, 0.8], [1, 0]], "learned": [[0.3, 0.7], [0.9, 0.1]]}, "ab")

    Args:
        tables: title -> (V, V) numbers, not negative. The shade is the square root, as `plot_counts` has it.
        symbols: V strings; the separator of documents reads best as ".".

    Raises:
        ValueError: if there is nothing to draw, or a table is not (V, V) with numbers of at least 0.
    """
    if not tables:
        raise ValueError("no tables to draw: give at least one title -> numbers")
    V = len(symbols)
    maps = {title: as_floats(table) for title, table in tables.items()}
    for title, m in maps.items():
        if m.shape != (V, V):
            raise ValueError(f"{title!r} must be ({V}, {V}) for {V} symbols, got {m.shape}")
        if not (m >= 0).all():
            raise ValueError(f"{title!r} has numbers that are not 0 or more: a map shades by their square roots")
    largest = max(float(m.max()) for m in maps.values()) or 1.0
    shades = LinearSegmentedColormap.from_list("counts", [SURFACE, SERIES[0]])
    side = max(1.2, CELL * V)
    figure = new_figure(len(maps) * (side + 0.35), side + 0.6)
    for i, (title, m) in enumerate(maps.items()):
        axes = bare(figure.add_subplot(1, len(maps), i + 1))
        axes.set_title(title, fontsize=TEXT, color=INK, loc="left")
        axes.imshow(np.sqrt(m), cmap=shades, vmin=0, vmax=np.sqrt(largest), aspect="equal")
        names = [visible(s) for s in symbols]
        axes.set_xticks(range(V), names, fontsize=SMALL)
        axes.set_yticks(range(V), names, fontsize=SMALL)
        axes.xaxis.tick_top()
    return figure
