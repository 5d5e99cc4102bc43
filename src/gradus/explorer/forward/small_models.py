"""The views of the models that are no Transformers: counts, windows, states; and for each the formula of any number
that can be pointed at."""

from __future__ import annotations

from typing import Any

from gradus.errors import UserError
from gradus.explorer.forward.bigram import cell, table
from gradus.explorer.forward.mixture import mixture
from gradus.explorer.forward.mlp import window
from gradus.explorer.forward.ngram import ngram
from gradus.explorer.forward.plane import plane
from gradus.explorer.forward.recurrent import state
from gradus.explorer.forward.wavenet import wavenet
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.models import Mixture

Told = dict[str, Any]


def why_ngram(
    opened: Opened, text: str, token: int = -1, following: int | None = None, order: int | None = None
) -> Told:
    """The probability of a next token after the last `order` tokens; None takes all orders together. Of a mixture, that
    of its counts."""
    mixed = isinstance(opened.model, Mixture)
    found = mixture(opened, text, token, following)["ngram"] if mixed else ngram(opened, text, token, following)
    only = len(found["levels"]) == 1
    return next((one["why"] for one in found["levels"] if only or one["length"] == order), found["why"])


def why_bigram(opened: Opened, text: str, token: int = -1, row: int | None = None, column: int | None = None) -> Told:
    """A cell; None takes the row of the selected token, and there the likeliest column."""
    return cell(opened, text, token, row, column)["why"]


def why_logit(opened: Opened, text: str, token: int = -1, following: int | None = None) -> Told:
    """The logit of a next token; None takes the likeliest."""
    return window(opened, text, token, following=following)["logit"]["why"]


def why_unit(opened: Opened, text: str, token: int = -1, layer: int | None = None, unit: int | None = None) -> Told:
    """A hidden unit."""
    found = window(opened, text, token, layer, unit)["unit"]
    if found is None:
        raise UserError(f"{opened.name} has no hidden units")
    return found["why"]


def why_node(
    opened: Opened, text: str, token: int = -1, level: int = -1, node: int | None = None, unit: int | None = None
) -> Told:
    """A unit of a node of a WaveNet."""
    return wavenet(opened, text, token, level, node, unit)["chosen"]["why"]


def why_state(opened: Opened, text: str, token: int = -1, layer: int = -1, unit: int | None = None) -> Told:
    """A unit of a recurrent network at a position, and its gates."""
    return state(opened, text, token, layer, unit=unit)["why"]


def why_mixture(opened: Opened, text: str, token: int = -1, following: int | None = None) -> Told:
    """The probability of a next token from the two parts."""
    return mixture(opened, text, token, following)["why"]


_CHOSEN = Parameter(int, None, 0)  # a token, a layer, a unit; left out, the section chooses
_LAST = Parameter(int, -1, -1)
_PLACE = {"text": TEXT, "token": _LAST}
_NEXT = {**_PLACE, "following": _CHOSEN}
_CELL = {**_PLACE, "row": _CHOSEN, "column": _CHOSEN}
_UNIT = {**_PLACE, "layer": _CHOSEN, "unit": _CHOSEN}
_NODE = {**_PLACE, "level": _LAST, "node": Parameter(int), "unit": _CHOSEN}
_STATE = {**_PLACE, "layer": _LAST, "unit": _CHOSEN}

VIEWS = {
    "forward/ngram": View(ngram, _NEXT),
    "forward/ngram/why": View(why_ngram, {**_NEXT, "order": _CHOSEN}),
    "forward/bigram": View(table),
    "forward/bigram/why": View(why_bigram, _CELL),
    "forward/plane": View(plane),
    "forward/window": View(window, {**_UNIT, "following": _CHOSEN}),
    "forward/window/logit": View(why_logit, _NEXT),
    "forward/window/unit": View(why_unit, _UNIT),
    "forward/wavenet": View(wavenet, _NODE),
    "forward/wavenet/why": View(why_node, _NODE),
    "forward/state": View(state, {**_STATE, "part": Parameter(str, "h")}),
    "forward/state/why": View(why_state, _STATE),
    "forward/mixture": View(mixture, _NEXT),
    "forward/mixture/why": View(why_mixture, _NEXT),
}
