"""Which parts of a GPT a logit came from. The stream is a sum of the embeddings and of what each head and each MLP
adds; the last norm divides all of them by one number, and the head takes a product: so the logit is a sum, too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.explorer.forward.cell import Cell
from gradus.explorer.forward.passes import Floats, Pass
from gradus.explorer.forward.stack import module, names_of, stream
from gradus.explorer.opened import Opened


def credit(opened: Opened, seen: Pass, t: int, id: int) -> tuple[dict[str, float], float, float]:
    """What each part of the model adds to the logit of a token, before a soft cap (direct logit attribution: Elhage et
    al., 2021).

    Returns:
        the parts by name, in the order in which they are added: the embeddings, each head, each MLP; the number that
        the last norm divides by; and what its bias adds.
    """
    names, cell = names_of(opened), Cell(opened, seen, t)
    final = stream(opened, seen)[-1, t].astype(np.float64)
    norm: Any = module(opened.model, names.norm)
    w = cell.weight(names.head)[id].astype(np.float64)
    gain, bias = getattr(norm, "weight", None), getattr(norm, "bias", None)
    row = w if gain is None else w * gain.detach().cpu().numpy()
    if type(norm).__name__ == "RMSNorm":
        eps = norm.eps if norm.eps is not None else float(np.finfo(np.float32).eps)
        scale = math.sqrt(float((final**2).mean()) + eps)
    else:
        scale = math.sqrt(float(final.var()) + norm.eps)
        row = row - row.mean()  # the mean of each part is taken away
    out: dict[str, float] = {}
    for name, vector in {**first_parts(cell), **added_parts(cell)}.items():
        out[name] = float(vector.astype(np.float64) @ row) / scale
    return out, scale, 0.0 if bias is None else float(w @ bias.detach().cpu().numpy())


def first_parts(cell: Cell) -> dict[str, Floats]:
    """What the stream begins as, at the position of a cell."""
    names, t, seen = names_of(cell.opened), cell.t, cell.seen
    table = cell.weight(names.token)
    parts: dict[str, Floats] = {"token": table[seen.ids[t]]}
    smear = getattr(cell.opened.model, "smear", None)
    if smear is not None:
        share = smear.detach().cpu().numpy()
        parts["token before"] = table[seen.ids[t - 1]] * share if t else 0 * share
    if seen.has(names.position):
        parts["position"] = seen.output(names.position)[t]
    return parts


def added_parts(cell: Cell) -> dict[str, Floats]:
    """What each head and each MLP adds at the position of a cell."""
    names, t, seen, parts = names_of(cell.opened), cell.t, cell.seen, {}
    n_head = cell.opened.config.n_head
    for layer in range(cell.opened.config.n_layer):
        out = f"{names.attention(layer)}.c_proj"
        y, w, bias = seen.input(out)[t], cell.weight(out), cell.bias(out)
        for h, columns in enumerate(np.split(np.arange(len(y)), n_head)):
            parts[f"layer {layer} head {h}"] = w[:, columns] @ y[columns]
        if bias is not None:
            parts[f"layer {layer} attention bias"] = bias
        parts[f"layer {layer} MLP"] = seen.output(names.mlp(layer))[t]
    return parts
