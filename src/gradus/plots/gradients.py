"""Histograms of gradients, layer by layer, by their order of magnitude: where they vanish or explode on their way back
through the network, the layers lie apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, line_style, series_color
from gradus.plots.style import SMALL, dress, new_figure

DECADES = 6  # smaller gradients than the largest / 10^6 are not drawn


def plot_gradients(
    layers: Mapping[str, ArrayLike],
    *,
    weights: Mapping[str, ArrayLike] | None = None,
    bins: int = 60,
    title: str = "Gradients",
) -> Figure:
    """Draw the density of log10 |gradient| of each layer, with its standard deviation in the legend.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import gradients
        >>> model = build_model("mlp", vocab_size=27, block_size=8, n_layer=3)
        >>> idx = np.arange(16).reshape(2, 8)
        >>> at_layers, at_weights = gradients(model, idx, idx + 1)
        >>> figure = plot_gradients(at_layers)
        >>> figure = plot_gradients(at_weights, weights=dict(model.named_parameters()))

    Args:
        layers: name -> gradients of any shape; the order is the order of the legend. Zeros cannot be drawn: the legend
            says how many there are.
        weights: name -> the weights themselves: then the legend also has std(gradient) / std(weight), which says how
            far a step of SGD with learning rate 1 would go.
        bins: how many bins the common range is cut into.

    Raises:
        ValueError: if there is no layer, or a layer is empty or holds a value that is not finite.
    """
    if not layers:
        raise ValueError("no gradients to draw: give at least one name -> values")
    values = {name: as_floats(v).ravel() for name, v in layers.items()}
    for name, v in values.items():
        if v.size == 0 or not np.isfinite(v).all():
            raise ValueError(f"the gradients of {name!r} must be finite numbers, at least one")
    sizes = {name: np.log10(np.abs(v[v != 0])) for name, v in values.items()}
    high = max((float(s.max()) for s in sizes.values() if s.size), default=0.0)
    low = max(high - DECADES, min((float(s.min()) for s in sizes.values() if s.size), default=-1.0))
    edges = np.linspace(low, max(high, low + 1), bins + 1)
    figure = new_figure(4.2, 2.8 + 0.17 * len(values))  # the legend is below, a line for each layer
    axes = dress(figure.add_subplot(), title=title, xlabel="size of the gradient", ylabel="density")
    for i, (name, v) in enumerate(values.items()):
        counts, _ = np.histogram(sizes[name], edges)
        density = counts / v.size / (edges[1] - edges[0])  # a decade's share
        label = f"{name}: std {v.std():.1e}"
        if weights is not None and name in weights:
            label += f", / weights {v.std() / max(as_floats(weights[name]).std(), 1e-300):.1e}"
        if zeros := float((v == 0).mean()):
            label += f", {zeros:.1%} zeros"
        axes.plot((edges[:-1] + edges[1:]) / 2, density, color=series_color(i), label=label, **line_style(i))
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(lambda x, _: f"$10^{{{x:g}}}$")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower left", frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure
