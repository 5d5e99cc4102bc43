"""Attention maps: for every head, how much each position (row) takes from each earlier position (column)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gradus.plots.arrays import as_floats
from gradus.plots.palette import MUTED, SERIES, SURFACE
from gradus.plots.style import SMALL, bare, new_figure
from gradus.plots.visible import visible

SHADES = LinearSegmentedColormap.from_list("attention", [SURFACE, SERIES[0]])


def plot_attention(weights: ArrayLike, tokens: Sequence[str], *, title: str = "Attention") -> Figure:
    """Draw the heads of one layer as small multiples on one common scale from 0 to 1.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import attention
        >>> model = build_model("gpt", vocab_size=26, block_size=8)
        >>> ids = np.array([1, 0, 3, 6, 4])
        >>> figures = [plot_attention(weights, "badge") for weights in attention(model, ids)]  # one for each layer

    Args:
        weights: (n_head, T, T), or (T, T) for a single head; rows sum to 1 (softmax over the columns).
        tokens: T strings, written along both sides.

    Raises:
        ValueError: if weights has another shape, or holds values outside 0..1.
    """
    heads = as_floats(weights)
    heads = heads[None] if heads.ndim == 2 else heads
    T = len(tokens)
    if heads.ndim != 3 or heads.shape[1:] != (T, T):
        raise ValueError(f"weights must be (n_head, {T}, {T}) for {T} tokens, got shape {heads.shape}")
    check_weights(heads)
    columns = min(2, len(heads))  # two beside each other can still be read on a phone
    rows = math.ceil(len(heads) / columns)
    size = min(4.0, max(2.1, 0.17 * T))
    figure = new_figure(columns * size + 0.2, rows * size + 0.6)
    figure.suptitle(title, x=0.01, ha="left")
    figure.supxlabel("is looked at", fontsize=SMALL, color=MUTED)
    figure.supylabel("looks", fontsize=SMALL, color=MUTED)
    names = [visible(t) for t in tokens]
    for h, head in enumerate(heads):
        axes = bare(figure.add_subplot(rows, columns, h + 1))
        axes.imshow(head, cmap=SHADES, vmin=0.0, vmax=1.0, aspect="equal")
        axes.set_title(f"head {h}", fontsize=SMALL, loc="left")
        axes.set_xticks(range(T), names, rotation=90 if max(map(len, names), default=0) > 1 else 0)
        axes.set_yticks(range(T), names)
    return figure


def check_weights(weights: NDArray[np.float64]) -> None:
    """ValueError unless they lie between 0 and 1, as what comes out of a softmax does."""
    if weights.size and not (weights.min() >= 0 and weights.max() <= 1 + 1e-4):
        least, most = weights.min(), weights.max()
        raise ValueError(f"attention weights lie between 0 and 1, got {least:g} to {most:g}; apply the softmax first")
