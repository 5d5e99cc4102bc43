"""Numbers that are collected while a network trains, one line for each layer or parameter, against the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from gradus.plots.palette import INK, MUTED, SERIES, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_series(
    steps: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    ylabel: str,
    level: float | None = None,
    log: bool = False,
) -> Figure:
    """Draw one line for each name.

    Args:
        steps: when the numbers were collected.
        series: name -> a number for each step.
        level: where a dashed line marks what is good, such as -3 for the log10 of the update-to-data ratio.
        log: a logarithmic axis for the numbers.

    Raises:
        ValueError: if a series has not a number for each step.
    """
    for name, values in series.items():
        if len(values) != len(steps):
            raise ValueError(f"{name!r} has {len(values)} numbers for {len(steps)} steps")
    figure = new_figure(4.2, 2.8 + 0.17 * len(series))
    axes = dress(figure.add_subplot(), title=title, xlabel="step", ylabel=ylabel)
    if log:
        axes.set_yscale("log")
    for i, (name, values) in enumerate(series.items()):
        style = "-" if i < len(SERIES) else "--"
        axes.plot(steps, values, style, color=series_color(i), linewidth=1.6, marker="o", markersize=3, label=name)
    if level is not None:
        axes.axhline(level, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    if series:
        figure.legend(loc="outside lower left", frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure
