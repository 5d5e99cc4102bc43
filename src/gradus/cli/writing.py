"""Showing generated text while it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import click


def show_samples(texts: Iterable[Iterable[str]]) -> None:
    """Print texts as they are drawn, each ended by a newline."""
    for text in texts:
        for piece in chain(text, "\n"):
            click.echo(piece, nl=False)
