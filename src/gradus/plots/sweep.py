"""The learning-rate finder's curve: the loss against the rate, and the rate that it suggests."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from gradus.plots.palette import MUTED, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_sweep(rates: Sequence[float], losses: Sequence[float], suggestion: float) -> Figure:
    """Draw a sweep of the learning rate: rates across, on a logarithmic axis, nats per token up.

        >>> figure = plot_sweep([1e-4, 1e-3, 1e-2, 1e-1], [3.3, 2.9, 2.6, 4.0], suggestion=3e-3)

    Args:
        rates, losses: of each step, in order, as `gradus.training.find_learning_rate` returns them.
        suggestion: the rate that is marked.
    """
    figure = new_figure()
    axes = dress(
        figure.add_subplot(),
        title="Loss while the learning rate rises",
        xlabel="learning rate",
        ylabel="nats per token",
    )
    axes.set_xscale("log")
    axes.plot(rates, losses, color=series_color(0), linewidth=2)
    axes.axvline(suggestion, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), gid="suggestion")
    axes.annotate(
        f"{suggestion:.2g}", (suggestion, 1), xycoords=("data", "axes fraction"), xytext=(4, -10),
        textcoords="offset points", fontsize=SMALL, color=MUTED,
    )  # fmt: skip
    return figure
