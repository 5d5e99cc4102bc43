"""The bigram table as a picture: each pair of characters in its cell, with how often it occurs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_array
from gradus.plots.palette import INK, SERIES, SURFACE
from gradus.plots.style import SMALL, bare, new_figure
from gradus.plots.visible import visible

TINY = 5.6  # points: four digits in a quarter of an inch


def plot_counts(
    counts: ArrayLike,
    symbols: Sequence[str],
    *,
    numbers: bool = True,
    pairs: bool = True,
    title: str = "How often the column follows the row",
) -> Figure:
    """Draw a table of bigram counts, rows the first character and columns the next.

        >>> from itertools import pairwise
        >>> counts, symbols = np.zeros((3, 3), dtype=int), "abn"
        >>> for a, b in pairwise("banana"):
        ...     counts[symbols.index(a), symbols.index(b)] += 1
        >>> figure = plot_counts(counts, symbols)

    Args:
        counts: (V, V) counts, not negative. The shade is its square root, so that rare pairs are not all white.
        symbols: V strings; the separator of documents reads best as ".".
        numbers: write the pair and its count into each cell, which makes half an inch of it; without them the table is
            a shaded map that fits a page.
        pairs: False writes the count alone, and nothing for 0: then a table of 27 symbols fits a page with its numbers.

    Raises:
        ValueError: if counts is not (V, V) with one symbol for each row.
    """
    table = as_array(counts)
    V = len(symbols)
    if table.shape != (V, V):
        raise ValueError(f"counts must be ({V}, {V}) for {V} symbols, got {table.shape}")
    names = [visible(s) for s in symbols]
    cell = 0.16 if not numbers else 0.55 if pairs else 0.256  # inches: a pair and five digits, or four small ones
    side = max(3.0, cell * V + 0.4)
    figure = new_figure(side, side)
    axes = bare(figure.add_subplot(), title=title)
    shades = LinearSegmentedColormap.from_list("counts", [SURFACE, SERIES[0]])
    image = axes.imshow(np.sqrt(table.astype(np.float64)), cmap=shades, aspect="equal")
    dark = 0.75 * float(image.get_clim()[1])
    for row in range(V if numbers else 0):
        for column in range(V):
            color = SURFACE if np.sqrt(table[row, column]) > dark else INK
            count = f"{table[row, column]:g}" if table[row, column] < 1e6 else f"{table[row, column]:.0e}"
            text = f"{names[row]}{names[column]}\n{count}" if pairs else count if table[row, column] else ""
            axes.text(
                column, row, text, ha="center", va="center", color=color, fontsize=SMALL if pairs else TINY
            )  # fmt: skip
    axes.set_xticks(range(V), names)
    axes.set_yticks(range(V), names)
    axes.xaxis.tick_top()
    return figure
