"""Words on a plane with the words that are nearest to them: what a model takes to be alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gradus.models.principal_components import principal_components
from gradus.plots.arrays import as_floats
from gradus.plots.palette import INK, MUTED, series_color
from gradus.plots.style import TEXT, dress, new_figure
from gradus.plots.visible import visible

WIDTH, HEIGHT = 6.0, 5.2  # inches
LETTER, LINE = 0.0145, 0.052  # what a letter takes of the width of the axes, and a line of their height


def nearest(vectors: ArrayLike, of: int, k: int) -> NDArray[np.int64]:
    """The k rows (k,) whose directions are nearest to that of row `of`, the nearest first: by the cosine of the angle
    between them. A row of zeros is near to none."""
    x = as_floats(vectors)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    cosine = x @ x[of]
    cosine[of] = -np.inf
    return np.argsort(-cosine, kind="stable")[:k]


def legible(points: ArrayLike, words: Sequence[str], rounds: int = 500) -> NDArray[np.float64]:
    """Places for words (N, 2): at their points, but where they would cover each other pushed apart, each pair in the
    direction that takes less."""
    at = as_floats(points)
    size = np.ptp(at, axis=0) * 1.3 + 1e-12
    out = at / size + np.random.default_rng(0).normal(scale=1e-7, size=at.shape)  # no two at the same place
    width = np.array([LETTER * (len(word) + 1) for word in words])
    room = np.stack([(width[:, None] + width) / 2, np.full((len(at), len(at)), LINE)], axis=-1)  # (N, N, 2)
    for _ in range(rounds):
        between = out[:, None] - out[None]  # (N, N, 2)
        overlap = room - np.abs(between)
        covered = (overlap > 1e-4).all(axis=-1) & ~np.eye(len(at), dtype=bool)
        if not covered.any():
            break
        less = overlap == overlap.min(axis=-1, keepdims=True)
        push = np.where(covered[..., None] & less, overlap * np.sign(between), 0.0)
        out += 0.25 * push.sum(axis=1)
    moved: NDArray[np.float64] = out * size
    return moved


def plot_neighbours(
    vectors: ArrayLike, words: Sequence[str], of: Sequence[str], *, k: int = 5, title: str = "Words and their nearest"
) -> Figure:
    """Draw some words, and lines to the k words nearest to each in all dimensions. The plane is that of the two
    principal components of what is drawn, in which near words may lie farther apart than they are.

        >>> rng = np.random.default_rng(0)
        >>> words = ["one", "two", "three", "red", "blue", "green"]
        >>> vectors = np.repeat(rng.normal(size=(2, 8)), 3, axis=0) + 0.3 * rng.normal(size=(6, 8))
        >>> figure = plot_neighbours(vectors, words, ["one", "red"], k=2)

    Args:
        vectors: (V, C), a row a word.
        words: V strings.
        of: the words whose neighbours are wanted, at most six.
        k: how many neighbours each.

    Raises:
        ValueError: if words do not fit the vectors, or a word is not among them.
    """
    x, place = as_floats(vectors), {word: i for i, word in enumerate(words)}
    if x.ndim != 2 or len(words) != len(x):
        raise ValueError(f"vectors must be ({len(words)}, C) for {len(words)} words, got shape {x.shape}")
    strange = [word for word in of if word not in place]
    if strange or not 1 <= len(of) <= 6:
        raise ValueError(
            f"{strange[0]!r} is not among the words" if strange else f"of must be one to six words, got {len(of)}"
        )
    groups = {place[word]: nearest(x, place[word], k) for word in of}
    drawn = list(dict.fromkeys([*groups, *(int(i) for group in groups.values() for i in group)]))
    points, shares = principal_components(x[drawn])
    at = dict(zip(drawn, legible(points, [visible(words[i]) for i in drawn]), strict=True))
    figure = new_figure(WIDTH, HEIGHT)
    names = [f"principal component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(shares)]
    axes = dress(figure.add_subplot(), title=title, xlabel=names[0], ylabel=names[1])
    for number, (word, group) in enumerate(groups.items()):
        for other in group:
            (x0, y0), (x1, y1) = at[word], at[int(other)]
            axes.plot([x0, x1], [y0, y1], color=series_color(number), alpha=0.45, linewidth=1.0, zorder=1)
    for i, (x0, y0) in at.items():
        asked = i in groups
        color = series_color(list(groups).index(i)) if asked else INK
        axes.text(
            x0, y0, visible(words[i]), ha="center", va="center", color=color, fontsize=TEXT + 1 if asked else TEXT,
            fontweight="bold" if asked else "normal", zorder=3, in_layout=False,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        )  # fmt: skip
    across, up = np.array(list(at.values())).T
    axes.scatter(across, up, s=4, color=MUTED, zorder=0)
    axes.margins(0.13)
    return figure
