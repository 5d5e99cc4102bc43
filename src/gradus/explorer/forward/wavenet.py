"""The tree inside a WaveNet: which nodes a prediction is made of, what text each of them saw, and how large its
activations are. In the design `tree` these are the nodes of one window; in `dilated` those of the whole row, among
which the selected prediction has its tree."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.explorer.forward.context import context_of, pieces_of
from gradus.explorer.forward.formula import Line, explained, part
from gradus.explorer.forward.mlp import norm_line, normalised
from gradus.explorer.forward.passes import Floats, Pass, array_of, run
from gradus.explorer.forward.stack import position_of
from gradus.explorer.opened import Opened
from gradus.models.inside import FLAT
from gradus.models.wavenet import Dilated, Tree


def wavenet(
    opened: Opened, text: str, token: int = -1, level: int = -1, node: int | None = None, unit: int | None = None
) -> dict[str, Any]:
    """The tree of one prediction.

    Args:
        token: the position in the row; -1 is the last.
        level: of the node that is looked into; level 0 are the embeddings, -1 is the last.
        node: the place of its newest token, in the row; None is the newest in the tree.
        unit: of that node, which is explained; None is the largest.

    Returns:
        design, position; `places` of the tokens below, negative before the row, and their `pieces`; `levels`, each with
        its nodes: `at`, the place of the newest token that each saw, `saw`, how many tokens, `size`, the root mean
        square of its activations, `flat`, the part of its units that are saturated, `in_tree`, whether the prediction
        is made of it, and `step`, how far apart the two nodes below each are; `chosen`, the node that is looked into
        with its `values`, and its unit with `why` it is what it is.
    """
    model, seen = opened.model, run(opened, text)
    position = position_of(seen, token)
    if isinstance(model, Tree):
        inside: _Tree | _Dilated = _Tree(model, seen, position)
    elif isinstance(model, Dilated):
        inside = _Dilated(model, seen, position)
    else:
        raise UserError(f"{opened.name} is no wavenet but of the kind {opened.kind}")
    n = len(inside.values)
    if not -n <= level < n:
        raise UserError(f"level must be from 0 to {n - 1}, got {level}")
    level %= n
    levels: list[dict[str, Any]] = []
    tree = {position}
    for k in reversed(range(n)):
        values, step = inside.values[k].astype(np.float64), 2 ** (k - 1) if k else 0
        levels.append(
            {
                "at": inside.places[k],
                "saw": 2**k,
                "step": step,
                "size": np.sqrt((values**2).mean(axis=1)),
                "flat": inside.flat[k].mean(axis=1),
                "in_tree": [place in tree for place in inside.places[k]],
            }
        )
        tree |= {place - step for place in tree}
    place = node if node is not None and node in inside.places[level] else position
    chosen = inside.values[level][inside.places[level].index(place)]
    unit = int(np.abs(chosen).argmax()) if unit is None or not 0 <= unit < len(chosen) else unit
    return {
        "design": opened.config.design,
        "position": position,
        "places": inside.places[0],
        "pieces": pieces_of(opened, context_of(seen.ids, position, model.context)),
        "levels": levels[::-1],
        "chosen": {
            "level": level,
            "node": place,
            "values": chosen,
            "unit": unit,
            "value": float(chosen[unit]),
            "sums": None if level == 0 else (sums := inside.sums_in(level, place, unit)),
            "why": _why(float(chosen[unit]), sums, level, unit),
        },
    }


def _why(value: float, sums: dict[str, Any] | None, level: int, unit: int) -> dict[str, Any]:
    """A unit of a node with its numbers put in."""
    if sums is None:
        says = "Below the first layer, every token is its learned vector; this is one number of it."
        return explained(f"Number {unit} of this embedding", says, [part("x", value, "learned")])
    title, gate, half = f"Unit {unit} of this node, layer {level}", sums.get("gate"), 2 ** (level - 1)
    older, newer = f"from the {half} older tokens", f"from the {half} newer"

    def inside(name: str, found: dict[str, Any]) -> Line:
        left, right = found["parts"]
        line: Line = [part(name, found["sum"]), "=", part("left", left, older), "+", part("right", right, newer)]
        return [*line, "+", part("bias", found["bias"])] if "bias" in found else line

    if gate is None:
        return explained(
            title,
            "It joins the two nodes below: what each of them adds, normalised and squeezed.",
            [part("unit", value, "its activation"), "=", part("tanh(b)", value)],
            norm_line(sums["norm"], "a", "b"),
            inside("a", sums),
        )
    return explained(
        title,
        "What it found, tanh(a), times how far its gate is open, σ(b); each joins two places below.",
        [
            part("unit", value, "its activation"), "=", part("tanh(a)", sums["tanh"], "what it found"), "×",
            part("σ(b)", gate["sigmoid"], "how far the gate is open"),
        ],
        inside("a", sums),
        inside("b", gate),
    )  # fmt: skip


class _Tree:
    """The nodes of the window that ends at a position: 2^L embeddings, then half as many on each level."""

    def __init__(self, model: Tree, seen: Pass, position: int) -> None:
        self.model, self.seen, self.position, n = model, seen, position, model.context
        self.values, self.sums = [seen.output("wte").reshape(self.shape(0))[position]], []
        for level in range(1, len(model.layers) // 4 + 1):  # flatten, linear, normalisation, tanh
            self.sums.append(seen.output(f"layers.{4 * level - 3}").reshape(self.shape(level))[position])
            self.values.append(seen.output(f"layers.{4 * level - 1}").reshape(self.shape(level))[position])
        self.flat = [np.zeros(self.values[0].shape, dtype=bool), *(1 - y**2 < FLAT for y in self.values[1:])]
        self.places = [list(range(position - n + 2**k, position + 1, 2**k)) for k in range(len(self.values))]

    def sums_in(self, level: int, place: int, unit: int) -> dict[str, Any]:
        """tanh(norm(W [left, right])): what each of the two nodes below adds to the sum."""
        linear: Any = self.model.layers[4 * level - 3]
        norm: Any = self.model.layers[4 * level - 2]
        which = self.places[level].index(place)
        pair = self.values[level - 1][2 * which : 2 * which + 2]  # (2, C)
        parts = (array_of(linear.weight[unit]).reshape(pair.shape) * pair).sum(axis=1)
        sums = self.sums[level - 1][which]
        value = float(
            self.seen.output(f"layers.{4 * level - 2}").reshape(self.shape(level))[self.position, which, unit]
        )
        about = {**normalised(norm.norm, sums, unit), "value": value}
        return {"parts": parts, "sum": float(sums[unit]), "norm": about}

    def shape(self, level: int) -> tuple[int, int, int]:
        """Of what the modules of a level give: all positions, their nodes, units."""
        return len(self.seen.ids), self.model.context // 2**level, -1


class _Dilated:
    """The nodes at all places of the window that ends at a position. On level 0 the widened embeddings; above,
    tanh(a) σ(b), what a layer found there. Before the row one vector of each level stands for the padding."""

    def __init__(self, model: Dilated, seen: Pass, position: int) -> None:
        self.model, self.seen, C = model, seen, model.widen.out_features
        x = array_of(model.widen.weight) @ array_of(model.wte.weight[0]) + array_of(model.widen.bias)
        self.before, self.before_sums = [x], []  # of each level the stream and the sums (a, b)
        for layer in model.layers:
            sums = array_of(layer.gates.weight) @ np.concatenate([x, x]) + array_of(layer.gates.bias)
            x = x + (array_of(layer.outputs.weight) @ _gated(sums) + array_of(layer.outputs.bias))[:C]
            self.before.append(x)
            self.before_sums.append(sums)
        places = range(position - model.context + 1, position + 1)
        sums_of = [np.stack([self.sums(level, place) for place in places]) for level in range(1, len(self.before))]
        self.values = [np.stack([self.stream(0, place) for place in places]), *map(_gated, sums_of)]
        self.flat = [np.zeros(self.values[0].shape, dtype=bool)]
        self.flat += [1 - np.tanh(sums[:, :C]) ** 2 < FLAT for sums in sums_of]
        self.places = [list(places)] * len(self.values)

    def stream(self, level: int, place: int) -> Floats:
        """(C,) what the layer above this level reads at a place."""
        if place < 0:
            return self.before[level]
        out: Floats = self.seen.output(f"layers.{level - 1}" if level else "widen")[place]
        return out

    def sums(self, level: int, place: int) -> Floats:
        """(2C,) a and b of a node."""
        out: Floats = self.before_sums[level - 1] if place < 0 else self.seen.output(f"layers.{level - 1}.gates")[place]
        return out

    def sums_in(self, level: int, place: int, unit: int) -> dict[str, Any]:
        """tanh(a) σ(b): what each of the two places below adds to a and to b."""
        layer: Any = self.model.layers[level - 1]
        pair = np.stack([self.stream(level - 1, place - layer.dilation), self.stream(level - 1, place)])  # (2, C)
        sums, C = self.sums(level, place), pair.shape[1]
        a, b = float(sums[unit]), float(sums[C + unit])
        rows, bias = array_of(layer.gates.weight[[unit, C + unit]]), array_of(layer.gates.bias)
        return {
            "parts": (rows[0].reshape(pair.shape) * pair).sum(axis=1),
            "bias": float(bias[unit]),
            "sum": a,
            "tanh": float(np.tanh(a)),
            "gate": {
                "parts": (rows[1].reshape(pair.shape) * pair).sum(axis=1),
                "bias": float(bias[C + unit]),
                "sum": b,
                "sigmoid": float(1 / (1 + np.exp(-b))),
            },
        }


def _gated(sums: Floats) -> Floats:
    """(..., 2C) -> tanh(a) σ(b), (..., C)"""
    a, b = np.split(sums, 2, axis=-1)
    out: Floats = np.tanh(a) / (1 + np.exp(-b))
    return out
