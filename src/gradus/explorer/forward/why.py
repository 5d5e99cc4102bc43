"""Why a number of a GPT is what it is: the formula of any cell that can be pointed at, with its numbers put in. Each is
computed again, plainly, from what the model's modules took and gave."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.explorer.forward.attention import HEAD, LAYER, TOKEN, scores_of
from gradus.explorer.forward.cell import Cell, quoted
from gradus.explorer.forward.credit import credit, first_parts
from gradus.explorer.forward.formula import Line, explained, part, sum_of
from gradus.explorer.forward.next_token import log_probabilities
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.residual import steps
from gradus.explorer.forward.stack import added, names_of, position_of, stream
from gradus.explorer.forward.units import activations
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, Parameter, View

Explained = dict[str, Any]


def why(
    opened: Opened,
    text: str,
    what: str,
    layer: int = 0,
    head: int = 0,
    token: int = -1,
    key: int = 0,
    unit: int = 0,
    id: int = 0,
) -> Explained:
    """The formula of one number, with its numbers put in.

    Args:
        what: "score" and "weight" of attention (layer, head, token, key); "head", what a head gives at a position
            (layer, head, token); "unit" of an MLP (layer, token, unit); "embedding", a number of the first vector
            (token, unit); "size" of the stream (step in `layer`: 0 after the embeddings, 1 after the first attention,
            ...; token); "logit" and "probability" of a token as the next one, and "credit", which parts of the model
            that logit came from (token, id).
        token: a position; -1 is the last.
        key: the position that is looked at.
        unit: of an MLP, or of the vector.
        id: a token of the vocabulary.

    Returns:
        what `gradus.explorer.forward.formula.explained` gives.
    """
    names_of(opened)
    seen = run(opened, text)
    t = position_of(seen, token)
    if what not in WHATS:
        raise UserError(f"what must be one of {', '.join(WHATS)}, got {what[:50]!r}")
    return WHATS[what](Cell(opened, seen, t, layer=layer, head=head, key=key, unit=unit, id=id))


def _score(cell: Cell) -> Explained:
    heads, h, t, s = cell.seen.heads(cell.layer), cell.head, cell.t, cell.key
    q, k = heads.q[t, h].astype(np.float64), heads.k[s, heads.key_head(h)].astype(np.float64)
    product, hs = float(q @ k), len(q)
    return explained(
        f"Attention score, layer {cell.layer}, head {h}",
        f"How well the query of {cell.at(t)} fits the key of {cell.at(s)}.",
        [
            part("score", product / math.sqrt(hs), "the score"), "=",
            part("q · k", product, f"query times key, number by number, summed over the {hs} numbers of a head"), "/",
            part(f"√{hs}", math.sqrt(hs), "the root of the head size, so that scores do not grow with it"),
        ],
        terms=sum_of(f"The {hs} products", [str(i) for i in range(hs)], {"q": q, "k": k, "q k": q * k}, total="q · k"),
        note=_query_note(cell),
    )  # fmt: skip


def _query_note(cell: Cell) -> str:
    if cell.opened.kind != "modern":
        return ""
    config, said = cell.opened.config, []
    if config.qk_norm:
        said.append("scaled to one length")
    if config.rope:
        said.append("turned by their positions")
    shared = "; several heads of queries share this key" if 0 < config.n_kv_head < config.n_head else ""
    return f"Queries and keys are {' and '.join(said)} before they are multiplied{shared}." if said else shared[2:]


def _weight(cell: Cell) -> Explained:
    heads, h, t, s = cell.seen.heads(cell.layer), cell.head, cell.t, cell.key
    scores, weights = scores_of(heads, h, t)
    shifted = np.exp(scores - scores.max())
    return explained(
        f"Attention weight, layer {cell.layer}, head {h}",
        f"The share of its attention that {cell.at(t)} gives to {cell.at(s)}. All shares of a row sum to 1.",
        [
            part("weight", weights[s], "the weight"), "=",
            part("exp(score − m)", shifted[s], f"from the score {_told(scores[s])}"), "/",
            part("Σ exp(score − m)", shifted.sum(), f"the same of all {t + 1} positions that it sees, summed"),
        ],
        [part("m", scores.max(), "the largest score of the row: taken away first, so that exp cannot overflow")],
        terms=sum_of(
            "The positions it sees", [cell.at(i) for i in range(t + 1)],
            {"score": scores, "exp(score − m)": shifted, "weight": weights}, total="Σ weight",
        ),
    )  # fmt: skip


def _head(cell: Cell) -> Explained:
    heads, h, t = cell.seen.heads(cell.layer), cell.head, cell.t
    _, weights = scores_of(heads, h, t)
    values = heads.v[: t + 1, heads.key_head(h)].astype(np.float64)
    out = weights @ values  # (hs,)
    size = float(np.linalg.norm(out))
    along = values @ out / size if size else np.zeros(t + 1)
    return explained(
        f"What head {h} of layer {cell.layer} gives",
        f"The values of the positions that {cell.at(t)} sees, mixed by their weights: a vector of this length.",
        [part("‖y‖", size, "length of the mixture"), "=", part("Σ weight (v · ŷ)", float(weights @ along), "summed")],
        terms=sum_of(
            "What each position brings, along the mixture's direction ŷ", [cell.at(i) for i in range(t + 1)],
            {"weight": weights, "v · ŷ": along, "product": weights * along}, total="‖y‖",
        ),
    )  # fmt: skip


def _unit(cell: Cell) -> Explained:
    names = names_of(cell.opened)
    mlp = names.mlp(cell.layer)
    h = activations(cell.opened, cell.seen, cell.layer)[cell.t]
    u = cell.unit(len(h))
    x = cell.seen.output(f"{names.block(cell.layer)}.{names.norm_2}")[cell.t].astype(np.float64)
    w, b = cell.weight(f"{mlp}.c_fc").astype(np.float64), cell.bias(f"{mlp}.c_fc")
    bias = 0.0 if b is None else float(b[u])
    kind = "gelu" if cell.opened.kind == "gpt" else cell.opened.config.mlp
    gate = float(x @ w[u]) + bias
    lines: list[Line]
    if kind == "swiglu":
        value = float(x @ w[u + len(h)])
        lines = [
            [part("unit", h[u], "its activation"), "=", part("silu(g)", gate / (1 + math.exp(-gate)), "the gate"), "×",
             part("a", value, "x · its second row of the matrix")],
            [part("g", gate, "x · its first row of the matrix")],
        ]  # fmt: skip
    else:
        name = {"gelu": "GELU(a)", "relu2": "max(a, 0)²"}[kind]
        lines = [[part("unit", h[u], "its activation"), "=", part(name, h[u], "the activation function of a")],
                 [part("a", gate, "before the activation"), "=", part("x · w", gate - bias, "summed products"),
                  *(_plus(part("b", bias, "its bias")) if b is not None else [])]]  # fmt: skip
    return explained(
        f"Unit {u} of the MLP in layer {cell.layer}",
        f"How strongly the unit answers to the stream at {cell.at(cell.t)}, after its normalisation.",
        *lines,
        terms=sum_of(
            f"The {len(x)} products{' of the gate' if kind == 'swiglu' else ''}", [str(i) for i in range(len(x))],
            {"x": x, "w": w[u], "x w": x * w[u]}, total="x · w",
        ),
    )  # fmt: skip


def _embedding(cell: Cell) -> Explained:
    names, model = names_of(cell.opened), cell.opened.model
    first = stream(cell.opened, cell.seen)[0, cell.t]
    i = cell.unit(len(first))
    parts = {name: vector[i] for name, vector in first_parts(cell).items()}
    symbols: Line = []
    for name, value in parts.items():
        symbols += ["+", part(name, value, name)]
    told = " and that of the position" if names.position in dict(model.named_modules()) else ""
    return explained(
        f"Number {i} of the first vector",
        f"The stream at {cell.at(cell.t)} begins as the vector of the token{told}.",
        [part(f"x[{i}]", first[i], "the sum"), "=", *symbols[1:]],
    )


def _size(cell: Cell) -> Explained:
    x = stream(cell.opened, cell.seen)[cell.step, cell.t].astype(np.float64)
    size = float(np.linalg.norm(x))
    lines: list[Line] = [
        [part("‖x‖", size, "length"), "=", part("√Σ x²", math.sqrt(float(x @ x)), f"over {len(x)} numbers")]
    ]
    if cell.step:
        plus = added(cell.opened, cell.seen)[cell.step - 1, cell.t].astype(np.float64)
        before = stream(cell.opened, cell.seen)[cell.step - 1, cell.t].astype(np.float64)
        lines.append(
            [part("‖x‖²", size**2, "the square of it"), "=", part("‖before‖²", before @ before, "stream before"), "+",
             part("‖added‖²", plus @ plus, "what is added"), "+",
             part("2 before · added", 2 * before @ plus, "positive where both point the same way")]
        )  # fmt: skip
    return explained(
        f"Size of the stream after {steps(cell.opened)[cell.step]}",
        f"The length of the vector at {cell.at(cell.t)}.",
        *lines,
        terms=sum_of(f"The {len(x)} squares", [str(i) for i in range(len(x))], {"x": x, "x²": x * x}, total="Σ x²"),
    )


def _logit(cell: Cell) -> Explained:
    names, t = names_of(cell.opened), cell.t
    x = cell.seen.output(names.norm)[t].astype(np.float64)
    w = cell.weight(names.head)[cell.id].astype(np.float64)
    logit, raw = float(cell.seen.logits[t, cell.id]), float(x @ w)
    cap = getattr(cell.opened.config, "soft_cap", 0.0)
    line: Line = [part("logit", logit, "the score"), "="]
    if cap:
        line += [part("cap tanh(x · w / cap)", cap * math.tanh(raw / cap), f"kept within ±{cap:g}")]
    else:
        line += [part("x · w", raw, "the last vector times the token's row of the head, summed")]
    return explained(
        f"Logit of {cell.piece()}",
        f"The score of {cell.piece()} as the token after {cell.at(t)}.",
        line,
        *([[part("x · w", raw, "the last vector times the token's row of the head, summed")]] if cap else []),
        terms=sum_of(
            f"The {len(x)} products", [str(i) for i in range(len(x))], {"x": x, "w": w, "x w": x * w}, total="x · w"
        ),
    )


def _probability(cell: Cell) -> Explained:
    logits = cell.seen.logits[cell.t].astype(np.float64)
    p = np.exp(log_probabilities(cell.seen)[cell.t])
    shifted = np.exp(logits - logits.max())
    top = np.argsort(-p, kind="stable")[:200]
    return explained(
        f"Probability of {cell.piece()}",
        f"The share of {cell.piece()} in what is expected after {cell.at(cell.t)}; the shares of all tokens sum to 1.",
        [
            part("p", p[cell.id], "the probability"), "=",
            part("exp(logit − m)", shifted[cell.id], f"from the logit {_told(logits[cell.id])}"), "/",
            part("Σ exp(logit − m)", shifted.sum(), f"the same of all {len(p):,} tokens, summed"),
        ],
        [part("m", logits.max(), "the largest logit: taken away first, so that exp cannot overflow")],
        [part("surprise", -math.log(p[cell.id]) if p[cell.id] else math.inf, "nats, if this token comes"), "=",
         part("−ln p", -math.log(p[cell.id]) if p[cell.id] else math.inf, "")],
        terms=sum_of(
            "The likeliest tokens", [quoted(cell.opened.piece(i)) for i in top],
            {"logit": logits[top], "exp(logit − m)": shifted[top], "p": p[top]}, total="Σ p",
        ),
    )  # fmt: skip


def _credit(cell: Cell) -> Explained:
    parts, scale, constant = credit(cell.opened, cell.seen, cell.t, cell.id)
    raw = float(sum(parts.values())) + constant
    labels, values = list(parts), np.array(list(parts.values()))
    cap = getattr(cell.opened.config, "soft_cap", 0.0)
    return explained(
        f"Which parts speak for {cell.piece()}",
        f"The logit of {cell.piece()} after {cell.at(cell.t)} is a sum over all that was added to the stream: the last "
        "normalisation divides every part by the same number.",
        [part("x · w", raw, f"the logit{' before the soft cap' if cap else ''}"), "=",
         part("Σ parts", float(values.sum()), "embeddings, heads and MLPs"),
         *(_plus(part("b · w", constant, "the bias of the last normalisation")) if constant else [])],
        [part("scale", scale, "what the last normalisation divides by")],
        terms=sum_of("The parts", labels, {"adds to the logit": values}, total="Σ parts", most=20),
        note="A part above 0 speaks for the token, one below 0 against it.",
    )  # fmt: skip


def _told(number: float) -> str:
    """A number in a sentence."""
    return f"{number:.3f}".replace("-", "\u2212")


def _plus(one: dict[str, Any]) -> Line:
    return ["+", one]


WHATS: dict[str, Callable[[Cell], Explained]] = {
    "score": _score,
    "weight": _weight,
    "head": _head,
    "unit": _unit,
    "embedding": _embedding,
    "size": _size,
    "logit": _logit,
    "probability": _probability,
    "credit": _credit,
}

VIEWS = {
    "forward/why": View(
        why,
        {
            "text": TEXT,
            "what": Parameter(str, "weight", choices=tuple(WHATS)),
            "layer": LAYER,
            "head": HEAD,
            "token": TOKEN,
            "key": Parameter(int, 0, 0),
            "unit": Parameter(int, 0, 0),
            "id": Parameter(int, 0, 0),
        },
    ),
}
