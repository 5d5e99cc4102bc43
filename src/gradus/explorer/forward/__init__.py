"""The Forward tab: what a model does with a text, from its tokens to what comes next. Of every model the map of blocks
and the next token; then what its kind has inside; and for any number the formula that gave it, with its numbers."""

from __future__ import annotations

from gradus.explorer.forward import (
    attention,
    blocks,
    embedding,
    encoder,
    next_token,
    residual,
    small_models,
    translation,
    units,
    why,
)
from gradus.explorer.view import View

PARTS = (blocks, next_token, embedding, attention, residual, units, why, small_models, translation, encoder)

VIEWS: dict[str, View] = {name: view for part in PARTS for name, view in part.VIEWS.items()}
