"""All heads of a model at a glance: a row a layer, a column a head, each map as small as it can be made out."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.attention import SHADES, check_weights
from gradus.plots.palette import GRID, MUTED
from gradus.plots.style import SMALL, dress, new_figure

SIDE = 0.95  # inches of a map


def plot_heads(layers: Sequence[ArrayLike], *, title: str = "All heads") -> Figure:
    """Draw every head of every layer, on one common scale from 0 to 1. Words are not written: this is for finding a
    head that is worth `plot_attention`.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import attention
        >>> model = build_model("gpt", vocab_size=26, block_size=8, n_layer=2)
        >>> figure = plot_heads(attention(model, np.array([1, 0, 3, 6, 4])))

    Args:
        layers: for each layer (n_head, T, S), what `gradus.models.inside.attention` gives; rows sum to 1.

    Raises:
        ValueError: if there is no layer, they differ in their number of heads, or hold values outside 0..1.
    """
    maps = [as_floats(layer) for layer in layers]
    if not maps or any(layer.ndim != 3 or layer.shape[0] != maps[0].shape[0] for layer in maps):
        raise ValueError(f"layers must be (n_head, T, S) each, got shapes {[layer.shape for layer in maps]}")
    n_head = len(maps[0])
    figure = new_figure(max(3.0, SIDE * n_head + 0.7), SIDE * len(maps) + 0.7)
    figure.suptitle(title, x=0.01, ha="left")
    grid = figure.subplots(len(maps), n_head, squeeze=False)
    for i, layer in enumerate(maps):
        check_weights(layer)
        for h, head in enumerate(layer):
            axes = dress(grid[i][h], grid=False)
            axes.imshow(head, cmap=SHADES, vmin=0.0, vmax=1.0, aspect="equal", interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():  # a frame: where a map ends is hard to see in white
                spine.set(visible=True, color=GRID)
            if i == 0:
                axes.set_title(f"head {h}", fontsize=SMALL, color=MUTED)
            if h == 0:
                axes.set_ylabel(f"layer {i}", fontsize=SMALL, color=MUTED)
    return figure
