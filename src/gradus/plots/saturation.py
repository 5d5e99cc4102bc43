"""A map of which units are flat for which example: a dark dot passes no gradient, a dark column is a dead unit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_array
from gradus.plots.palette import INK, SERIES, SURFACE
from gradus.plots.style import SMALL, bare, dress, new_figure

HEIGHT = 1.15  # inches of a layer


def plot_saturation(
    layers: Mapping[str, ArrayLike], *, rows: int = 40, units: int = 160, title: str = "Flat units"
) -> Figure:
    """Draw, layer by layer, where a nonlinearity is flat: examples downwards, units to the right. A unit that is flat
    for every example is dead, and marked in a second colour.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import layers
        >>> model = build_model("mlp", vocab_size=27, block_size=8, init="plain")
        >>> found = layers(model, np.arange(16).reshape(2, 8))
        >>> figure = plot_saturation({name: layer.flat for name, layer in found.items() if layer.flat is not None})

    Args:
        layers: name -> bool, the last axis being the units, such as `np.abs(h) > 0.97` for tanh.
        rows, units: how many of each are drawn at most; the title of a layer counts all.

    Raises:
        ValueError: if there is no layer, or one has no unit or no example.
    """
    flat = {name: as_array(f).astype(bool).reshape(-1, as_array(f).shape[-1]) for name, f in layers.items()}
    if not flat or any(f.size == 0 for f in flat.values()):
        raise ValueError("no units to draw: give at least one name -> bool (..., units)")
    figure = new_figure(4.2, HEIGHT * len(flat) + 0.5)
    figure.suptitle(title, x=0.01, ha="left", color=INK)
    shades = ListedColormap([SURFACE, SERIES[0], SERIES[1]])
    for i, (name, f) in enumerate(flat.items()):
        dead = np.logical_and.reduce(f)  # (units,)
        shown = np.where(f & dead, 2, f.astype(int))[:rows, :units]
        last = i == len(flat) - 1
        axes = figure.add_subplot(len(flat), 1, i + 1)
        bare(axes)
        axes.imshow(shown, cmap=shades, vmin=0, vmax=2, aspect="auto", interpolation="nearest")
        axes.set_title(
            f"{name}: {f.mean():.0%} flat, {dead.sum():,} of {len(dead):,} units dead",
            fontsize=SMALL, loc="left", color=INK,
        )  # fmt: skip
        axes.set_yticks([])
        dress(axes, xlabel="unit" if last else "", ylabel="example", grid=False)
        if not last:
            axes.set_xticks([])
    return figure
