"""The gradients of products: the linear layer, matrices, attention; and of the embedding, which is a product with
one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.explorer.backward.spelled import Array, Spelled, alone, dot, matrix, pairs

# ---- products


def linear(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    dc = matrix(dy)  # (N, out)
    if position == 0:  # dX = dY W
        w = node.weight  # (out, in)
        return Spelled(
            "y = x Wᵀ + b, so the gradient of x is dY W: each input answers for every output that it went into, in "
            "proportion to the weight between them.",
            "dX[n, i] = Σₒ dY[n, o] · W[o, i]",
            dot(dc[row], w[:, column]),
            pairs(dc[row], w[:, column], "o"),
            shown={"dy": ("incoming gradient dY", dc, row, None), "w": ("weight W", w, None, column)},
            summed=f"the {len(w):,} outputs o",
        )
    if position == 1:  # dW = dYᵀ X
        x = matrix(node.x)
        return Spelled(
            "The gradient of the weight is dYᵀ X: every position n adds its own opinion, the gradient of its output "
            "times its input. All positions share W, so their contributions are summed.",
            "dW[o, i] = Σₙ dY[n, o] · X[n, i]",
            dot(dc[:, row], x[:, column]),
            pairs(dc[:, row], x[:, column], "n"),
            shown={"dy": ("incoming gradient dY", dc, None, row), "x": ("input X", x, None, column)},
            summed=f"the {len(x):,} positions n",
        )
    return Spelled(
        "The bias was added to every position (broadcast), so its gradient is the sum over all of them.",
        "db[o] = Σₙ dY[n, o]",
        float(dc[:, column].sum(dtype=np.float64)),
        alone(dc[:, column], "n"),
        shown={"dy": ("incoming gradient dY", dc, None, column)},
        summed=f"the {len(dc):,} positions n",
    )


def matmul(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:
    a, b = node.a, node.b
    known = (b if position == 0 else a) is not None
    if not known or dy.ndim < 2 or (a is not None and a.ndim < 2) or (b is not None and b.ndim < 2):
        return None
    shape = (*dy.shape[:-1], b.shape[-2]) if position == 0 else (*dy.shape[:-2], a.shape[-1], dy.shape[-1])
    *lead, at = np.unravel_index(row, shape[:-1])
    c = dy[tuple(lead)]
    if position == 0:
        if a is not None and a.shape[:-2] != dy.shape[:-2]:
            return None
        w = np.broadcast_to(b, (*dy.shape[:-2], *b.shape[-2:]))[tuple(lead)]
        return Spelled(
            "C = A B: the gradient of A is dC Bᵀ. The shapes leave no other choice: "
            f"{_by(c)} times {_by(w.T)} is {_by(c[:, :1] * w[:, 0])}.",
            "dA[i, k] = Σⱼ dC[i, j] · B[k, j]",
            dot(c[at], w[column]),
            pairs(c[at], w[column], "j"),
            shown={"dy": ("incoming gradient dC", c, int(at), None), "b": ("B", w, column, None)},
            summed=f"the {c.shape[1]:,} columns j of C",
        )
    if b is not None and b.shape[:-2] != dy.shape[:-2]:
        return None
    w = np.broadcast_to(a, (*dy.shape[:-2], *a.shape[-2:]))[tuple(lead)]
    return Spelled(
        f"C = A B: the gradient of B is Aᵀ dC. The shapes leave no other choice: {_by(w.T)} times {_by(c)}.",
        "dB[k, j] = Σᵢ A[i, k] · dC[i, j]",
        dot(w[:, at], c[:, column]),
        pairs(w[:, at], c[:, column], "i"),
        shown={"dy": ("incoming gradient dC", c, None, column), "a": ("A", w, None, int(at))},
        summed=f"the {c.shape[0]:,} rows i of C",
    )


def _by(a: Array) -> str:
    return " × ".join(map(str, a.shape))


# ---- embeddings


def embedding(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:  # noqa: ARG001
    ids, d = np.asarray(node.idx).reshape(-1), dy.reshape(-1, dy.shape[-1])
    places = np.flatnonzero(ids == row)
    what = "An embedding copies rows of its table, so its gradient adds each position's gradient to the row that was "
    what += f"read there (scatter-add). Row {row} was read "
    what += f"at {len(places):,} of {len(ids):,} positions." if len(places) else "nowhere: its gradient is 0."
    return Spelled(
        what,
        "dW[v, c] = Σ dY[n, c] over the positions n that read row v",
        float(d[places, column].sum(dtype=np.float64)),
        [(f"n={n}", float(d[n, column]), None) for n in places],
        shown={"dy": ("incoming gradient dY", d, int(places[0]) if len(places) else None, column)},
        summed="the positions n that read this row",
    )


# ---- attention


def attention_weights(node: Any, lead: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    """p (T, S), k (S, E), v (S, D) and q (T, E) of one head of one row; grouped queries share their keys."""
    q = node.q[lead].astype(np.float64)
    of_k = (*lead[:-1], lead[-1] // _share(node)) if lead else ()
    k, v = node.k[of_k].astype(np.float64), node.v[of_k].astype(np.float64)
    scores = q @ k.T * node.scale
    if node.causal:
        scores = np.where(np.tri(*scores.shape) > 0, scores, -np.inf)
    p = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True), k, v, q


def _share(node: Any) -> int:
    """How many heads of queries share one of keys."""
    return int(node.q.shape[-3] // node.k.shape[-3]) if node.q.ndim > 2 else 1


def attention(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:
    if node.kept is not None or position > 2:
        return None
    of = (node.q, node.k, node.v)[position]
    *lead, at = (int(i) for i in np.unravel_index(row, of.shape[:-1]))
    if _share(node) > 1 and position > 0:
        return None  # several heads add to it
    p, k, v, q = attention_weights(node, tuple(lead))
    d = dy[tuple(lead)].astype(np.float64)
    dp = d @ v.T
    ds = p * (dp - (p * dp).sum(axis=-1, keepdims=True))
    head = f"head {lead[1]}" + (f" of row {lead[0]}" if of.shape[0] > 1 else "") if len(lead) == 2 else ""
    maps: dict[str, tuple[str, Array, int | None, int | None]]
    maps = {
        "p": (f"attention p, {head}", p, at if position == 0 else None, at if position else None),
        "ds": (f"gradient of the scores dS, {head}", ds, at if position == 0 else None, at if position else None),
    }
    incoming = {"dy": (f"incoming gradient dy, {head}", d, at if position == 0 else None, None)}
    if position == 2:
        return Spelled(
            "One fused operation computes softmax(q kᵀ s) v without keeping the attention; backward computes it again. "
            "The gradient of a value is that of the positions that looked at it, weighted by how much they looked.",
            "dv[j, c] = Σₜ p[t, j] · dy[t, c]",
            dot(p[:, at], d[:, column]),
            pairs(p[:, at], d[:, column], "t"),
            shown={"dy": (f"incoming gradient dy, {head}", d, None, column), "p": maps["p"]},
            summed=f"the {len(p):,} positions t that may look at position {at}",
        )
    if position == 0:
        return Spelled(
            "The gradient goes through the softmax to the scores: dS = p (dp − Σ p dp), with dp = dy vᵀ. The query is "
            "pulled towards the keys whose values would have helped, and away from the others.",
            "dq[t, c] = s · Σⱼ dS[t, j] · k[j, c]",
            dot(ds[at], k[:, column]) * node.scale,
            pairs(ds[at], k[:, column], "j"),
            factor=float(node.scale),
            shown={**incoming, **maps, "k": (f"keys k, {head}", k, None, column)},
            summed=f"the {len(k):,} positions j looked at",
        )
    return Spelled(
        "The gradient goes through the softmax to the scores: dS = p (dp − Σ p dp), with dp = dy vᵀ. A key is pulled "
        "towards the queries that should have looked at it more.",
        "dk[j, c] = s · Σₜ dS[t, j] · q[t, c]",
        dot(ds[:, at], q[:, column]) * node.scale,
        pairs(ds[:, at], q[:, column], "t"),
        factor=float(node.scale),
        shown={**incoming, **maps, "q": (f"queries q, {head}", q, None, column)},
        summed=f"the {len(q):,} positions t that look",
    )
