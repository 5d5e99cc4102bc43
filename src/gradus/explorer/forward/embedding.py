"""The first vector of each position of a GPT: the vectors that are summed to make it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.explorer.forward.attention import TOKEN
from gradus.explorer.forward.cell import Cell
from gradus.explorer.forward.credit import first_parts
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.stack import position_of, stream
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, View


def embedding(opened: Opened, text: str, token: int = -1) -> dict[str, Any]:
    """What the stream begins as at one position.

    Returns:
        position, and piece: the token there.
        names: of the vectors that are added: "token"; of a model that has them "token before" and "position".
        parts: (len(names), C) these vectors.
        sum: (C,) the first vector.
    """
    seen = run(opened, text)
    t = position_of(seen, token)
    parts = first_parts(Cell(opened, seen, t))
    return {
        "position": t,
        "piece": opened.piece(seen.ids[t]),
        "names": list(parts),
        "parts": np.stack(list(parts.values())),
        "sum": stream(opened, seen)[0, t],
    }


VIEWS = {"forward/embedding": View(embedding, {"text": TEXT, "token": TOKEN})}
