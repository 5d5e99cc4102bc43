"""The state of a recurrent network along a text: what each unit holds after each token, the gates that decided it, and
which units change most.

    rnn    h' = tanh(W x + U h + b)
    gru    h' = (1 - z) n + z h,  r and z gates,  n = tanh(W x + b + r (U h + c))
    lstm   c' = f c + i g,  h' = o tanh(c'),  i, f and o gates,  g = tanh(W x + U h + b)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer.forward.formula import Line, explained, part
from gradus.explorer.forward.passes import Floats, Pass, run
from gradus.explorer.forward.stack import position_of
from gradus.explorer.opened import Opened
from gradus.explorer.wire import quantised
from gradus.models import Recurrent
from gradus.models.inside import FLAT
from gradus.models.recurrent import CELLS

GATES = {"rnn": (), "gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}  # in the order of the weights' rows
STATES = {"rnn": ("h",), "gru": ("h",), "lstm": ("h", "c")}


def states(opened: Opened, text: str, layer: int = -1) -> dict[str, Floats]:
    """All of one layer's numbers along a text.

    Returns:
        (T, H) each: h, the state after each token; of an LSTM c, too; the gates by their names; and x and u, (T, G H),
        what the input and the state before add to the sums inside the gates, biases included.
    """
    model = _recurrent(opened)
    seen = run(opened, text)
    layer = _layer_of(model, layer)
    return seen.once(("states", layer), lambda: _states(model, seen, layer))


def state(
    opened: Opened, text: str, token: int = -1, layer: int = -1, part: str = "h", unit: int | None = None
) -> dict[str, Any]:
    """The state along a text, as a map of units by positions.

    Args:
        token: the position at which the unit is explained; -1 is the last.
        layer: -1 is the last.
        part: which map: h, of an LSTM c, or a gate.
        unit: which is shown along the text, and explained; None is the one that changes most.

    Returns:
        cell, layer, layers, part, parts (that there are), position, pieces, units (H); `values` (H, T) in 8 bits, `low`
        and `high` of them; `change` (H,), by how much the state of each unit changes from token to token on average;
        `order` (H,), the units by that, the one that changes most first; `lines`, every part of the unit (T,);
        `saturated` (T,), at each position the part of the units of h (of an LSTM tanh(c)) that are beyond ±0.97;
        `numbers` of the unit at the position, and `why` it is what it is.
    """
    model = _recurrent(opened)
    cell = model.config.cell  # type: ignore[attr-defined]
    seen, layer = run(opened, text), _layer_of(model, layer)
    found, position = states(opened, text, layer), position_of(seen, token)
    parts = [*STATES[cell], *GATES[cell]]
    if part not in parts:
        raise UserError(f"a {cell} has the parts {', '.join(parts)}, got {part!r}")
    h = found["h"].astype(np.float64)
    H = h.shape[1]
    change = np.abs(np.diff(np.concatenate([np.zeros((1, H)), h]), axis=0)).mean(axis=0)
    order = np.argsort(-change, kind="stable")
    unit = int(order[0]) if unit is None or not 0 <= unit < H else unit
    squashed = np.tanh(found["c"]) if cell == "lstm" else found["n"] if cell == "gru" else found["h"]
    return {
        "cell": cell,
        "layer": layer,
        "layers": model.cells.num_layers,
        "part": part,
        "parts": parts,
        "position": position,
        "units": H,
        "pieces": [opened.piece(id_) for id_ in seen.ids],
        "values": quantised(found[part].T, 8),
        "low": float(found[part].min()),
        "high": float(found[part].max()),
        "change": change,
        "order": order,
        "saturated": (1 - squashed**2 < FLAT).mean(axis=1),
        "unit": unit,
        "lines": {name: found[name][:, unit] for name in parts},
        "numbers": (numbers := _numbers(cell, found, position, unit)),
        "why": _why(cell, numbers, layer, unit),
    }


def _states(model: Recurrent, seen: Pass, layer: int) -> dict[str, Floats]:
    """Each layer is run once more by itself, since the module tells what its last one gave only; then all gates of all
    positions at once, from the states that came out."""
    cells, cell = model.cells, model.config.cell  # type: ignore[attr-defined]
    h = seen.output("wte")  # (T, E)
    for k in range(layer + 1):
        below, weights = h, {name: getattr(cells, f"{name}_l{k}") for name in _WEIGHTS}
        if k + 1 == cells.num_layers:
            h = seen.output("cells")
        else:
            one = CELLS[cell](below.shape[1], cells.hidden_size, batch_first=True)
            for name, weight in weights.items():
                setattr(one, f"{name}_l0", weight)
            with torch.no_grad():
                h = one(torch.from_numpy(below[None]).to(weight.device))[0][0].cpu().numpy()
    w_ih, w_hh, b_ih, b_hh = (weights[name].detach().cpu().numpy() for name in _WEIGHTS)
    previous = np.concatenate([np.zeros_like(h[:1]), h[:-1]])
    x, u = below @ w_ih.T + b_ih, previous @ w_hh.T + b_hh  # (T, G H) each
    out = {"h": h, "x": x, "u": u}
    if cell == "gru":
        (xr, xz, xn), (ur, uz, un) = np.split(x, 3, axis=1), np.split(u, 3, axis=1)
        r, z = _sigmoid(xr + ur), _sigmoid(xz + uz)
        out |= {"r": r, "z": z, "n": np.tanh(xn + r * un)}
    elif cell == "lstm":
        i, f, g, o = np.split(x + u, 4, axis=1)
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        c, now = np.empty_like(h), np.zeros_like(h[0])
        for t in range(len(h)):
            c[t] = now = f[t] * now + i[t] * g[t]
        out |= {"c": c, "i": i, "f": f, "g": g, "o": o}
    return out


_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


_SAYS = {
    "rnn": "The new state mixes the token with the state before, and is squeezed.",
    "gru": "A gate decides how much of the old state stays; the rest is replaced by what is new.",
    "lstm": "Gates decide what the cell forgets, what it takes in, and how much of it is shown.",
}
_NAMES = {
    "i": "input gate, how much is taken in", "f": "forget gate, how much is kept", "g": "what is new",
    "o": "output gate, how much is shown", "r": "reset gate, how much of the old state is asked", "n": "what is new",
    "z": "update gate, how much is kept", "h": "the state",
}  # fmt: skip


def _why(cell: str, numbers: dict[str, Any], layer: int, unit: int) -> dict[str, Any]:
    """A unit's state at a position with its numbers put in, and each gate's."""
    sums = numbers["sums"]

    def gate(name: str) -> dict[str, Any]:
        return part(name, sums[name]["value"], _NAMES[name])

    h, before = part("h", numbers["h"], "the new state"), part("h before", numbers["h_before"], "the state before")
    lines: list[Line] = []
    if cell == "gru":
        less = part("(1 − z)", 1 - sums["z"]["value"])
        lines = [[h, "=", less, "×", gate("n"), "+", gate("z"), "×", before]]
    elif cell == "lstm":
        c, c_before = part("c", numbers["c"], "the cell"), part("c before", numbers["c_before"], "the cell before")
        lines = [
            [h, "=", gate("o"), "×", part("tanh(c)", float(np.tanh(numbers["c"])))],
            [c, "=", gate("f"), "×", c_before, "+", gate("i"), "×", gate("g")],
        ]
    for name, sum_ in sums.items():
        f = "tanh" if name in ("h", "n", "g") else "σ"
        x, u = part("x", sum_["from_input"], "from the token"), part("u", sum_["from_state"], "from the state before")
        between = ["+", gate("r"), "×"] if (cell, name) == ("gru", "n") else ["+"]
        lines.append([gate(name), "=", f, "(", x, *between, u, ")"])
    return explained(f"Unit {unit} of layer {layer}", _SAYS[cell], *lines)


def _numbers(cell: str, found: dict[str, Floats], t: int, unit: int) -> dict[str, Any]:
    """The numbers of one unit at one position: the sums inside each gate, what the gates give, the state before."""
    H = found["h"].shape[1]
    names = GATES[cell] or ("h",)
    sums = {
        name: {
            "from_input": float(found["x"][t, k * H + unit]),
            "from_state": float(found["u"][t, k * H + unit]),
            "value": float(found[name][t, unit]),
        }
        for k, name in enumerate(names)
    }
    about: dict[str, Any] = {"sums": sums, "h": float(found["h"][t, unit])}
    about["h_before"] = float(found["h"][t - 1, unit]) if t else 0.0
    if cell == "lstm":
        about |= {"c": float(found["c"][t, unit]), "c_before": float(found["c"][t - 1, unit]) if t else 0.0}
    return about


def _layer_of(model: Recurrent, layer: int) -> int:
    n = model.cells.num_layers
    if not -n <= layer < n:
        raise UserError(f"layer must be from 0 to {n - 1}, got {layer}")
    return layer % n


def _recurrent(opened: Opened) -> Recurrent:
    if not isinstance(opened.model, Recurrent):
        raise UserError(f"{opened.name} is not recurrent but of the kind {opened.kind}")
    return opened.model


def _sigmoid(x: Floats) -> Floats:
    out: Floats = 1 / (1 + np.exp(-x))
    return out
