"""Loss curves: training loss as a line, the dev split as points, counting models and the uniform guess as levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from gradus.plots.curve import LossCurve
from gradus.plots.palette import INK, MUTED, SURFACE, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_losses(
    curves: Sequence[LossCurve],
    *,
    levels: Mapping[str, float] | None = None,
    smoothing: float = 0.9,
    log_seconds: bool = False,
    title: str = "Loss while training",
) -> Figure:
    """Draw the losses of several runs in one figure: nats per token against seconds of training.

        >>> curve = LossCurve("gpt", seconds=(1.0, 2.0), train=(2.9, 2.6), dev_seconds=(2.0,), dev=(2.5,))
        >>> figure = plot_losses([curve], levels={"counting pairs": 2.45})

    Args:
        curves: one per run; each becomes a line labelled with its label (training loss) and, where it has dev losses,
            a line with round markers in the same colour, labelled "<label>, dev".
        levels: losses without a curve, such as counting models: a dashed horizontal line each, named at its left end.
        smoothing: weight of the running mean of the training loss, 0 for none.
        log_seconds: a logarithmic time axis, which gives the first seconds room; points at second 0 are left out.
    """
    figure = new_figure()
    axes = dress(figure.add_subplot(), title=title, xlabel="seconds of training", ylabel="nats per token")
    if log_seconds:
        axes.set_xscale("log")
    for i, curve in enumerate(curves):
        color = series_color(i)
        if curve.train:
            axes.plot(
                curve.seconds, curve.smoothed(smoothing), color=color, linewidth=1.2, alpha=0.6, label=curve.label
            )
        if curve.dev:
            axes.plot(
                curve.dev_seconds, curve.dev, "o-", color=color, linewidth=2, markersize=4, label=f"{curve.label}, dev"
            )
    for name, loss in (levels or {}).items():
        axes.axhline(loss, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), gid=name)
        axes.annotate(
            f"{name} {loss:.3f}", (0, loss), xycoords=("axes fraction", "data"), xytext=(4, 3),
            textcoords="offset points", fontsize=SMALL, color=MUTED,
        )  # fmt: skip
    if curves:
        axes.legend(facecolor=SURFACE, edgecolor="none", fontsize=SMALL, labelcolor=INK, loc="upper right")
    return figure
