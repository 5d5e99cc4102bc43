"""The views of the forward pass: of every model the map of blocks and what comes next, of GPTs all that is inside."""

from __future__ import annotations

from gradus.explorer import attention, blocks, embedding, next_token, residual, units, why
from gradus.explorer.view import View

PARTS = (blocks, next_token, embedding, attention, residual, units, why)

VIEWS: dict[str, View] = {name: view for part in PARTS for name, view in part.VIEWS.items()}
