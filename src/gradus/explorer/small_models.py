"""The views of the models that are no Transformers: counts, windows, states."""

from __future__ import annotations

from gradus.explorer.bigram import cell, table
from gradus.explorer.mixture import mixture
from gradus.explorer.mlp import window
from gradus.explorer.ngram import ngram
from gradus.explorer.plane import plane
from gradus.explorer.recurrent import state
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.wavenet import wavenet

_ID = Parameter(int, 0, 0)
_CHOSEN = Parameter(int, None, 0)  # a token or a unit; left out, the section chooses
_PLACE = {"text": TEXT, "token": Parameter(int, -1, -1)}

VIEWS = {
    "forward/ngram": View(ngram, {**_PLACE, "following": _CHOSEN}),
    "forward/bigram": View(table),
    "forward/bigram/cell": View(cell, {"row": _ID, "column": _ID}),
    "forward/plane": View(plane),
    "forward/window": View(window, {**_PLACE, "layer": _CHOSEN, "unit": _CHOSEN, "following": _CHOSEN}),
    "forward/wavenet": View(
        wavenet, {**_PLACE, "level": Parameter(int, -1, -1), "node": Parameter(int), "unit": _CHOSEN}
    ),
    "forward/state": View(
        state, {**_PLACE, "layer": Parameter(int, -1, -1), "part": Parameter(str, "h"), "unit": _CHOSEN}
    ),
    "forward/mixture": View(mixture, {**_PLACE, "following": _CHOSEN}),
}
