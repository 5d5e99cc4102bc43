"""All heads of a model at a glance: a row a layer, a column a head, each map as small as it can be."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.attention import SHADES, check_weights
from gradus.plots.palette import GRID, MUTED
from gradus.plots.style import SMALL, dress, new_figure
from gradus.plots.visible import visible

SIDE = 0.95  # inches of a map, at least
LINE, TINY = 0.13, 7.0  # inches of a token, and points of its letters


def plot_heads(layers: Sequence[ArrayLike], tokens: Sequence[str] | None = None, *, title: str = "All heads") -> Figure:
    """Draw every head of every layer, on one common scale from 0 to 1: to find a head that is worth `plot_attention`.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import attention
        >>> model = build_model("gpt", vocab_size=26, block_size=8, n_layer=2)
        >>> figure = plot_heads(attention(model, np.array([1, 0, 3, 6, 4])))

    Args:
        layers: for each layer (n_head, T, S), what `gradus.models.inside.attention` gives; rows sum to 1.
        tokens: T strings of a text that attends to itself, written at the left and at the bottom; None writes none.

    Raises:
        ValueError: if there is no layer, they differ in their number of heads, do not fit the tokens, or hold values
            outside 0..1.
    """
    maps = [as_floats(layer) for layer in layers]
    if not maps or any(layer.ndim != 3 or layer.shape[0] != maps[0].shape[0] for layer in maps):
        raise ValueError(f"layers must be (n_head, T, S) each, got shapes {[layer.shape for layer in maps]}")
    names = [] if tokens is None else [visible(token) for token in tokens]
    if tokens is not None and any(layer.shape[1:] != (len(names), len(names)) for layer in maps):
        raise ValueError(f"there are {len(names)} tokens for shapes {[layer.shape for layer in maps]}")
    n_head, side = len(maps[0]), max(SIDE, LINE * len(names))
    margin = 0.07 * max(map(len, names), default=0) + 0.7
    figure = new_figure(max(3.0, side * n_head + margin), side * len(maps) + margin)
    figure.suptitle(title, x=0.01, ha="left")
    grid = figure.subplots(len(maps), n_head, squeeze=False)
    for i, layer in enumerate(maps):
        check_weights(layer)
        for h, head in enumerate(layer):
            axes = dress(grid[i][h], grid=False)
            axes.imshow(head, cmap=SHADES, vmin=0.0, vmax=1.0, aspect="equal", interpolation="nearest")
            axes.set_xticks(range(len(names)) if i == len(maps) - 1 else [])
            axes.set_yticks(range(len(names)) if h == 0 else [])
            if i == len(maps) - 1:
                axes.set_xticklabels(names, rotation=90, fontsize=TINY)
            if h == 0:
                axes.set_yticklabels(names, fontsize=TINY)
            for spine in axes.spines.values():  # a frame: where a map ends is hard to see in white
                spine.set(visible=True, color=GRID)
            if i == 0:
                axes.set_title(f"head {h}", fontsize=SMALL, color=MUTED)
            if h == 0:
                axes.set_ylabel(f"layer {i}", fontsize=SMALL, color=MUTED)
    return figure
