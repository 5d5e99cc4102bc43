"""The embeddings of the tokens in the plane: as they are if they have two dimensions, else by their principal
components."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.models.inside import embedding
from gradus.models.principal_components import principal_components

Floats = NDArray[np.float64]

MOST = 5000  # tokens that are sent to be drawn
_points: WeakKeyDictionary[Opened, tuple[Floats, list[float]]] = WeakKeyDictionary()


def points_of(opened: Opened) -> tuple[Floats, list[float]]:
    """(V, 2), and the share of the variance that each axis holds: none where the embeddings are drawn as they are. One
    of one dimension lies on a line."""
    if opened not in _points:
        vectors = embedding(opened.model)
        if vectors is None:
            raise UserError(f"{opened.name} has no embeddings: it is of the kind {opened.kind}")
        if vectors.shape[1] <= 2 or len(vectors) < 2:
            flat = np.zeros((len(vectors), 2))
            flat[:, : vectors.shape[1]] = vectors[:, :2]
            _points[opened] = flat, []
        else:
            points, shares = principal_components(vectors)
            _points[opened] = points, shares.tolist()
    return _points[opened]


def plane(opened: Opened) -> dict[str, Any]:
    """Every token's place in the plane, for the vocabulary's first 5,000.

    Returns:
        points (N, 2), pieces, vocab_size, n_embd; `shares`, the part of the variance that each principal component
        holds, empty where the embeddings have two dimensions and are drawn as they are.
    """
    points, shares = points_of(opened)
    vectors = embedding(opened.model)
    assert vectors is not None
    shown = points[:MOST]
    return {
        "points": shown,
        "pieces": [opened.piece(id_) for id_ in range(len(shown))],
        "vocab_size": len(points),
        "n_embd": vectors.shape[1],
        "shares": shares,
    }
