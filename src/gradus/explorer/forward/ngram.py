"""What an n-gram model looked up for one context, and how its counts become the probability of the next token: for each
order, from the longest context to none, the counts, the discount, the weight and the probability.

Kneser-Ney (`gradus.models.kneser_ney`), unrolled from the longest context that was seen down to 1/V:

    p(w) = sum over the orders k of weight_k (count_k(w) - D(count_k(w))) / total_k  +  weight_0 gamma_0 / V
    weight_k = the product of gamma over the longer contexts: what they leave to the shorter ones
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradus.errors import UserError
from gradus.explorer.forward.cell import quoted
from gradus.explorer.forward.context import context_of
from gradus.explorer.forward.formula import Line, explained, part, sum_of
from gradus.explorer.forward.passes import run
from gradus.explorer.forward.stack import position_of
from gradus.explorer.opened import Opened
from gradus.models import NGram, trie
from gradus.models.kneser_ney import KneserNey
from gradus.models.ngram import Additive

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CANDIDATES = 10  # next tokens in the table


@dataclass
class _Order:
    """What one length of context says of all tokens."""

    counts: Ints | None  # (V,); None where the context was never seen
    p: Floats  # (V,)
    own: Floats  # (V,) of that, what comes from the counts of this order
    gamma: float  # what is left to the shorter context
    discounts: tuple[float, float, float] = (0.0, 0.0, 0.0)


def ngram(opened: Opened, text: str, token: int = -1, following: int | None = None) -> dict[str, Any]:
    """What an n-gram model looked up at one position of a text.

    Args:
        token: the position in the row; -1 is the last.
        following: the next token that is explained; None takes the most likely one.

    Returns:
        what `look_up` does, and the position.
    """
    model = opened.model
    if not isinstance(model, NGram):
        raise UserError(f"{opened.name} is no ngram but of the kind {opened.kind}")
    seen = run(opened, text)
    position = position_of(seen, token)
    context = context_of(seen.ids, position, model.context)
    return {"position": position, **look_up(model, context, following, opened.piece)}


def look_up(model: NGram, context: Sequence[int], following: int | None, piece: Callable[[int], str]) -> dict[str, Any]:
    """The way from the counts to the probability of one token after a context.

    Args:
        context: the tokens before, the oldest first, as many as the model sees; -1 for one that is not known.
        following: the token that is explained; None takes the most likely one.
        piece: the text of a token.

    Returns:
        `levels`, one for each order from the longest context to none: what was looked up there, for the token explained
        and for the `candidates`, the most likely tokens; `p` of the one explained; `uniform`, the 1/V below all orders.
    """
    settings, V, counted = model.settings, model.vocab_size, model.predictor
    times = model.counts.cpu().numpy()
    if isinstance(counted, Additive):
        orders, shortest = [_additive(counted, times, context)], len(context)
    else:
        orders, shortest = _kneser_ney(counted, times, context), 0
    p = orders[-1].p
    chosen = int(p.argmax()) if following is None else following
    if not 0 <= chosen < V:
        raise UserError(f"the next token must be 0 to {V - 1}, got {chosen}")
    candidates = [int(i) for i in np.argsort(-p, kind="stable")[:CANDIDATES]]
    if chosen not in candidates:
        candidates[-1] = chosen
    levels: list[dict[str, Any]] = []
    weight = 1.0
    for k, order in zip(range(len(context), shortest - 1, -1), reversed(orders), strict=True):
        lower = float(orders[k - 1].p[chosen]) if k > shortest else 1 / V
        level = {
            "length": k,
            "context": [piece(i) if i >= 0 else "?" for i in context[len(context) - k :]],
            "counted": "times" if k == len(context) else "contexts",  # how often, or after how many different ones
            "weight": weight,
            **_told(order, chosen, candidates, lower, weight),
        }
        level["why"] = _why(level, piece(chosen), None if shortest == 0 else settings.smoothing, V)
        levels.append(level)
        weight *= order.gamma
    uniform = {"p": 1 / V, "weight": weight, "share": weight / V}
    return {
        "method": settings.method,
        "order": settings.order,
        "smoothing": settings.smoothing,
        "vocab_size": V,
        "following": chosen,
        "following_piece": piece(chosen),
        "p": float(p[chosen]),
        "candidates": [{"id": i, "piece": piece(i), "p": float(p[i])} for i in candidates],
        "levels": levels,
        "uniform": uniform,
        "why": _why_all(float(p[chosen]), piece(chosen), levels, uniform),
    }


def _why(level: dict[str, Any], following: str, smoothing: float | None, V: int) -> dict[str, Any]:
    """The probability after one length of context, with its numbers put in."""
    title = f"p({quoted(following)}) after {quoted(''.join(level['context'])) if level['length'] else 'no context'}"
    p = part("p", level["p"], "the probability")
    if not level["seen"]:
        says = "This context is not in the training text: the shorter one answers alone."
        return explained(title, says, [p, "=", part("p shorter", level["lower"], "after one token less")])
    often = "how often it followed" if level["counted"] == "times" else "after how many different longer contexts"
    count, total = part("count", level["count"], often), part("total", level["total"], "the same of all tokens")
    if smoothing is not None:
        s, size = part("s", smoothing, "added to every count"), part("V", V, "tokens in the vocabulary")
        says = "What was counted, and s for every token, so that none is impossible."
        return explained(title, says, [p, "=", "(", count, "+", s, ")", "/", "(", total, "+", s, "×", size, ")"])
    n, D, shorter = level["counted_often"], level["discounts"], "after one token less"
    freed: Line = [part("γ", level["gamma"], "left to the shorter context"), "=", "("]
    for i, name in enumerate(("once", "twice", "more often")):
        freed += ["+" if i else "", part(f"n{i + 1}", n[i], f"tokens counted {name}"), "×", part(f"D{i + 1}", D[i])]
    return explained(
        title,
        "From each count something is taken, and what that frees is shared out as the shorter context says.",
        [
            p, "=", "(", count, "−", part("D", level["discount"], "taken from this count"), ")", "/", total, "+",
            part("γ", level["gamma"], "left to the shorter context"), "×",
            part("p shorter", level["lower"], shorter if level["length"] else "below no context: 1 / V"),
        ],
        [one for one in [*freed, ")", "/", total] if one],
    )  # fmt: skip


def _why_all(p: float, following: str, levels: list[dict[str, Any]], uniform: dict[str, float]) -> dict[str, Any]:
    """The probability as the sum of what each order gives."""
    labels = [quoted("".join(level["context"])) if level["length"] else "no context" for level in levels]
    weights, own = [level["weight"] for level in levels], [level["own"] for level in levels]
    return explained(
        f"p({quoted(following)})",
        "Each length of context has a weight, what the longer ones left, and says something from its counts.",
        [part("p", p, "the probability"), "=", part("Σ weight × own", p, "summed over the lengths of context")],
        terms=sum_of(
            "What each length of context gives", [*labels, "1 / V"],
            {
                "weight": [*weights, uniform["weight"]], "own": [*own, uniform["p"]],
                "weight × own": [*(level["share"] for level in levels), uniform["share"]],
            },
            total="p",
        ),
    )  # fmt: skip


def _told(order: _Order, chosen: int, candidates: list[int], lower: float, weight: float) -> dict[str, Any]:
    """An order's numbers for the token explained, and its counts and probabilities of the candidates."""
    about: dict[str, Any] = {
        "seen": order.counts is not None,
        "p": float(order.p[chosen]),
        "lower": lower,
        "gamma": order.gamma,
        "own": float(order.own[chosen]),
        "share": weight * float(order.own[chosen]),
        "candidate_p": order.p[candidates],
    }
    if order.counts is None:
        return about
    count, D = int(order.counts[chosen]), (0.0, *order.discounts)
    return about | {
        "count": count,
        "total": int(order.counts.sum()),
        "different": int((order.counts > 0).sum()),
        "discount": D[min(count, 3)],
        "discounts": list(order.discounts),
        "counted_often": np.bincount(np.minimum(order.counts, 3), minlength=4)[1:],  # tokens counted once, twice, more
        "candidate_counts": order.counts[candidates],
    }


