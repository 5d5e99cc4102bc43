"""Figures of what a model learned and how: matplotlib Figure objects, one function each, never shown and never global.

    from gradus.plots import plot_losses
    plot_losses([LossCurve("gpt", seconds, train, dev_seconds, dev)]).savefig("losses.svg")

A function takes arrays, lists or tensors, draws on a new `matplotlib.figure.Figure` and returns it, so nothing
here touches pyplot or its state and no window ever opens. matplotlib is imported when the first figure is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.lazy import lazy

if TYPE_CHECKING:
    from gradus.plots.activations import plot_activations as plot_activations
    from gradus.plots.attention import plot_attention as plot_attention
    from gradus.plots.colored import ColoredText as ColoredText
    from gradus.plots.confusion import plot_confusion as plot_confusion
    from gradus.plots.counts import plot_counts as plot_counts
    from gradus.plots.cross_attention import plot_cross_attention as plot_cross_attention
    from gradus.plots.curve import LossCurve as LossCurve
    from gradus.plots.decision import plot_decision as plot_decision
    from gradus.plots.decision import score_grid as score_grid
    from gradus.plots.embeddings import plot_embeddings as plot_embeddings
    from gradus.plots.function import plot_function as plot_function
    from gradus.plots.gradients import plot_gradients as plot_gradients
    from gradus.plots.heads import plot_heads as plot_heads
    from gradus.plots.losses import plot_losses as plot_losses
    from gradus.plots.maps import plot_maps as plot_maps
    from gradus.plots.matrix import plot_matrix as plot_matrix
    from gradus.plots.neighbours import plot_neighbours as plot_neighbours
    from gradus.plots.pieces import plot_pieces as plot_pieces
    from gradus.plots.reach import plot_reach as plot_reach
    from gradus.plots.saturation import plot_saturation as plot_saturation
    from gradus.plots.schedule import plot_schedule as plot_schedule
    from gradus.plots.series import plot_series as plot_series
    from gradus.plots.sweep import plot_sweep as plot_sweep
    from gradus.plots.texts import plot_text as plot_text

_HOME = {
    "ColoredText": "colored",
    "LossCurve": "curve",
    "plot_activations": "activations",
    "plot_attention": "attention",
    "plot_confusion": "confusion",
    "plot_counts": "counts",
    "plot_cross_attention": "cross_attention",
    "plot_decision": "decision",
    "plot_embeddings": "embeddings",
    "plot_function": "function",
    "plot_gradients": "gradients",
    "plot_heads": "heads",
    "plot_losses": "losses",
    "plot_maps": "maps",
    "plot_matrix": "matrix",
    "plot_neighbours": "neighbours",
    "plot_pieces": "pieces",
    "plot_reach": "reach",
    "plot_saturation": "saturation",
    "plot_schedule": "schedule",
    "plot_series": "series",
    "plot_sweep": "sweep",
    "plot_text": "texts",
    "score_grid": "decision",
}

__getattr__ = lazy("gradus.plots", _HOME)


def __dir__() -> list[str]:
    return sorted(_HOME)
