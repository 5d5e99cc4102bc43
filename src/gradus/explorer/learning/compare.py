"""Two runs, or two moments of one, side by side: the settings in which they differ, and how surprised each is by the
tokens of a text."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.evaluation import token_losses
from gradus.explorer.learning.curves import folder_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, View


def compare(opened: Opened, other: Opened, text: str) -> dict[str, Any]:
    """Two runs or moments.

    Returns:
        settings: (name, the first one's value, the second one's) as text, where they differ; "" where one has none.
        same_tokens: whether both read the text as the same tokens; what follows is only there if they do.
        pieces: (T,) the tokens.
        first, second: (T,) nats, how surprised each is by a token, given those before it; NaN for the first token.
        difference: (T,) second - first: below 0 where the second knows better.
        first_mean, second_mean, difference_mean: over the tokens; NaN for a text of one.
    """
    rows = [one.row(text) for one in (opened, other)]
    pieces = [[one.piece(id_) for id_ in row] for one, row in zip((opened, other), rows, strict=True)]
    shorter = min(map(len, pieces))
    same = pieces[0][-shorter:] == pieces[1][-shorter:]
    out: dict[str, Any] = {"settings": settings_that_differ(opened, other), "same_tokens": same}
    if not same:
        return out
    losses = [
        np.concatenate([[np.nan], token_losses(one.model, row[-shorter:])]) if shorter > 1 else np.array([np.nan])
        for one, row in zip((opened, other), rows, strict=True)
    ]
    first, second = losses
    means = [float(x[1:].mean()) if shorter > 1 else float("nan") for x in (first, second, second - first)]
    return {
        **out,
        "pieces": pieces[0][-shorter:],
        "first": first,
        "second": second,
        "difference": second - first,
        "first_mean": means[0],
        "second_mean": means[1],
        "difference_mean": means[2],
    }


def settings_that_differ(opened: Opened, other: Opened) -> list[tuple[str, str, str]]:
    """Of two runs, the settings that are not the same, in the order of the file."""
    first, second = (folder_of(one).settings() for one in (opened, other))
    names = list(dict.fromkeys([*first, *second]))
    return [(n, _text(first.get(n)), _text(second.get(n))) for n in names if first.get(n) != second.get(n)]


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


VIEWS = {"learning/compare": View(compare, {"text": TEXT}, runs=("run", "run2"))}
