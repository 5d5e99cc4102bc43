"""Numbers that are collected while a network trains, one line for each layer or parameter, against the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from gradus.plots.palette import INK, MUTED, line_style, series_color
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

        >>> ratios = {"wte": [-2.1, -2.9], "output": [-2.4, -3.1]}
        >>> figure = plot_series([100, 200], ratios, title="Updates", ylabel="log10 of the ratio", level=-3)

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
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")  # 0.5, not 5 × 10⁻¹
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(which="minor", length=0)
    for i, (name, values) in enumerate(series.items()):
        axes.plot(steps, values, color=series_color(i), label=name, **line_style(i))
    if level is not None:
        axes.axhline(level, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    if series:
        figure.legend(loc="outside lower left", frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure
