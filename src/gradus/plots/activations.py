"""Histograms of activations, layer by layer: the lecture's way to see whether a deep network is alive."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, line_style, series_color
from gradus.plots.style import SMALL, dress, new_figure


def plot_activations(
    layers: Mapping[str, ArrayLike],
    *,
    bins: int = 60,
    saturated: float | Mapping[str, float | None] | None = 0.97,
    title: str = "Activations",
) -> Figure:
    """Draw one density per layer, on common bins, with its mean, deviation and saturation in the legend.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import layers
        >>> model = build_model("mlp", vocab_size=27, block_size=8, n_layer=3)
        >>> found = layers(model, np.arange(16).reshape(2, 8))
        >>> figure = plot_activations({name: layer.values for name, layer in found.items()})

    Args:
        layers: name -> values of any shape; the order is the order of the legend.
        bins: how many bins the common range is cut into.
        saturated: values beyond ±this count as saturated (tanh's flat ends); or, for each layer, which part of it is;
            None for layers that cannot saturate.

    Raises:
        ValueError: if there is no layer, a layer is empty, or it holds a value that is not finite.
    """
    if not layers:
        raise ValueError("no layers to draw: give at least one name -> values")
    values = {name: as_floats(v).ravel() for name, v in layers.items()}
    for name, v in values.items():
        if v.size == 0 or not np.isfinite(v).all():
            raise ValueError(
                f"layer {name!r} must hold finite values, got {v.size} of which {np.isfinite(v).sum()} are finite"
            )
    low, high = min(float(v.min()) for v in values.values()), max(float(v.max()) for v in values.values())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    figure = new_figure(4.2, 2.8 + 0.17 * len(values))  # the legend is below, a line for each layer
    axes = dress(figure.add_subplot(), title=title, xlabel="value", ylabel="density")
    for i, (name, v) in enumerate(values.items()):
        density, _ = np.histogram(v, edges, density=True)
        label = f"{name}: mean {v.mean():+.2f}, std {v.std():.2f}"
        if saturated is None or isinstance(saturated, Mapping):
            part = None if saturated is None else saturated.get(name)
        else:
            part = float((np.abs(v) > saturated).mean())
        if part is not None:
            label += f", saturated {part:.1%}"
        axes.plot((edges[:-1] + edges[1:]) / 2, density, color=series_color(i), label=label, **line_style(i))
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside lower left", frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure
