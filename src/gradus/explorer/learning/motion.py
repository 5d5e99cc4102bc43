"""What moves while a network learns: its embeddings in the plane, and where a head looks, at every moment.

Each moment's vectors are drawn on the plane in which they differ most (their first two principal components). Such a
plane may come out turned or mirrored, so each is turned to fit the next moment's as well as a rotation can (orthogonal
Procrustes, Schönemann, 1966), from the last back to the first: distances within a plane stay what they are, and points
move no more than they must.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.errors import UserError
from gradus.explorer.forward.attention import layer_weights
from gradus.explorer.forward.next_token import next_token
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.stack import head_of, layer_of, names_of
from gradus.explorer.learning.curves import folder_of
from gradus.explorer.learning.kept import moments_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.wire import quantised
from gradus.models.inside import embedding
from gradus.models.principal_components import principal_components

Floats = NDArray[np.float64]

MOST_POINTS = 128  # tokens that are drawn
MOST_TOKENS = 48  # of a text that is followed over time
TOLD = 8  # of the likeliest next tokens


def embeddings(opened: Opened) -> dict[str, Any]:
    """The tokens' vectors in the plane at every moment.

    Returns:
        step: (M,) the moments, the last weights at the end.
        pieces: (N,) the tokens that are drawn, the first 128 of the vocabulary.
        points: (M, N, 2) where they lie.
        shares: (M,) the part of the variance that lies in each plane.
        moved: (M,) the mean distance of the points from where they were at the moment before; the first is 0.
        vocab_size, n_embd.
    """
    found = moments_of(folder_of(opened))
    planes: list[Floats] = []
    shares = []
    vectors = None
    for _, moment in found:
        vectors = embedding(moment.model)
        if vectors is None or min(vectors.shape) < 2:
            raise UserError(f"{opened.name} has no embeddings that lie in a plane: it is of the kind {opened.kind}")
        points, share = principal_components(vectors[:MOST_POINTS])
        planes.append(points)
        shares.append(float(share.sum()))
    for i in reversed(range(len(planes) - 1)):
        planes[i] = turned(planes[i], planes[i + 1])
    assert vectors is not None
    moved = [0.0] + [float(np.linalg.norm(b - a, axis=1).mean()) for a, b in pairwise(planes)]
    return {
        "step": [step for step, _ in found],
        "pieces": [opened.piece(id_) for id_ in range(len(planes[0]))],
        "points": np.stack(planes),
        "shares": shares,
        "moved": moved,
        "vocab_size": len(vectors),
        "n_embd": vectors.shape[1],
    }


def turned(points: Floats, to: Floats) -> Floats:
    """Points (N, 2) turned or mirrored about the origin so that they lie as near as they can to others (N, 2)."""
    u, _, vt = np.linalg.svd(points.T @ to)
    out: Floats = points @ (u @ vt)
    return out


def head_over_time(opened: Opened, text: str, layer: int = 0, head: int = 0) -> dict[str, Any]:
    """Where one head looks in a text, at every moment.

    Returns:
        step: (M,) the moments, the last weights at the end.
        pieces: (T,) the tokens, the last 48 of the text at most.
        layers, heads: how many the model has.
        weights: (M, T, T) in 8 bits, rows summing to 1; 0 where a position cannot look.
        before, first, itself: (M,) the mean weight on the position before, the first, and the position itself, over
            the positions that have two others before them.
    """
    names_of(opened)
    layer, head = layer_of(opened, layer), head_of(opened, head)
    text = shortened(opened, text)
    found = moments_of(folder_of(opened))
    maps = [layer_weights(run(moment, text), layer)[head] for _, moment in found]
    row = opened.row(text)
    stacked = np.stack(maps)
    t = np.arange(2, len(row))
    looks = {"before": stacked[:, t, t - 1], "first": stacked[:, t, 0], "itself": stacked[:, t, t]}
    return {
        "step": [step for step, _ in found],
        "pieces": [opened.piece(id_) for id_ in row],
        "layers": opened.config.n_layer,
        "heads": opened.config.n_head,
        "weights": quantised(stacked),
        **{name: [float(x) for x in values.mean(axis=1)] if len(t) else [] for name, values in looks.items()},
    }


def said(opened: Opened, text: str) -> dict[str, Any]:
    """What the network says of a text at every moment.

    Returns:
        step: (M,) the moments, the last weights at the end.
        pieces: (T,) the tokens, the last 48 of the text at most.
        surprise: (M, T) nats, -log p of each token given those before it; NaN for the first.
        next: for each moment pieces and probabilities of the 8 likeliest tokens after the text.
        entropy: (M,) nats, of what is expected after the text.
    """
    text = shortened(opened, text)
    found = moments_of(folder_of(opened))
    told = [next_token(moment, text, top=TOLD) for _, moment in found]
    return {
        "step": [step for step, _ in found],
        "pieces": told[-1]["pieces"],
        "surprise": np.stack([one["surprise"] for one in told]),
        "next": [{name: one["top"][name] for name in ("pieces", "probabilities")} for one in told],
        "entropy": [float(one["entropy"][-1]) for one in told],
    }


def shortened(opened: Opened, text: str) -> str:
    """The end of a text that is too long to be followed over time."""
    ids = opened.encode(text)
    return text if len(ids) <= MOST_TOKENS else opened.tokenizer.decode(ids[-MOST_TOKENS:].tolist())


VIEWS = {
    "learning/said": View(said, {"text": TEXT}),
    "learning/embeddings": View(embeddings),
    "learning/attention": View(
        head_over_time, {"text": TEXT, "layer": Parameter(int, 0, 0, 1000), "head": Parameter(int, 0, 0, 1000)}
    ),
}
