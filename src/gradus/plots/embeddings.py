"""Embeddings on a plane: two columns as they are, more than two by their two principal components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gradus.models.principal_components import principal_components
from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, series_color
from gradus.plots.style import TEXT, dress, new_figure
from gradus.plots.visible import visible

LIGHT = "#d9e8f8"  # behind a label
APART = 0.055  # of the picture: the distance of two labels that do not touch


def spread(points: ArrayLike, apart: float = APART, rounds: int = 200) -> NDArray[np.float64]:
    """Places for labels (N, 2): at their points, but those that would cover each other are pushed apart until they are
    `apart`, a part of the picture's width."""
    at = as_floats(points)
    size = np.ptp(at, axis=0) * 1.16 + 1e-12
    out = at / size + np.random.default_rng(0).normal(scale=1e-7, size=at.shape)  # no two at the same place
    for _ in range(rounds):
        between = out[:, None] - out[None]  # (N, N, 2)
        distance = np.linalg.norm(between, axis=-1) + 2 * apart * np.eye(len(out))
        close = distance < apart * (1 - 1e-3)
        if not close.any():
            break
        push = np.where(close, (apart - distance) / distance, 0.0)
        out += 0.25 * (push[..., None] * between).sum(axis=1)
    moved = (np.abs(out - at / size) > 1e-6).any(axis=1, keepdims=True)
    return np.where(moved, out * size, at)


def plot_embeddings(vectors: ArrayLike, symbols: Sequence[str], *, title: str = "Embeddings") -> Figure:
    """Draw each token at the place of its vector; where several are too close to be read, beside it, with a line.

        >>> from gradus.models import build_model
        >>> from gradus.models.inside import embedding
        >>> model = build_model("nplm", vocab_size=26, block_size=8)
        >>> figure = plot_embeddings(embedding(model), "abcdefghijklmnopqrstuvwxyz")

    Args:
        vectors: (V, D), D at least 2. D = 2 is drawn as it is; a larger D by its first two principal components, whose
            share of the variance is written on the axes.
        symbols: V strings, one per row.

    Raises:
        ValueError: if the number of symbols is not V, or D is less than 2.
    """
    x = as_floats(vectors)
    if x.ndim != 2 or x.shape[1] < 2 or len(symbols) != x.shape[0]:
        raise ValueError(
            f"vectors must be ({len(symbols)}, at least 2) for {len(symbols)} symbols, got shape {x.shape}"
        )
    if x.shape[1] == 2:
        points, names = x, ["dimension 0", "dimension 1"]
    else:
        points, shares = principal_components(x)
        names = [f"principal component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(shares)]
    figure = new_figure(4.2, 4.2)
    axes = dress(figure.add_subplot(), title=title, xlabel=names[0], ylabel=names[1])
    axes.scatter(points[:, 0], points[:, 1], s=12, color=series_color(0), alpha=0.5, linewidths=0)
    for (x0, y0), (x1, y1), symbol in zip(points, spread(points), symbols, strict=True):
        if (x0, y0) != (x1, y1):
            axes.plot([x0, x1], [y0, y1], color=series_color(0), alpha=0.35, linewidth=0.8)
        axes.scatter(x1, y1, s=150, color=LIGHT, linewidths=0)
        axes.text(x1, y1, visible(symbol), ha="center", va="center", color=INK, fontsize=TEXT, in_layout=False)
    axes.margins(0.08)
    return figure
