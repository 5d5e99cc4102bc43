"""The gradients of what works on whole rows: softmax, with the loss and without, and the norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.explorer.backward.spelled import Array, Spelled, alone, dot, matrix, pairs

# ---- the loss


def cross_entropy(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:  # noqa: ARG001
    up, targets = float(np.asarray(dy).reshape(-1)[0]), node.targets
    scored = targets >= 0
    count = max(1, int(scored.sum()))
    if node.dx is not None:  # (p - onehot) / count already
        p = node.dx.astype(np.float64) * count
        p[scored, targets[scored]] += 1
    else:
        p = np.exp(node.x.astype(np.float64) - np.asarray(node.log_total, np.float64).reshape(-1, 1))
    p = np.where(scored[:, None], p, 0.0)
    onehot = np.zeros_like(p)
    onehot[scored, targets[scored]] = 1.0
    what = (
        "Softmax and cross-entropy together have the plainest gradient there is: the probability that the model gave, "
    )
    what += f"minus 1 for the token that came, divided by the {count:,} targets that the loss is the mean of."
    if not scored[row]:
        what = "Nothing was to be predicted at this position: no gradient comes from it."
    return Spelled(
        what,
        "dx[n, v] = (p[n, v] − 1 if v is the target) / N",
        (p[row, column] - onehot[row, column]) / count * up,
        lines=[
            ("p, the probability that the model gave", float(p[row, column])),
            ("1 if this token came, else 0", float(onehot[row, column])),
            ("p − that", float(p[row, column] - onehot[row, column])),
            (f"divided by N = {count:,}", float(p[row, column] - onehot[row, column]) / count),
        ],
        shown={"p": ("probabilities p = softmax(x)", p.astype(np.float32), row, column)},
    )


def log_softmax(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:  # noqa: ARG001
    if node.axis not in (-1, node.y.ndim - 1):
        return None
    y, d = matrix(node.y).astype(np.float64), matrix(dy).astype(np.float64)
    p, total = math.exp(y[row, column]), float(d[row].sum())
    return Spelled(
        "The logarithm of a softmax: what comes in, minus the probability's share of all that came in for this row.",
        "dx[n, v] = dy[n, v] − p[n, v] · Σ dy[n, :]",
        float(d[row, column]) - p * total,
        lines=[("dy at this cell", float(d[row, column])), ("p at this cell", p), ("Σ dy over the row", total)],
        shown={"dy": ("incoming gradient", matrix(dy), row, column), "y": ("log p", matrix(node.y), row, column)},
    )


def softmax(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:  # noqa: ARG001
    if node.axis not in (-1, node.y.ndim - 1):
        return None
    y, d = matrix(node.y), matrix(dy)
    mean = dot(y[row], d[row])
    return Spelled(
        "The probabilities of a row sum to 1, so one can only grow at the cost of the others: what comes in counts "
        "relative to its mean over the row, weighted by the probabilities.",
        "dx[n, v] = p[n, v] · (dy[n, v] − Σ p[n, :] dy[n, :])",
        float(y[row, column]) * (float(d[row, column]) - mean),
        lines=[
            ("p at this cell", float(y[row, column])),
            ("dy at this cell", float(d[row, column])),
            ("Σ p dy over the row", mean),
        ],
        shown={"dy": ("incoming gradient", d, row, column), "p": ("probabilities p", y, row, column)},
    )


def nll(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:  # noqa: ARG001
    place = np.flatnonzero(node.rows == row)
    hit = len(place) and int(node.targets[place[0]]) == column
    up = np.asarray(dy).reshape(-1)
    each = float(up[row] if up.size > 1 else up[0])
    total = float(node.total) if node.reduction == "mean" else 1.0
    weight = float(node.w[place[0]]) if hit else 0.0
    return Spelled(
        "The loss looks only at the log probability of the token that came: only there does a gradient arrive.",
        "dx[n, v] = −1 / N if v is the target, else 0",
        -weight * each / total,
        lines=[("1 if this token came, else 0", weight), ("N", total), ("what came in", each)],
    )


# ---- normalization


def _normalized(
    node: Any, dy: Any, position: int, row: int, column: int, xhat: Array, rstd: float, *, centred: bool
) -> Spelled:
    """One cell of the gradient of a norm over rows; xhat (N, C) is normalized."""
    d = matrix(dy).reshape(xhat.shape)
    name = "x̂"
    if position > 0:
        column_of = d[:, column]
        if position == 1:
            return Spelled(
                "The gain w is shared by all positions: each adds its gradient times its normalized input.",
                f"dw[c] = Σₙ dy[n, c] · {name}[n, c]",
                dot(column_of, xhat[:, column]),
                pairs(column_of, xhat[:, column], "n"),
                shown={
                    "dy": ("incoming gradient dy", d, None, column),
                    "xhat": ("normalized input x̂", xhat, None, column),
                },
                summed=f"the {len(d):,} positions n",
            )
        return Spelled(
            "The shift b is added at all positions: its gradient is the sum over them.",
            "db[c] = Σₙ dy[n, c]",
            float(column_of.sum(dtype=np.float64)),
            alone(column_of, "n"),
            shown={"dy": ("incoming gradient dy", d, None, column)},
            summed=f"the {len(d):,} positions n",
        )
    w = np.ones(xhat.shape[1]) if node.weight is None else np.asarray(node.weight, np.float64).reshape(-1)
    g = d[row].astype(np.float64) * w  # of the normalized input
    mean, along = float(g.mean()) if centred else 0.0, float((g * xhat[row]).mean())
    what = "Normalizing takes away " + ("the mean and " if centred else "") + "the scale of a row, so a change along "
    what += ("either" if centred else "it") + " does nothing: that part of the gradient is taken out, and the rest is "
    what += "divided by the row's spread."
    lines = [("g = w · dy at this cell", float(g[column]))]
    lines += [("mean of g over the row", mean)] if centred else []
    lines += [
        ("x̂ at this cell", float(xhat[row, column])),
        ("mean of g · x̂ over the row", along),
        ("1 / spread of the row", rstd),
    ]
    minus = "mean(g) − " if centred else ""
    return Spelled(
        what,
        f"dx = (g − {minus}x̂ · mean(g · x̂)) / spread,  g = w · dy",
        (float(g[column]) - mean - float(xhat[row, column]) * along) * rstd,
        lines=lines,
        shown={"dy": ("incoming gradient dy", d, row, None), "xhat": ("normalized input x̂", xhat, row, None)},
    )


def layer_norm(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    size = math.prod(node.inner)
    x = node.x.reshape(-1, size).astype(np.float64)
    mean, rstd = (np.asarray(part, np.float64).reshape(-1, 1) for part in (node.mean, node.rstd))
    return _normalized(
        node, dy, position, row, column, (x - mean) * rstd, float(rstd[row, 0]) if not position else 1.0, centred=True
    )


def rms_norm(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    x = node.x.reshape(-1, math.prod(node.inner)).astype(np.float64)
    rstd = np.asarray(node.rstd, np.float64).reshape(-1, 1)
    return _normalized(
        node, dy, position, row, column, x * rstd, float(rstd[row, 0]) if not position else 1.0, centred=False
    )


def batch_norm(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:
    if dy.ndim != 2:
        return None
    xhat = node.xhat
    if position > 0:
        return _normalized(node, dy, position, row, column, xhat, 1.0, centred=True)
    d = dy[:, column].astype(np.float64)
    w = 1.0 if node.weight is None else float(node.weight.reshape(-1)[column])
    rstd, n = float(node.rstd.reshape(-1)[column]), len(d)
    mean = float(d.mean()) if node.training else 0.0
    along = dot(d, xhat[:, column]) / n if node.training else 0.0
    return Spelled(
        "BatchNorm normalizes each column over the batch, so every example's gradient depends on all the others': the "
        "part along the column's mean and along x̂ is taken out.",
        "dx = w · (dy − mean(dy) − x̂ · mean(dy · x̂)) / spread, means over the batch",
        w * rstd * (float(d[row]) - mean - float(xhat[row, column]) * along),
        lines=[
            ("dy at this cell", float(d[row])),
            ("mean of dy over the batch", mean),
            ("x̂ at this cell", float(xhat[row, column])),
            ("mean of dy · x̂ over the batch", along),
            ("w", w),
            ("1 / spread of the column", rstd),
        ],
        shown={"dy": ("incoming gradient dy", dy, None, column), "xhat": ("normalized x̂", xhat, None, column)},
    )
