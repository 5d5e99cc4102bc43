"""Showing generated text while it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import click


def show_samples(texts: Iterable[Iterable[str]], shown: list[str] | None = None) -> None:
    """Print texts as they are drawn, each ended by a newline; what was printed is also put into `shown`."""
    shown = [] if shown is None else shown
    for text in texts:
        for piece in chain(text, "\n"):
            click.echo(piece, nl=False)
            shown.append(piece)
