"""What a classifier says everywhere on the plane: its score as colour, the line where it changes its mind, the points
it learns from. Several such pictures beside each other show it learning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, SERIES, SURFACE
from gradus.plots.style import SMALL, bare, new_figure

MARKS = ("s", "o")  # of the classes -1 and 1: told apart without colours


def _light(color: str) -> str:
    red, green, blue = (0.45 + 0.55 * part for part in to_rgb(color))
    return to_hex((red, green, blue))


SHADES = LinearSegmentedColormap.from_list("decision", [_light(SERIES[1]), SURFACE, _light(SERIES[0])])


def score_grid(
    score: Callable[[float, float], float], points: ArrayLike, *, size: int = 32, room: float = 0.4
) -> NDArray[np.float64]:
    """What a classifier says on a grid around the points, (size, size), row 0 the lowest y, for `plot_decision`.

    Args:
        score: takes x and y and returns a number; it is called size * size times.
        points: (N, 2).
        room: how far the grid goes beyond the points.
    """
    left, right, low, high = _extent(as_floats(points), room)
    return np.array(
        [[float(score(x, y)) for x in np.linspace(left, right, size)] for y in np.linspace(low, high, size)]
    )


def plot_decision(grids: Mapping[str, ArrayLike], points: ArrayLike, labels: ArrayLike, *, room: float = 0.4) -> Figure:
    """Draw one picture for each grid of scores, with the points in all of them.

        >>> points, labels = [[0.0, 0.0], [1.0, 1.0]], [-1, 1]
        >>> figure = plot_decision({"x + y - 1": score_grid(lambda x, y: x + y - 1, points, size=8)}, points, labels)

    Args:
        grids: title -> scores (size, size) as `score_grid` gives them; positive is class 1, negative class -1.
        points, labels: (N, 2) and (N,) of -1 and 1; squares are -1, circles 1.
        room: as it was for `score_grid`.

    Raises:
        ValueError: if there is no grid, or not a label for each point.
    """
    at, classes = as_floats(points), as_floats(labels)
    if not grids or at.ndim != 2 or at.shape != (len(classes), 2):
        raise ValueError(f"plot_decision takes grids, points (N, 2) and labels (N,), got {at.shape}, {classes.shape}")
    extent = _extent(at, room)
    columns = min(2, len(grids))
    rows = math.ceil(len(grids) / columns)
    width = 3.3 if columns > 1 else 4.4
    height = width * (extent[3] - extent[2]) / (extent[1] - extent[0])
    figure = new_figure(columns * width, rows * (height + 0.3))
    for i, (title, grid) in enumerate(grids.items()):
        axes = bare(figure.add_subplot(rows, columns, i + 1))
        axes.set_title(title, fontsize=SMALL + 1, color=INK, loc="left")
        scores = as_floats(grid)
        axes.imshow(
            np.tanh(scores), cmap=SHADES, vmin=-1, vmax=1, extent=extent, origin="lower", interpolation="bilinear"
        )
        if scores.min() < 0 < scores.max():
            x, y = (np.linspace(*ends, len(scores)) for ends in (extent[:2], extent[2:]))
            axes.contour(x, y, scores, levels=[0.0], colors=INK, linewidths=1.2)
        for which, mark, color in zip((-1, 1), MARKS, (SERIES[1], SERIES[0]), strict=True):
            chosen = at[classes == which]
            axes.scatter(
                chosen[:, 0], chosen[:, 1], s=22, marker=mark, color=color, edgecolors=SURFACE, linewidths=0.6
            )  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _extent(points: NDArray[np.float64], room: float) -> tuple[float, float, float, float]:
    """left, right, low, high."""
    (left, low), (right, high) = points.min(axis=0) - room, points.max(axis=0) + room
    return float(left), float(right), float(low), float(high)
