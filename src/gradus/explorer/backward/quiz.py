"""The quiz of the backward walk: what gradient comes next? An answer is judged, and a wrong one is told what was
forgotten, where that shows in the number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from gradus.errors import UserError
from gradus.explorer.backward.numbers import called, read
from gradus.graph import Step
from gradus.graph.expression import parse_expression
from gradus.graph.model import Computation
from gradus.graph.words import number

TOLERANCE = 0.01  # relative


def backward_answer(expression: str, step: int, answer: str) -> dict[str, Any]:
    """Judge an answer to the question: which gradient does the receiving node have after this step?

    Args:
        expression: as `backward_numbers` takes it.
        step: the number of the step, from 0.
        answer: a number, or arithmetic that gives one, such as "1 - 0.7**2".

    Returns:
        `right`; `given`, the number that was understood; `expected`; `said`, which says what was wrong.

    Raises:
        UserError: if there is no such step, or the answer is no number.
    """
    picture, taken = read(expression)
    if not 0 <= step < len(taken):
        raise UserError(f"step must be between 0 and {len(taken) - 1}, got {step}")
    asked = taken.steps[step]
    given = parse_answer(answer)
    names = called(picture)
    said = judge(picture, asked, names, given)
    return {"right": not said, "given": given, "expected": asked.after, "said": said or _praise(asked)}


def parse_answer(answer: str) -> float:
    """The number of an answer; UserError if it is none."""
    text = answer.strip().replace("−", "-").replace(",", ".").replace("·", "*").replace("×", "*")
    if not text or len(text) > 200:
        raise UserError("type a number, or arithmetic that gives one, such as 2*-3")
    try:
        return float(text)
    except ValueError:
        pass
    return parse_expression(text).data


def near(given: float, wanted: float) -> bool:
    """Whether a number is within 1 % of another one; of zero, nearer than what is shown."""
    if math.isnan(wanted):
        return math.isnan(given)
    if math.isinf(wanted):
        return given == wanted
    return abs(given - wanted) <= (TOLERANCE * abs(wanted) if wanted else 5e-5)


def judge(picture: Computation, step: Step, names: list[str], given: float) -> str:
    """What is wrong with an answer, in words; nothing if it is right."""
    if near(given, step.after):
        return ""
    for wrong, said in _mistakes(picture, step, names):
        if near(given, wrong):
            return said
    if step.after and near(given, -step.after):
        return "The size is right and the sign is wrong."
    if step.node < 0:
        return "This is where the walk begins: how much does the result change for each 1 that it changes itself?"
    if step.accumulates and step.contribution and (given - step.before) * step.contribution < 0:
        return "The sign of what is added is wrong."
    return (
        f"Not yet. What comes in at {names[step.node]} is {number(step.incoming)}; multiply it by how much "
        f"{names[step.node]} changes for each 1 that {names[step.operand]} changes"
        + (", and add what is there already." if step.accumulates else ".")
    )


def _mistakes(picture: Computation, step: Step, names: list[str]) -> Iterator[tuple[float, str]]:
    """The numbers that the classic mistakes give, the likeliest first."""
    if step.node < 0:
        yield (
            0.0,
            "0 is what every gradient is before the walk. The result's own is 1: it changes one for one with itself.",
        )
        yield picture.nodes[step.operand].data or 0.0, "This is the result's value; its gradient is how it changes."
        return
    node, giver, taker = picture.nodes[step.node], names[step.node], names[step.operand]
    before = step.before
    if step.accumulates:
        yield (
            step.contribution,
            f"Overwritten instead of accumulated: this is only what arrives now. {taker} had {number(before)} from "
            "another path, and gradients that meet are added.",
        )
        yield before, f"This is what {taker} had before; what arrives now is added to it."
    local = f"You forgot the incoming gradient: {number(step.local)} is the local derivative alone, and {giver} itself "
    local += f"counts {number(step.incoming)} times for the result. Multiply the two."
    yield before + step.local, local
    yield step.local, local
    passed = f"You forgot the local derivative: {number(step.incoming)} is what came in at {giver}. Multiply it by how "
    passed += f"much {giver} changes with {taker}."
    yield before + step.incoming, passed
    yield step.incoming, passed
    for position, other in enumerate(node.local):
        if position != step.position:
            wrong = f"The gradient of the wrong input: this is what {names[node.operands[position]]} gets."
            yield before + step.incoming * other, wrong
            yield step.incoming * other, wrong
    for which in (step.operand, step.node):
        value = picture.nodes[which].data or 0.0
        said = f"You used the value of {names[which]} instead of the derivative: it says how large {names[which]} is, "
        said += "not how the result changes."
        for candidate in (value, step.incoming * value, before + step.incoming * value):
            yield candidate, said
    yield before + step.incoming + step.local, "You added incoming gradient and local derivative; they are multiplied."
    if step.local:
        yield before + step.incoming / step.local, "You divided by the local derivative; it is multiplied."


def _praise(step: Step) -> str:
    if step.node < 0:
        return "Right: the walk begins with 1."
    product = f"{number(step.incoming)} × {number(step.local)} = {number(step.contribution)}"
    if step.accumulates:
        return f"Right: {number(step.before)} was there, {product} arrives, together {number(step.after)}."
    return f"Right: {product}."
