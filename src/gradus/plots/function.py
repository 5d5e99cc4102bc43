"""A function of one number as a curve, with straight lines through its points: chords, and the tangent they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from gradus.plots.palette import INK, line_style, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_function(
    f: Callable[[float], float],
    low: float,
    high: float,
    *,
    lines: Mapping[str, tuple[float, float]] | None = None,
    points: Sequence[float] = (),
    title: str = "",
    xlabel: str = "x",
    ylabel: str = "f(x)",
) -> Figure:
    """Draw f from low to high.

        >>> figure = plot_function(lambda x: x * x, -1, 2, lines={"slope 2": (1.0, 2.0)}, points=[1.0])

    Args:
        f: takes a number and returns one; it is called 200 times.
        lines: name -> (x, slope) of a straight line through (x, f(x)).
        points: x of the dots on the curve.

    Raises:
        ValueError: if low is not less than high.
    """
    if not low < high:
        raise ValueError(f"low must be less than high, got {low:g} and {high:g}")
    x = np.linspace(low, high, 200)
    y = np.array([float(f(float(at))) for at in x])
    figure = new_figure(4.6, 3.4)
    axes = dress(figure.add_subplot(), title=title, xlabel=xlabel, ylabel=ylabel)
    axes.plot(x, y, color=series_color(0), linewidth=2)
    room = 0.06 * (float(np.nanmax(y)) - float(np.nanmin(y)) or 1.0)
    axes.set_ylim(float(np.nanmin(y)) - room, float(np.nanmax(y)) + room)  # the curve's, however steep the lines are
    axes.set_xlim(low, high)
    for i, (name, (at, slope)) in enumerate((lines or {}).items(), start=1):
        axes.plot(x, f(at) + slope * (x - at), color=series_color(i), label=name, **line_style(i))
    for at in points:
        axes.plot([at], [f(at)], "o", color=INK, markersize=5)
    if lines:
        axes.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure
