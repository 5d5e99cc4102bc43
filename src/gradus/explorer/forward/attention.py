"""What the heads of a GPT look at: the weights of one layer, all heads of the model in small, and for one position the
queries, keys and scores that its weights came from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.explorer.forward.context import softmax
from gradus.explorer.forward.passes import Floats, Heads, Pass, run
from gradus.explorer.forward.stack import head_of, layer_of, names_of, pieces, position_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View
from gradus.explorer.wire import quantised

SMALL = 32  # cells along each side of a head in small

LAYER, HEAD = Parameter(int, 0, -1000, 1000), Parameter(int, 0, 0, 1000)
TOKEN = Parameter(int, -1)


def attention(opened: Opened, text: str, layer: int = 0) -> dict[str, Any]:
    """The weights of all heads of one layer.

    Returns:
        layer, heads (how many), tokens (T), pieces (their texts).
        weights: (nh, T (T + 1) / 2) in 8 bits, the rows of each head one after the other: row t has the t + 1 weights
            of the positions that position t sees. What it does not see has no weight, and is not there.
    """
    seen, layer = run(opened, text), layer_of(opened, layer)
    names_of(opened)
    T = len(seen.ids)
    weights = layer_weights(seen, layer)
    return {
        "layer": layer,
        "heads": len(weights),
        "tokens": T,
        "pieces": pieces(opened, seen),
        "weights": quantised(weights[:, *np.tril_indices(T)]),
    }


def all_heads(opened: Opened, text: str) -> dict[str, Any]:
    """Every head of the model, in small, and what it looks at on the whole.

    Returns:
        layers, heads, tokens.
        side: n, how many cells a map has along each side: T, or if there are more than 32 positions, so few that each
            cell stands for several.
        maps: (n_layer, nh, n (n + 1) / 2) in 8 bits, rows as in `attention`; of several weights the largest.
        before, first, itself: (n_layer, nh) the mean weight on the position before, on the first one, and on the
            position itself; over the positions that have two others before them.
    """
    seen, n_layer = run(opened, text), opened.config.n_layer
    names_of(opened)

    def made() -> dict[str, Any]:
        maps, looks = [], []
        for layer in range(n_layer):
            weights = layer_weights(seen, layer)
            maps.append(_in_small(weights))
            looks.append(_looks(weights))
        side = maps[0].shape[-1]
        return {
            "layers": n_layer,
            "heads": opened.config.n_head,
            "tokens": len(seen.ids),
            "side": side,
            "maps": quantised(np.stack(maps)[..., *np.tril_indices(side)]),
            **{name: np.array([look[i] for look in looks]) for i, name in enumerate(("before", "first", "itself"))},
        }

    return seen.once("all heads", made)


def attention_row(opened: Opened, text: str, layer: int = 0, head: int = 0, token: int = -1) -> dict[str, Any]:
    """How one position of a text divides its attention in one head.

    Returns:
        layer, head, position.
        query: (hs,), keys: (t + 1, hs), as their products are taken: after a norm and a rotation, where there are any.
        scores: (t + 1,) query · key / sqrt(hs).
        weights: (t + 1,) their softmax.
        value_norms: (t + 1,) the lengths of the values.
        moved: (t + 1,) the lengths of weight times value: how much each position brings.
    """
    seen, layer, head = run(opened, text), layer_of(opened, layer), head_of(opened, head)
    names_of(opened)
    t = position_of(seen, token)
    heads = seen.heads(layer)
    h = heads.key_head(head)
    keys, values = heads.k[: t + 1, h], heads.v[: t + 1, h]
    scores, weights = scores_of(heads, head, t)
    lengths = np.linalg.norm(values.astype(np.float64), axis=1)
    return {
        "layer": layer,
        "head": head,
        "position": t,
        "query": heads.q[t, head],
        "keys": keys,
        "scores": scores,
        "weights": weights,
        "value_norms": lengths,
        "moved": weights * lengths,
    }


def layer_weights(seen: Pass, layer: int) -> Floats:
    """(nh, T, T) float32: the softmax of the scores; 0 where a position does not look."""

    def made() -> Floats:
        heads = seen.heads(layer)
        T, nh, hs = heads.q.shape
        q = heads.q.transpose(1, 0, 2)  # (nh, T, hs)
        k = np.repeat(heads.k.transpose(1, 2, 0), nh // heads.k.shape[1], axis=0)  # (nh, hs, T)
        scores = q @ k
        scores *= 1 / math.sqrt(hs)
        scores[:, *np.triu_indices(T, 1)] = -np.inf
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores

    if len(seen.ids) > 512:  # all layers of a long text together are too much to keep
        return made()
    return seen.once(("weights", layer), made)


def scores_of(heads: Heads, head: int, t: int) -> tuple[Floats, Floats]:
    """The scores and the weights (t + 1,) of position t in one head, in float64."""
    query, keys = heads.q[t, head].astype(np.float64), heads.k[: t + 1, heads.key_head(head)].astype(np.float64)
    scores = keys @ query / math.sqrt(len(query))
    return scores, softmax(scores)


def _in_small(weights: Floats) -> Floats:
    """(nh, T, T) -> (nh, n, n): the largest weight of each square of cells."""
    T = weights.shape[-1]
    step = math.ceil(T / SMALL)
    if step == 1:
        return weights
    starts = np.arange(0, T, step)
    rows: Floats = np.maximum.reduceat(weights, starts, axis=1)
    out: Floats = np.maximum.reduceat(rows, starts, axis=2)
    return out


def _looks(weights: Floats) -> tuple[Floats, Floats, Floats]:
    """The mean weights (nh,) on the position before, the first, and itself, where these are three."""
    T = weights.shape[-1]
    if T < 3:
        nothing = np.full(len(weights), np.nan)
        return nothing, nothing, nothing
    t = np.arange(2, T)
    before, first, itself = (weights[:, t, s].mean(axis=1, dtype=np.float64) for s in (t - 1, 0 * t, t))
    return before, first, itself


VIEWS = {
    "forward/attention": View(attention, {"text": TEXT, "layer": LAYER}),
    "forward/heads": View(all_heads, {"text": TEXT}),
    "forward/attention/row": View(attention_row, {"text": TEXT, "layer": LAYER, "head": HEAD, "token": TOKEN}),
}
