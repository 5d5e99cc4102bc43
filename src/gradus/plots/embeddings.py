"""Embeddings on a plane: two columns as they are, more than two by their two principal components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gradus.plots.palette import INK, series_color
from gradus.plots.style import dress, new_figure, visible


def principal_components(vectors: ArrayLike, k: int = 2) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project (N, D) vectors on the k directions in which they vary most.

    Returns:
        (N, k) coordinates, and (k,) the share of the variance that each holds. A direction's sign is free; we choose
        the one in which its largest coordinate is positive, so the same vectors always give the same picture.

    Raises:
        ValueError: if vectors is not (N, D) with D at least k and N at least k.
    """
    x = np.asarray(vectors, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < k:
        raise ValueError(f"vectors must be (N, D) with N and D at least {k}, got shape {x.shape}")
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)  # (N, r), (r,)
    points = u[:, :k] * s[:k]  # (N, k)
    points *= np.where(points[np.abs(points).argmax(axis=0), np.arange(k)] < 0, -1.0, 1.0)
    variance = s**2
    return points, variance[:k] / max(float(variance.sum()), np.finfo(np.float64).tiny)


def plot_embeddings(vectors: ArrayLike, symbols: Sequence[str], *, title: str = "Embeddings") -> Figure:
    """Draw each token at the place of its vector.

    Args:
        vectors: (V, D), D at least 2. D = 2 is drawn as it is; a larger D by its first two principal components, whose
            share of the variance is written on the axes.
        symbols: V strings, one per row.

    Raises:
        ValueError: if the number of symbols is not V, or D is less than 2.
    """
    x = np.asarray(vectors, dtype=np.float64)
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
    axes.scatter(points[:, 0], points[:, 1], s=220, color=series_color(0), alpha=0.18, linewidths=0)
    for (px, py), symbol in zip(points, symbols, strict=True):
        axes.text(px, py, visible(symbol), ha="center", va="center", color=INK)
    axes.margins(0.08)
    return figure
