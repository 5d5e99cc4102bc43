"""The learning rate over a training: its warm-up and how it falls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from gradus.plots.palette import INK, line_style, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_schedule(
    progress: Sequence[float], rates: Mapping[str, Sequence[float]], *, title: str = "Learning rate"
) -> Figure:
    """Draw one line for each schedule.

        >>> from gradus.training.schedule import learning_rate_factor
        >>> progress = [step / 100 for step in range(101)]
        >>> settings = {"warmup": 0.1, "min_ratio": 0.1}
        >>> rates = {
        ...     name: [1e-3 * learning_rate_factor(p, schedule=name, **settings) for p in progress]
        ...     for name in ("cosine", "linear", "wsd")
        ... }
        >>> figure = plot_schedule(progress, rates)

    Args:
        progress: the fractions of the budget that are spent, 0 to 1; or steps.
        rates: name -> the learning rate at each of them.

    Raises:
        ValueError: if a schedule has not a rate for each.
    """
    for name, values in rates.items():
        if len(values) != len(progress):
            raise ValueError(f"{name!r} has {len(values)} rates for {len(progress)} points")
    part = max(progress, default=0) <= 1
    figure = new_figure(5.2, 3.2)
    axes = dress(
        figure.add_subplot(), title=title, xlabel="part of the budget" if part else "step", ylabel="learning rate"
    )
    for i, (name, values) in enumerate(rates.items()):
        axes.plot(progress, values, color=series_color(i), label=name, **line_style(i))
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    axes.yaxis.get_offset_text().set_fontsize(SMALL)
    if part:
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    if len(rates) > 1:
        figure.legend(loc="outside lower left", ncols=4, frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure
