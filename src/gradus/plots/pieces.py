"""How texts are cut into tokens: one row for each way of cutting, every token a box around its characters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from gradus.plots.palette import INK, MUTED
from gradus.plots.style import SMALL, bare, new_figure
from gradus.plots.visible import visible

SIZE = 11.0  # points
CELL, LINE = 0.105, 0.31  # inches of a character, and of a row
FILLS = ("#cfe3fa", "#fbdcc7")  # two in turn, so that neighbours are told apart, by their outlines too
EDGES = ("#2a78d6", "#d9590f")


def plot_pieces(rows: Mapping[str, Sequence[str]], *, title: str = "") -> Figure:
    """Draw the tokens of texts as boxes, a row for each label.

        >>> figure = plot_pieces({"bytes": ["l", "o", "w"], "one merge": ["lo", "w"]})

    Args:
        rows: label -> tokens, in order; a space is shown as ␣, other characters that cannot be seen as `visible` has
            them.

    Raises:
        ValueError: if there is no row, or a row has no token.
    """
    if not rows or not all(rows.values()):
        raise ValueError("there must be at least one row, and in each at least one token")
    shown = {label: [visible(token).replace(" ", "␣") for token in tokens] for label, tokens in rows.items()}
    width = max(*(sum(map(len, tokens)) for tokens in shown.values()), math.ceil(len(title) * 0.1 / CELL))
    labels = max(map(len, shown)) * 0.075 + 0.15  # inches, for the longest label
    figure = new_figure(labels + width * CELL + 0.3, len(shown) * LINE + 0.25 + 0.25 * bool(title))
    axes = bare(figure.add_subplot(), title=title)
    for row, (label, tokens) in enumerate(shown.items()):
        column = 0
        axes.text(-1, row + 0.5, label, ha="right", va="center", color=MUTED, fontsize=SMALL, parse_math=False)
        for i, token in enumerate(tokens):
            box = FancyBboxPatch(
                (column + 0.14, row + 0.16), len(token) - 0.28, 0.68, boxstyle="round,pad=0,rounding_size=0.12",
                facecolor=FILLS[i % 2], edgecolor=EDGES[i % 2], linewidth=0.8, mutation_aspect=CELL / LINE,
            )  # fmt: skip
            axes.add_patch(box)
            for character in token:
                ink = MUTED if character == "␣" else INK
                axes.text(
                    column + 0.5, row + 0.53, character, ha="center", va="center", color=ink, fontsize=SIZE,
                    family="monospace", parse_math=False, in_layout=False,
                )  # fmt: skip
                column += 1
    axes.set_xlim(0, width)
    axes.set_ylim(len(shown), 0)
    axes.set_xticks([])
    axes.set_yticks([])
    return figure
