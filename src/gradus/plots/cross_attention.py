"""Cross-attention as Bahdanau et al. (2015) drew it: for each word that was written, the words of the source that it
looked at."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.attention import SHADES, check_weights
from gradus.plots.style import TEXT, bare, new_figure
from gradus.plots.visible import visible

CELL = 0.3  # inches a word


def plot_cross_attention(
    weights: ArrayLike, source: Sequence[str], target: Sequence[str], *, title: str = "Cross-attention"
) -> Figure:
    """Draw the source from left to right, the target from top to bottom, and in each cell how much the word of its row
    took from the word of its column.

        >>> weights = np.array([[0.9, 0.1, 0.0], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]])
        >>> figure = plot_cross_attention(weights, ["the", "red", "house"], ["la", "maison", "rouge"])

    Args:
        weights: (T, S), or (n_head, T, S), of which the mean over the heads is drawn; rows sum to 1.
        source: S strings.
        target: T strings, the words that were written in these rows.

    Raises:
        ValueError: if weights has another shape, or holds values outside 0..1.
    """
    array = as_floats(weights)
    if array.ndim == 3 and len(array):
        array = array.mean(axis=0)
    T, S = len(target), len(source)
    if array.shape != (T, S):
        raise ValueError(f"weights must be ({T}, {S}) for {T} words of {S}, got shape {array.shape}")
    check_weights(array)
    columns, rows = [visible(word) for word in source], [visible(word) for word in target]
    beside, above = (0.09 * max(map(len, names), default=0) for names in (rows, columns))
    figure = new_figure(max(2.6, CELL * S + beside + 0.4), max(1.6, CELL * T + above + 0.7))
    axes = bare(figure.add_subplot())
    axes.imshow(array, cmap=SHADES, vmin=0.0, vmax=1.0, aspect="equal")
    axes.xaxis.tick_top()
    axes.set_xticks(range(S), columns, rotation=90 if max(map(len, columns), default=0) > 2 else 0, fontsize=TEXT)
    axes.set_yticks(range(T), rows, fontsize=TEXT)
    figure.suptitle(title, x=0.01, ha="left")
    return figure
