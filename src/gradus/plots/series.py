"""Numbers in order, one line for each name: what is collected while a network trains, against the step, or an error
against whatever it depends on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from gradus.plots.palette import INK, MUTED, line_style, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_series(
    steps: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    ylabel: str,
    xlabel: str = "step",
    level: float | None = None,
    log: bool = False,
    log_steps: bool = False,
) -> Figure:
    """Draw one line for each name.

        >>> ratios = {"wte": [-2.1, -2.9], "output": [-2.4, -3.1]}
        >>> figure = plot_series([100, 200], ratios, title="Updates", ylabel="log10 of the ratio", level=-3)

    Args:
        steps: when the numbers were collected, or what `xlabel` says.
        series: name -> a number for each step.
        level: where a dashed line marks what is good, such as -3 for the log10 of the update-to-data ratio.
        log: a logarithmic axis for the numbers. A 0 has no place there and leaves a gap.
        log_steps: a logarithmic axis for the steps.

    Raises:
        ValueError: if a series has not a number for each step.
    """
    for name, values in series.items():
        if len(values) != len(steps):
            raise ValueError(f"{name!r} has {len(values)} numbers for {len(steps)} steps")
    figure = new_figure(4.2, 2.8 + 0.17 * len(series))
    axes = dress(figure.add_subplot(), title=title, xlabel=xlabel, ylabel=ylabel)
    if log:
        axes.set_yscale("log")
        if not _many_decades(series):
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")  # 0.5, not 5 × 10⁻¹
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(which="minor", length=0)
    if all(isinstance(step, int) for step in steps):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if log_steps:
        axes.set_xscale("log")
        axes.tick_params(which="minor", length=0)
    for i, (name, values) in enumerate(series.items()):
        values = [value or math.nan for value in values] if log else values
        axes.plot(steps, values, color=series_color(i), label=name, **line_style(i))
    if level is not None:
        axes.axhline(level, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    if series:
        figure.legend(loc="outside lower left", frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure


def _many_decades(series: Mapping[str, Sequence[float]]) -> bool:
    """Whether powers of ten alone are enough to read the axis by."""
    sizes = [value for values in series.values() for value in values if value > 0]
    return bool(sizes) and max(sizes) > 1e4 * min(sizes)
