"""A text as a figure, every token on the shade of its probability: what a model finds hard is seen at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.colored import SHADES, ColoredText, shade
from gradus.plots.palette import GRID, INK, MUTED
from gradus.plots.style import SMALL, bare, new_figure
from gradus.plots.visible import visible

SIZE = 9.0  # points
CELL, LINE = 0.084, 0.21  # inches of a character


def plot_text(
    tokens: Sequence[str], losses: ArrayLike, *, width: int = 48, title: str = "Probability of each character"
) -> Figure:
    """Draw a text, each token on a shade that says how probable a model found it.

        >>> from gradus.evaluation import token_losses
        >>> from gradus.models import build_model
        >>> model = build_model("bigram", vocab_size=27, block_size=8)
        >>> figure = plot_text("badge"[1:], token_losses(model, [2, 1, 4, 7, 5]))

    Args:
        tokens: n strings, such as the text itself.
        losses: (n,) nats; NaN for a token that is not scored.
        width: characters in a line; a line ends at a newline, too.

    Raises:
        ValueError: if there is not a loss for each token, or width is less than 1.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    cells, row, column = [], 0, 0  # (row, column, character, its shade)
    for token, loss in zip(tokens, as_floats(ColoredText(tokens, losses).losses), strict=True):
        for character in token:
            if column == width:
                row, column = row + 1, 0
            cells.append((row, column, character, shade(float(loss))))
            row, column = (row + 1, 0) if character == "\n" else (row, column + 1)
    rows = 1 + max((row for row, *_ in cells), default=0)
    figure = new_figure(width * CELL + 0.2, rows * LINE + 0.9)
    axes = bare(figure.add_subplot(), title=title)
    for row, column, character, drawn in cells:
        if drawn is not SHADES[0]:
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=drawn.background, linewidth=0))
        text = character if character.isprintable() else visible(character)
        ink = MUTED if character == "\n" and drawn is SHADES[0] else drawn.ink
        axes.text(
            column + 0.5, row + 0.54, text, ha="center", va="center", color=ink, fontsize=SIZE, family="monospace",
            parse_math=False, in_layout=False,  # hundreds of them, all inside the axes
        )  # fmt: skip
    axes.set_xlim(0, width)
    axes.set_ylim(rows, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    keys = [Rectangle((0, 0), 1, 1, facecolor=s.background, edgecolor=GRID, label=s.label) for s in SHADES]
    figure.legend(
        handles=keys, loc="outside lower left", ncols=3, frameon=False, fontsize=SMALL, labelcolor=INK,
        title="probability at least", title_fontsize=SMALL, alignment="left", handlelength=1.2,
    )  # fmt: skip
    return figure
