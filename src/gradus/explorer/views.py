"""What the page may ask for: the views by name. Each part of the explorer exports its own, and has a line here."""

from __future__ import annotations

from gradus.explorer import backward, forward, learning, overview, sampling
from gradus.explorer.view import View

PARTS = (backward, forward, learning, overview, sampling)

VIEWS: dict[str, View] = {name: view for part in PARTS for name, view in part.VIEWS.items()}
