"""What the two parts of a mixture say of the next token, with what weight, what comes of it, and how the counts came to
what they say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.explorer.forward.cell import quoted
from gradus.explorer.forward.context import context_of, softmax
from gradus.explorer.forward.formula import explained, part
from gradus.explorer.forward.ngram import CANDIDATES, look_up
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.stack import position_of
from gradus.explorer.opened import Opened
from gradus.models import Mixture


def mixture(opened: Opened, text: str, token: int = -1, following: int | None = None) -> dict[str, Any]:
    """The two parts and their mixture at one position.

    Args:
        token: the position in the row; -1 is the last.
        following: the next token that is explained; None takes the most likely one.

    Returns:
        position; `network`, the name of its kind; `weight`, that of the network, λ; where it depends on how often the
        context was counted, `seen`, the tokens of the longest one that was, and `total`, how often; `candidates`, the
        most likely tokens, each with p, network_p and ngram_p; the same three of the token explained, and how many
        `bits` each would need for it; `ngram`, how the counts came to theirs.
    """
    model = opened.model
    if not isinstance(model, Mixture):
        raise UserError(f"{opened.name} is no mixture but of the kind {opened.kind}")
    seen = run(opened, text)
    position = position_of(seen, token)
    x = seen.ids[None, : position + 1]
    before = 0 if x[0, 0] == model.separator else -1
    found = model.ngram.predict(x, before=before)
    place = int(found.place[-1])
    which = int(model.classes(found)[place])
    weight = float(model.weight[which].item())
    network, counts = softmax(seen.output("network")[position]), found.p[place]
    p = softmax(seen.logits[position])
    chosen = int(p.argmax()) if following is None else following
    if not 0 <= chosen < len(p):
        raise UserError(f"the next token must be 0 to {len(p) - 1}, got {chosen}")
    shown = [int(i) for i in np.argsort(-p, kind="stable")[:CANDIDATES]]
    if chosen not in shown:
        shown[-1] = chosen
    context = context_of(seen.ids, position, model.ngram.context, before)
    said = {"network": float(network[chosen]), "ngram": float(counts[chosen]), "mixture": float(p[chosen])}
    return {
        "position": position,
        "network": model.config.described["name"],  # type: ignore[attr-defined]
        "order": model.ngram.settings.order,
        "weight": weight,
        "by_count": model.by_count,
        "seen": int(found.length[place]),
        "total": int(found.total[place]),
        "following": chosen,
        "piece": opened.piece(chosen),
        "p": float(p[chosen]),
        "network_p": float(network[chosen]),
        "ngram_p": float(counts[chosen]),
        "bits": {name: -math.log2(q) if q > 0 else math.inf for name, q in said.items()},
        "candidates": [
            {
                "id": i, "piece": opened.piece(i), "p": float(p[i]), "network_p": float(network[i]),
                "ngram_p": float(counts[i]),
            }
            for i in shown
        ],
        "why": explained(
            f"p({quoted(opened.piece(chosen))})",
            "The network's probability and that of the counts, each by its weight.",
            [
                part("p", float(p[chosen]), "the mixture's"), "=", part("λ", weight, "the network's weight"), "×",
                part("p network", float(network[chosen])), "+", part("(1 − λ)", 1 - weight), "×",
                part("p counts", float(counts[chosen])),
            ],
        ),
        "ngram": look_up(model.ngram, context, chosen, opened.piece),
    }  # fmt: skip