def _kneser_ney(counted: KneserNey, times: Ints, context: Sequence[int]) -> list[_Order]:
    """What the contexts of 0, 1, ... tokens say: each order from its counts and the order below, as it is defined."""
    V = counted.vocab_size
    p, orders = np.full(V, 1 / V), []
    for k, node in enumerate(_path(counted, context)):
        level = counted.levels[k]
        if node < 0 or not len(level.cells):
            orders.append(_Order(None, p, np.zeros(V), 1.0))
            continue
        if k == len(context):
            counts = _times(level.cells, times, node, V)
        else:  # after how many different longer contexts: the model keeps only their probabilities, so count again
            _, longer = trie.children(counted.contexts[k], np.array([node]), V)
            cells = counted.levels[k + 1].cells
            counts = np.bincount(cells[trie.children(cells, longer, V)[1]] % V, minlength=V)
        D = np.array([0.0, *counted.discounts[k]])[np.minimum(counts, 3)]
        own, gamma = (counts - D) / counts.sum(), float(level.gamma[node])
        p = own + gamma * p
        orders.append(_Order(counts, p, own, gamma, counted.discounts[k]))
    return orders


def _additive(counted: Additive, times: Ints, context: Sequence[int]) -> _Order:
    """What the longest context says; s is added to every count, and no shorter context is asked."""
    V, s, node = counted.vocab_size, counted.smoothing, _path(counted, context)[-1]
    counts = _times(counted.cells, times, node, V) if node >= 0 else np.zeros(V, dtype=np.int64)
    whole = counts.sum() + s * V
    own, gamma = (counts / whole, float(s * V / whole)) if whole else (np.zeros(V), 0.0)
    return _Order(counts, own + gamma / V, own, gamma)


def _path(counted: KneserNey | Additive, context: Sequence[int]) -> list[int]:
    """The nodes of the contexts of 0, 1, ... tokens; -1 for one that was never seen."""
    newest_first = [np.array([token]) for token in reversed(context)]
    return [0, *(int(node[0]) for node in trie.walk(counted.contexts, newest_first, counted.vocab_size))]


def _times(cells: Ints, times: Ints, node: int, V: int) -> Ints:
    """(V,) how often each token followed one of the longest contexts."""
    counts = np.zeros(V, dtype=np.int64)
    _, place = trie.children(cells, np.array([node]), V)
    counts[cells[place] % V] = times[place]
    return counts
