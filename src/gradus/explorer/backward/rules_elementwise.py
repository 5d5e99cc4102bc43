"""The gradients of what is computed number by number: sums and products, with broadcasting, and activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradus.explorer.backward.spelled import Array, Rule, Spelled, dot, matrix

# ---- sums and products of the same shape, with broadcasting


def _unbroadcast(whole: tuple[int, ...], part: tuple[int, ...], row: int, column: int) -> tuple[Array, list[int]]:
    """The flat places in `whole` that a cell of `part`, seen as a matrix, was repeated to; and the axes."""
    columns = part[-1] if part else 1
    place = np.unravel_index(row * columns + column, part) if part else ()
    added = len(whole) - len(part)
    axes = [i for i in range(len(whole)) if i < added or (part[i - added] == 1 and whole[i] != 1)]
    index = tuple(slice(None) if i in axes else int(place[i - added]) for i in range(len(whole)))
    return np.arange(math.prod(whole)).reshape(whole)[index].reshape(-1), axes


def spread(dy: Any, local: Any, shape: tuple[int, ...], row: int, column: int, said: str, formula: str) -> Spelled:
    """The gradient of an operand of an elementwise operation: dy times the local derivative, summed over what the
    operand was repeated along."""
    places, axes = _unbroadcast(dy.shape, shape, row, column)
    flat = dy.reshape(-1)
    slopes = None if local is None else np.broadcast_to(local, dy.shape).reshape(-1)
    total = float(flat[places].sum(dtype=np.float64)) if slopes is None else dot(flat[places], slopes[places])
    shown: dict[str, tuple[str, Array, int | None, int | None]] = {}
    d = matrix(dy)
    at = int(places[0]) if len(places) else 0
    shown["dy"] = ("incoming gradient", d, None if axes else at // d.shape[1], at % d.shape[1])
    if not axes:
        lines = [("incoming gradient", float(flat[at]))]
        if slopes is not None:
            lines.append(("local derivative", float(slopes[at])))
        return Spelled(said, formula, total, lines=lines, shown=shown)
    over = " and ".join(f"{axis} (of {dy.shape[axis]:,})" for axis in axes)
    what = f"This operand is {_shape(shape)} and was repeated to {_shape(dy.shape)} (broadcast): every copy sends its "
    what += f"gradient back, and they are summed over {'dimensions' if len(axes) > 1 else 'dimension'} {over}. "
    terms = [(f"copy {i}", float(flat[p]), None if slopes is None else float(slopes[p])) for i, p in enumerate(places)]
    return Spelled(what + said, f"{formula}, summed over the copies", total, terms, shown=shown, summed="the copies")


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(f"{n:,}" for n in shape) or "one number"


def _operand_shape(node: Any, dy: Any, position: int) -> tuple[int, ...]:
    """Of a sum or a difference, which keeps it; a sum only if it was repeated."""
    found = (node.a, node.b)[position]
    return tuple(dy.shape if found is None else found)


def add(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    alpha = node.alpha if position == 1 else 1
    local = None if alpha == 1 else float(alpha)
    said = "Adding hands the gradient on as it is, to both: along a residual connection it arrives undiminished."
    return spread(dy, local, _operand_shape(node, dy, position), row, column, said, "da = db = dy")


def sub(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    local = None if position == 0 else -float(node.alpha)
    return spread(
        dy, local, _operand_shape(node, dy, position), row, column,
        "What is taken away gets the gradient with its sign turned.", "da = dy, db = −dy",
    )  # fmt: skip


def mul(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    local = node.b if position == 0 else node.a
    shape = tuple(node.a_shape if position == 0 else node.b_shape)
    said = "A product hands on the gradient times the other factor."
    return spread(dy, local, shape, row, column, said, "da = dy · b" if position == 0 else "db = dy · a")


def div(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:
    b = np.asarray(node.b, np.float64)
    if position == 0:
        return spread(dy, 1 / b, tuple(node.a_shape), row, column, "Dividing is multiplying by 1 / b.", "da = dy / b")
    slope = -np.asarray(node.a, np.float64) / (b * b)
    return spread(
        dy, slope, tuple(node.b_shape), row, column, "The denominator counts negatively.", "db = −dy · a / b²"
    )


# ---- activations: the local derivative, number by number


def elementwise(
    said: str, formula: str, slope: Callable[[Any], Array], kept: Callable[[Any], tuple[str, Array]]
) -> Rule:
    def rule(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled:  # noqa: ARG001
        d, s = matrix(dy), matrix(np.broadcast_to(slope(node), dy.shape))
        title, array = kept(node)
        a = matrix(array)
        return Spelled(
            said,
            formula,
            float(d[row, column]) * float(s[row, column]),
            lines=[
                (title, float(a[row, column])),
                ("incoming gradient dy", float(d[row, column])),
                ("local derivative there", float(s[row, column])),
            ],
            shown={
                "dy": ("incoming gradient dy", d, row, column),
                "local": ("local derivative", s.astype(np.float32), row, column),
                "kept": (title, a, row, column),
            },
        )

    return rule


def gelu_slope(node: Any) -> Array:
    x = np.asarray(node.x, np.float64)
    if node.approximate == "tanh":
        c = math.sqrt(2 / math.pi)
        t = np.tanh(c * (x + 0.044715 * x**3))
        return np.asarray(0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))
    phi = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return np.asarray(0.5 * (1 + _erf(x / math.sqrt(2))) + x * phi)


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Any) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x, np.float64))))


def silu_slope(node: Any) -> Array:
    x = np.asarray(node.x, np.float64)
    s = _sigmoid(x)
    return np.asarray(s * (1 + x * (1 - s)))


def power(node: Any, dy: Any, position: int, row: int, column: int) -> Spelled | None:
    if position != 0 or node.by_tensor or not isinstance(node.n, (int, float)):
        return None
    n = float(node.n)
    rule = elementwise(
        f"The power rule: {n:g} comes down, and the exponent is one less.",
        f"dx = dy · {n:g} · x^{n - 1:g}",
        lambda node: n * np.asarray(node.a, np.float64) ** (n - 1),
        lambda node: ("x", node.a),
    )
    return rule(node, dy, position, row, column)
