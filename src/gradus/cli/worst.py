"""`gradus eval --worst`: the positions that a model predicts worst, a line each; in colours where there are any."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence

from gradus.evaluation import Surprise
from gradus.plots import ColoredText
from gradus.plots.visible import visible
from gradus.training import Setup

FIXED = 56  # columns that are not context
SHORTEST, LONGEST = 10, 48  # columns of context


def lines_of(surprises: Sequence[Surprise], setup: Setup) -> Iterator[str]:
    """A head and a line for each: its loss in nats, its probability, the text and what came, and what was expected.

    The context is that in the row which the model was given, as much as fits; it begins with … where there was more.
    Its characters have the colours of their losses. A character is written so that it takes one line: ↵ is a newline,
    or where a document begins or ends.
    """
    width = min(LONGEST, max(SHORTEST, shutil.get_terminal_size().columns - FIXED))
    yield f"{'nats':>6}  {'probability':>11}  {'context':>{width}}  came     expected instead"
    for one in surprises:
        came = _token(one.token, setup)
        expected = ", ".join(f"{_token(i, setup)} {_percent(p)}" for i, p in one.expected)
        yield (
            f"{one.loss:6.2f}  {_percent(one.probability):>11}  {_context(one, setup, width)}  "
            f"{_colored([came], [one.loss])}{' ' * (7 - len(came))}  {expected}"
        )


def _context(one: Surprise, setup: Setup, width: int) -> str:
    tokens, losses, used = [], [], 0
    for id_, loss in zip(one.context[::-1], one.losses[::-1], strict=True):
        token = _token(int(id_), setup)
        if used + len(token) > width - 1:
            token, loss = "…", math.nan
        tokens.append(token)
        losses.append(loss)
        used += len(token)
        if token == "…":
            break
    return " " * (width - used) + _colored(tokens[::-1], losses[::-1])


def _colored(tokens: Sequence[str], losses: Sequence[float]) -> str:
    return ColoredText(tokens, losses).ansi()


def _token(id_: int, setup: Setup) -> str:
    """A token in one line, a space as it is among others."""
    if id_ == setup.tokenizer.separator and setup.corpus.kind == "documents":
        return "↵"
    text = setup.tokenizer.decode([id_])
    return text if text.strip(" ") and text.isprintable() else visible(text)


def _percent(probability: float) -> str:
    """0.3 %, 64 %, 2e-05 %."""
    return "0 %" if probability == 0 else f"{100 * probability:.2g} %"
