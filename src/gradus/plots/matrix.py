"""Small matrices as pictures, one or several beside each other: every number in its cell, on a shade of its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, MUTED, SERIES, SURFACE
from gradus.plots.style import SMALL, TEXT, bare, new_figure

CELL = 0.52  # inches: four digits and a point
COLORS = LinearSegmentedColormap.from_list("signed", [SERIES[1], SURFACE, SERIES[0]])  # negative, 0, positive


def plot_matrix(
    matrices: Mapping[str, ArrayLike],
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    digits: int = 2,
    sums: bool = False,
) -> Figure:
    """Draw each matrix with its numbers, all on one scale of colours: blue is positive, orange negative.

        >>> figure = plot_matrix({"p": [[0.25, 0.75], [0.5, 0.5]]}, rows="ab", columns="xy", sums=True)

    Args:
        matrices: title -> (R, C), or (C,) for a single row; they need not have one shape.
        rows, columns: names along the sides; the positions if None.
        digits: of each number, after the point.
        sums: write the sum of each row to its right.

    Raises:
        ValueError: if there is nothing to draw, or names do not fit a matrix.
    """
    if not matrices:
        raise ValueError("no matrices to draw: give at least one title -> numbers")
    tables = {title: np.atleast_2d(as_floats(m)) for title, m in matrices.items()}
    for title, m in tables.items():
        for what, names, size in (("rows", rows, m.shape[0]), ("columns", columns, m.shape[1])):
            if names is not None and len(names) != size:
                raise ValueError(f"{title!r} has {size} {what}, got {len(names)} names for them")
    largest = max(float(np.abs(m).max(initial=0.0)) for m in tables.values()) or 1.0
    extra = 1.4 if sums else 0.0
    widths = [m.shape[1] + extra for m in tables.values()]
    height = max(m.shape[0] for m in tables.values())
    figure = new_figure(sum(w * CELL + 0.7 for w in widths), height * CELL + 0.9)
    grid = figure.add_gridspec(1, len(tables), width_ratios=widths)
    for i, (title, m) in enumerate(tables.items()):
        axes = bare(figure.add_subplot(grid[0, i]))
        axes.set_title(title, fontsize=TEXT, color=INK, loc="left")
        axes.imshow(m, cmap=COLORS, vmin=-largest, vmax=largest, aspect="equal")
        for (row, column), value in np.ndenumerate(m):
            color = SURFACE if abs(value) > 0.7 * largest else INK
            axes.text(
                column, row, f"{value:z.{digits}f}", ha="center", va="center", color=color, fontsize=SMALL
            )  # fmt: skip
        if sums:
            for row, total in enumerate(m.sum(axis=1)):
                axes.text(
                    m.shape[1] - 0.35, row, f"= {total:.{digits}f}", ha="left", va="center", color=MUTED, fontsize=SMALL
                )
            axes.set_xlim(-0.5, m.shape[1] - 0.5 + extra)
        axes.set_xticks(range(m.shape[1]), columns if columns is not None else map(str, range(m.shape[1])))
        axes.set_yticks(range(m.shape[0]), rows if rows is not None else map(str, range(m.shape[0])))
        axes.xaxis.tick_top()
    return figure
