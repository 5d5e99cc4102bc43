"""A text whose every token is coloured by how surprising it was: for a terminal, and as HTML for a page or a notebook.

Six shades of one colour, from none (expected) to dark (a surprise), are told apart without seeing colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from gradus.plots.arrays import as_floats
from gradus.plots.visible import visible


@dataclass(frozen=True)
class Shade:
    """What tokens of at least some probability are drawn in."""

    probability: float
    label: str
    background: str
    ink: str
    terminal: str  # the ANSI codes (of 256 colours)


SHADES = (
    Shade(0.5, "50 %", "#ffffff", "#1b1c1e", ""),
    Shade(0.2, "20 %", "#ffe3c8", "#1b1c1e", "48;5;223;38;5;16"),
    Shade(0.05, "5 %", "#ffc083", "#1b1c1e", "48;5;215;38;5;16"),
    Shade(0.01, "1 %", "#f28a2e", "#1b1c1e", "48;5;208;38;5;16"),
    Shade(0.001, "0.1 %", "#bf4d08", "#ffffff", "48;5;166;38;5;231"),
    Shade(0.0, "less", "#642200", "#ffffff", "48;5;52;38;5;231"),
)


def shade(loss: float) -> Shade:
    """The shade of a token whose loss is so many nats; the lightest for one that is not scored, NaN."""
    if math.isnan(loss):
        return SHADES[0]
    return next(s for s in SHADES if math.exp(-loss) >= s.probability)


@dataclass(frozen=True)
class ColoredText:
    """Tokens with their losses; a notebook shows it in colours.

    >>> text = ColoredText("cat", [0.1, 2.0, 9.0])
    >>> print(text.ansi().replace("\\033", "ESC"))
    cESC[48;5;215;38;5;16maESC[0mESC[48;5;52;38;5;231mtESC[0m

    Attributes:
        tokens: n strings; of a text of characters, the text itself.
        losses: (n,) nats; NaN for a token that is not scored, such as the first.

    Raises:
        ValueError: if there is not a loss for each token.
    """

    tokens: Sequence[str]
    losses: ArrayLike

    def __post_init__(self) -> None:
        losses = as_floats(self.losses)
        if losses.shape != (len(self.tokens),):
            raise ValueError(f"losses must be ({len(self.tokens)},) for {len(self.tokens)} tokens, got {losses.shape}")
        object.__setattr__(self, "losses", losses)

    def __repr__(self) -> str:
        return f"ColoredText({len(self.tokens):,} tokens, {np.nanmean(as_floats(self.losses)):.4f} nats each)"

    def ansi(self) -> str:
        """For a terminal. Line ends are kept, other characters that cannot be seen are named."""
        out = []
        for token, loss in zip(self.tokens, as_floats(self.losses), strict=True):
            code = shade(loss).terminal
            for piece in token.splitlines(keepends=True):
                line = piece.removesuffix("\n")
                shown = _printable(line) + ("↵" if code and line != piece else "")
                out.append((f"\033[{code}m{shown}\033[0m" if code and shown else shown) + piece[len(line) :])
        return "".join(out)

    def html(self, *, legend: bool = True) -> str:
        """As a piece of HTML, with the probability of each token as its tooltip."""
        out = [self._span(t, float(loss)) for t, loss in zip(self.tokens, as_floats(self.losses), strict=True)]
        key = "".join(_box(s, s.label) + " " for s in SHADES)
        under = f'<div style="font:12px sans-serif;margin-top:.8em">probability {key}</div>' if legend else ""
        style = "font-family:monospace;line-height:1.5;white-space:pre-wrap;overflow-wrap:anywhere"
        return f'<div><div style="{style}">{"".join(out)}</div>{under}</div>'

    def _repr_html_(self) -> str:
        return self.html()

    @staticmethod
    def _span(token: str, loss: float) -> str:
        tip = "not scored" if math.isnan(loss) else f"probability {math.exp(-loss):.3g}, {loss:.2f} nats"
        text = escape(token.replace("\n", "↵\n" if shade(loss).terminal else "\n"))
        if shade(loss) is SHADES[0]:
            return f'<span title="{tip}">{text}</span>'  # as the page is, light or dark
        return _box(shade(loss), text, tip)


def _box(of: Shade, text: str, tip: str = "") -> str:
    title = f' title="{tip}"' if tip else ""
    return f'<span{title} style="background:{of.background};color:{of.ink}">{text}</span>'


def _printable(text: str) -> str:
    return "".join(c if c == " " or c.isprintable() else visible(c) for c in text)
