"""The units inside the MLPs of a GPT: which are active at a position, how all of them are spread, and one of them along
the text."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.explorer.forward.attention import LAYER, TOKEN
from gradus.explorer.forward.passes import Floats, Pass, array_of, run
from gradus.explorer.forward.stack import layer_of, module, names_of, pieces, position_of
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View

BINS = 40


def units(opened: Opened, text: str, layer: int = 0, token: int = -1, unit: int = -1, top: int = 24) -> dict[str, Any]:
    """The hidden units of one layer's MLP at one position.

    Args:
        unit: one that is asked for; -1 for the most active one.
        top: how many of the most active units are told, by the size of their activation.

    Returns:
        layer, position, pieces (of the text), hidden (how many units there are).
        ids, values: of the most active units.
        counts, edges: a histogram of all activations at this position.
        active: the part of the units above 0.
        unit: id, value; along: (T,) its activation at every position; writes, erases: the tokens whose logits what it
            adds to the stream raises and lowers most, by the head's own rows: pieces and values per unit of activation,
            before the last norm.
    """
    seen, layer = run(opened, text), layer_of(opened, layer)
    t = position_of(seen, token)
    h = activations(opened, seen, layer)  # (T, H)
    if not -1 <= unit < h.shape[1]:
        raise UserError(f"unit must be from 0 to {h.shape[1] - 1}, got {unit}")
    here = h[t].astype(np.float64)
    order = np.argsort(-np.abs(here), kind="stable")[:top]
    chosen = int(order[0]) if unit < 0 else unit
    counts, edges = np.histogram(here, bins=BINS)
    return {
        "layer": layer,
        "position": t,
        "pieces": pieces(opened, seen),
        "hidden": h.shape[1],
        "ids": order,
        "values": here[order],
        "counts": counts,
        "edges": edges,
        "active": float((here > 0).mean()),
        "unit": {"id": chosen, "value": float(here[chosen]), "along": h[:, chosen], **_writes(opened, layer, chosen)},
    }


def activations(opened: Opened, seen: Pass, layer: int) -> Floats:
    """(T, H): the hidden units after the activation, as the MLP's second matrix takes them."""
    return seen.input(f"{names_of(opened).mlp(layer)}.c_proj")


def _writes(opened: Opened, layer: int, unit: int, top: int = 6) -> dict[str, Any]:
    names, model = names_of(opened), opened.model
    column = array_of(module(model, f"{names.mlp(layer)}.c_proj").weight)[:, unit]  # (C,)
    effect = array_of(module(model, names.head).weight) @ column  # (V, C) @ (C,) -> (V,)
    order = np.argsort(-effect, kind="stable")
    return {
        name: {"pieces": [opened.piece(id_) for id_ in ids], "values": effect[ids]}
        for name, ids in (("writes", order[:top]), ("erases", order[::-1][:top]))
    }


VIEWS = {
    "forward/units": View(
        units,
        {
            "text": TEXT,
            "layer": LAYER,
            "token": TOKEN,
            "unit": Parameter(int, -1, -1),
            "top": Parameter(int, 24, 1, 200),
        },
    ),
}
