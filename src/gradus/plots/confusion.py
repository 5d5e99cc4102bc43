"""The confusion matrix of a classifier: for each true label, what was predicted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_array
from gradus.plots.attention import SHADES
from gradus.plots.palette import INK, SURFACE
from gradus.plots.style import SMALL, TEXT, bare, new_figure
from gradus.plots.visible import visible

CELL = 0.55  # inches: room for a number of five digits


def plot_confusion(counts: ArrayLike, labels: Sequence[str], *, title: str = "Confusion matrix") -> Figure:
    """Draw a row a true label, a column a predicted one, and in each cell how often that happened. The shade is the
    part of the row, so that a rare label is seen as well as a frequent one; a perfect classifier has only the diagonal.

        >>> figure = plot_confusion([[48, 2], [7, 43]], ["negative", "positive"])

    Args:
        counts: (n, n) counts, not negative.
        labels: n strings.

    Raises:
        ValueError: if counts is not (n, n) for n labels.
    """
    table = as_array(counts)
    n = len(labels)
    if table.shape != (n, n):
        raise ValueError(f"counts must be ({n}, {n}) for {n} labels, got {table.shape}")
    names = [visible(label) for label in labels]
    beside = 0.085 * max(map(len, names), default=0)
    side = CELL * n + beside
    figure = new_figure(max(2.8, side + 0.5), max(2.4, side + 0.9))
    axes = bare(figure.add_subplot())
    totals = table.sum(axis=1, keepdims=True)
    parts = np.divide(table, totals, out=np.zeros(table.shape), where=totals > 0)
    axes.imshow(parts, cmap=SHADES, vmin=0.0, vmax=1.0, aspect="equal")
    for row, column in np.ndindex(n, n):
        color = SURFACE if parts[row, column] > 0.6 else INK
        axes.text(column, row, f"{table[row, column]:,}", ha="center", va="center", color=color, fontsize=SMALL)
    axes.set_xticks(range(n), names, fontsize=TEXT, rotation=90 if max(map(len, names), default=0) > 5 else 0)
    axes.set_yticks(range(n), names, fontsize=TEXT)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    figure.suptitle(title, x=0.01, ha="left")
    return figure
