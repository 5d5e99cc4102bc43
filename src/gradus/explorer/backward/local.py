"""The local derivatives of the operations of `Value`, in words: as a formula of the operands' names, and why it is so.
And a computation run again with one number changed, which is how a derivative is checked."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gradus.graph.expression import FUNCTIONS
from gradus.graph.model import Computation
from gradus.scalar import Value


class Local(NamedTuple):
    """d(result)/d(operand): the formula, and the rule in one sentence."""

    formula: str
    rule: str


# {y} is the result, {a} and {b} the operands; one entry for each operand.
RULES: Mapping[str, Sequence[Local]] = {
    "+": [Local("1", "A sum grows by as much as either operand: + hands the gradient on as it is.")] * 2,
    "−": [
        Local("1", "A difference grows as much as what it begins with: the gradient is handed on as it is."),
        Local("−1", "A difference falls by as much as what is taken away grows: the sign turns."),
    ],
    "×": [
        Local("{b}", "A product changes by the other factor for each 1 that this one changes."),
        Local("{a}", "A product changes by the other factor for each 1 that this one changes."),
    ],
    "÷": [
        Local("1 / {b}", "Dividing is multiplying by one over the denominator."),
        Local("−{a} / {b}²", "The larger the denominator, the smaller the fraction: minus, and by its square."),
    ],
    "**": [
        Local("{b} · {a}^({b} − 1)", "The power rule: the exponent comes down and is one less."),
        Local("{y} · ln {a}", "An exponential grows in proportion to itself, times the logarithm of its base."),
    ],
    "neg": [Local("−1", "The sign turns.")],
    "exp": [Local("{y}", "exp is its own derivative: its result is its slope.")],
    "log": [Local("1 / {a}", "The logarithm is steep near 0 and flat far from it.")],
    "sin": [Local("cos {a}", "The slope of the sine is the cosine.")],
    "cos": [Local("−sin {a}", "The slope of the cosine is minus the sine.")],
    "tanh": [Local("1 − {y}²", "tanh is steepest at 0, with slope 1, and flat near ±1.")],
    "sigmoid": [
        Local("{y} · (1 − {y})", "The sigmoid is steepest in the middle, with slope ¼, and flat near 0 and 1.")
    ],
    "relu": [Local("1 if {a} > 0, else 0", "relu lets the gradient through where it let the number through.")],
    "abs": [Local("the sign of {a}", "Right of 0 it rises one for one, left of 0 it falls.")],
    "max": [
        Local("1 if {a} is the larger, else 0", "Only the larger of the two counts (half each if they are equal)."),
        Local("1 if {b} is the larger, else 0", "Only the larger of the two counts (half each if they are equal)."),
    ],
}


def local_derivative(op: str, position: int, result: str, operands: Sequence[str]) -> Local:
    """The derivative of an operation with respect to one of its operands, written with these names.

    >>> local_derivative("×", 0, "c", ["a", "b"]).formula
    'b'
    """
    exponent = op.removeprefix("**")
    if op.startswith("**") and exponent:
        n = float(exponent)
        less = f"{n - 1:g}".replace("-", "−")
        power = "" if n == 2 else f"^({less})" if n < 1 else f"^{less}"
        return Local(f"{f'{n:g}'.replace('-', '−')} · {operands[0]}{power}", RULES["**"][0].rule)
    formula, rule = RULES[op][position]
    b = operands[1] if len(operands) > 1 else ""
    return Local(formula.format(y=result, a=operands[0], b=b), rule)


def made_by(op: str, name: str, operands: Sequence[str]) -> str:
    """A node as a formula: `d = a × b`, `o = tanh(n)`; its name, for a leaf."""
    if not op:
        return name
    if op.startswith("**") and len(op) > 2:
        return f"{name} = {operands[0]}{op}"
    if op[0].isalpha():
        return f"{name} = −{operands[0]}" if op == "neg" else f"{name} = {op}({', '.join(operands)})"
    return f"{name} = {f' {op} '.join(operands)}"


_BINARY: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": operator.add, "−": operator.sub, "×": operator.mul, "÷": operator.truediv, "**": operator.pow,
    "max": Value.max,
}  # fmt: skip


def nudged(graph: Computation, leaf: int, data: float) -> list[float]:
    """All numbers of a computation of Values if one leaf had another value; NaN from where it cannot be computed."""
    values: list[Value] = []
    for i, node in enumerate(graph.nodes):
        operands = [values[operand] for operand in node.operands]
        try:
            values.append(_computed(node.op, operands) if operands else Value(data if i == leaf else node.data or 0.0))
        except (ArithmeticError, ValueError):
            values.append(Value(math.nan))
    return [value.data for value in values]


def _computed(op: str, operands: Sequence[Value]) -> Value:
    if op in _BINARY:
        return _BINARY[op](*operands)
    if op == "neg":
        return -operands[0]
    return operands[0] ** float(op[2:]) if op.startswith("**") else FUNCTIONS[op](operands[0])
