"""The backward walk over numbers: an expression typed by hand, its graph with a place for everything, and the walk one
application of the chain rule at a time, each step with its formula and with the numbers put in."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, NamedTuple

from gradus.errors import UserError
from gradus.explorer.backward.local import local_derivative, made_by, nudged
from gradus.graph import Step, Walk, graph, walk
from gradus.graph.expression import parse_expression
from gradus.graph.layout import Layout
from gradus.graph.model import Direction
from gradus.graph.picture import Graph
from gradus.graph.scene import MARGIN, SIGN_HEIGHT, arrange, branch_path
from gradus.scalar import Value

MOST_NODES = 150  # more cannot be taken in as boxes with numbers
MOST_CHARACTERS = 4000
NUDGE = 1e-6  # for finite differences


class Example(NamedTuple):
    """An expression to begin with, and what it shows."""

    title: str
    expression: str
    shows: str


EXAMPLES = (
    Example(
        "a product and a sum",
        "a=2; b=-3; c=10; d=a*b; e=d+c",
        "+ hands its gradient on as it is; × multiplies it by the other factor.",
    ),
    Example(
        "a neuron",
        "x1=2; x2=0; w1=-3; w2=1; b=6.8813735870195432; n=x1*w1+x2*w2+b; o=tanh(n)",
        "tanh lets less through the further its result is from 0; each weight gets what came in times its input.",
    ),
    Example(
        "a value used twice",
        "a=3; b=a+a; c=b*a",
        "a has three paths to the result: its gradient is the sum of what arrives over each.",
    ),
    Example(
        "softmax and cross-entropy",
        "x1=1; x2=2; x3=0.5; e1=exp(x1); e2=exp(x2); e3=exp(x3); s=e1+e2+e3; p2=e2/s; loss=-log(p2)",
        "With x2 as the target: x1 and x3 get their probability as gradient, x2 its probability minus 1.",
    ),
    Example(
        "a squared error",
        "x=1.5; w=0.8; b=0.1; y=2; error=w*x+b-y; loss=error**2",
        "The slope of a square is twice the error: far from the target the pull is strong.",
    ),
    Example(
        "a dead relu",
        "x=2; w=-1; b=0.5; n=w*x+b; h=relu(n); o=h*3",
        "Below 0 relu hands nothing on: what feeds it cannot learn from this example.",
    ),
)


def backward_numbers(expression: str, direction: Direction = "right") -> dict[str, Any]:
    """The graph of an expression, laid out, and its backward walk.

    Args:
        expression: in the language of `gradus draw`, such as "a=2; b=-3; c=a*b+a".
        direction: in which the computation runs over the picture, "right" or "down".

    Returns:
        `nodes`: label, operation, data, grad, operands, made (the node as a formula), x, y of the box's left and
        middle, and its sizes; `edges`: source, target, position of the operand, SVG path; `steps`: as
        `gradus.graph.Step`, with formula, numbers, rule, arrival (which of the operand's `arrivals` this is);
        `leaves`: name, data, grad, and the slope that two slightly different values give; width, height, result.

    Raises:
        UserError: if the expression is not understood, or too large to be drawn.
    """
    picture, taken = read(expression)
    names = called(picture)
    placed = arrange(picture, "full", direction, stepping=True)
    result = picture.outputs[0]
    return {
        "expression": expression,
        "direction": direction,
        "width": placed.width + 2 * MARGIN,
        "height": placed.height + 2 * MARGIN,
        "result": result,
        "nodes": _nodes(picture, names, placed, taken),
        "edges": _edges(placed),
        "steps": _steps(picture, names, taken),
        "leaves": _leaves(expression, picture, names, taken),
        "examples": [example._asdict() for example in EXAMPLES],
    }


def read(expression: str) -> tuple[Graph, Walk]:
    """The graph of an expression and its walk; UserError if it is not understood, or too large."""
    if len(expression) > MOST_CHARACTERS:
        raise UserError(f"an expression has at most {MOST_CHARACTERS:,} characters here, got {len(expression):,}")
    value: Value = parse_expression(expression)
    value.backward()
    picture = graph(value)
    if len(picture) > MOST_NODES:
        raise UserError(f"this expression has {len(picture):,} nodes; at most {MOST_NODES} can be shown")
    return picture, walk(picture)


def called(picture: Graph) -> list[str]:
    """Something to call each node by: its label, the number that a constant is, or what it was made by, if that is
    short; v1, v2 ... for what is left."""
    names: list[str] = []
    for node in picture.nodes:
        if node.label or not node.op:
            names.append(node.label or shown(node.data or 0.0))
            continue
        made = made_by(node.op, "", [names[operand] for operand in node.operands]).removeprefix(" = ")
        names.append(f"({made})" if len(made) <= 12 else f"v{len(names)}")
    return names


def _nodes(picture: Graph, names: list[str], placed: Layout, taken: Walk) -> list[dict[str, Any]]:
    grads = taken.gradients(len(taken) - 1)
    return [
        {
            "name": name,
            "label": node.label,
            "op": node.op,
            "data": node.data,
            "grad": grads.get(i, 0.0),
            "operands": list(node.operands),
            "made": made_by(node.op, name, [names[operand] for operand in node.operands]),
            **_place(placed, i),
        }
        for i, (node, name) in enumerate(zip(picture.nodes, names, strict=True))
    ]


def _place(placed: Layout, which: int) -> dict[str, Any]:
    """Where the sign of the operation and the box with the numbers go: left, middle, and sizes."""
    size = placed.sizes[which]
    if placed.down:
        centre, top, _ = placed.nodes[which]
        sign_x, sign_y = centre - size.sign / 2, top + SIGN_HEIGHT / 2
        below = top + (SIGN_HEIGHT + size.gap if size.sign else 0.0)
        x, y = centre - size.box / 2, below + size.height / 2
    else:
        sign_x, y, _ = placed.nodes[which]
        sign_y, x = y, sign_x + size.sign + size.gap
    spot = {"x": x, "y": y, "sign_x": sign_x, "sign_y": sign_y}
    sizes = {"width": size.box, "height": size.height, "sign_width": size.sign, "sign_height": SIGN_HEIGHT}
    return {name: value + MARGIN for name, value in spot.items()} | sizes


def _edges(placed: Layout) -> list[dict[str, Any]]:
    """A path for each operand of each node."""
    edges = []
    for wire in placed.wires:
        nth: dict[int, int] = {}
        for branch in wire.branches:
            target = branch.end[1]
            nth[target] = nth.get(target, -1) + 1
            path = branch_path(branch, down=placed.down)
            edges.append({"source": wire.source, "target": target, "nth": nth[target], "path": path})
    return edges


def _steps(picture: Graph, names: list[str], taken: Walk) -> list[dict[str, Any]]:
    arrivals: dict[int, int] = {}
    for step in taken:
        arrivals[step.operand] = arrivals.get(step.operand, 0) + 1
    seen: dict[int, int] = {}
    steps = []
    for step in taken:
        seen[step.operand] = seen.get(step.operand, 0) + 1
        steps.append(
            {
                **asdict(step),
                **_said(picture, names, step),
                "nth": nth_use(picture, step),
                "arrival": seen[step.operand],
                "arrivals": arrivals[step.operand],
            }
        )
    return steps


def nth_use(picture: Graph, step: Step) -> int:
    """Which of the lines between the two nodes of a step it goes along."""
    return 0 if step.node < 0 else picture.nodes[step.node].operands[: step.position].count(step.operand)


def _said(picture: Graph, names: list[str], step: Step) -> dict[str, str]:
    if step.node < 0:
        return {"formula": "", "numbers": "", "rule": "The result changes one for one with itself: its gradient is 1."}
    node = picture.nodes[step.node]
    datas = [_number(picture, operand) for operand in node.operands]
    said = local_derivative(node.op, step.position, names[step.node], [names[operand] for operand in node.operands])
    put_in = local_derivative(node.op, step.position, shown(_number(picture, step.node)), [*map(shown, datas)])
    return {"formula": unbracketed(said.formula), "numbers": unbracketed(put_in.formula), "rule": said.rule}


def _leaves(expression: str, picture: Graph, names: list[str], taken: Walk) -> list[dict[str, Any]]:
    """Each named leaf: its gradient, and the slope that two runs of the computation give."""
    grads, result = taken.gradients(len(taken) - 1), picture.outputs[0]
    leaves: list[dict[str, Any]] = []
    for i, node in enumerate(picture.nodes):
        if node.operands or not node.label:
            continue
        value = _number(picture, i)
        by = NUDGE * max(1.0, abs(value))
        up, down = (nudged(picture, i, value + sign * by)[result] for sign in (1, -1))
        slope = (up - down) / (2 * by) if math.isfinite(up - down) else math.nan
        leaves.append({"node": i, "name": names[i], "data": value, "grad": grads.get(i, 0.0), "slope": slope})
    return sorted(leaves, key=lambda leaf: expression.find(str(leaf["name"])))


def _number(picture: Graph, which: int) -> float:
    data = picture.nodes[which].data
    assert data is not None
    return data


def shown(value: float) -> str:
    """A number short enough for a formula, in brackets if it is negative."""
    text = f"{value:.4g}".replace("-", "−")
    return f"({text})" if text.startswith("−") else text


def unbracketed(formula: str) -> str:
    """Without brackets around the whole."""
    inside = formula[1:-1]
    return inside if formula.startswith("(") and formula.endswith(")") and "(" not in inside else formula
