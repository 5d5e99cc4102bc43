"""The backward walk over numbers: each step's numbers, formulas and places, and the quiz."""

from __future__ import annotations

import math
import re

import pytest
import torch

from gradus.errors import UserError
from gradus.explorer.backward.local import RULES, local_derivative, nudged
from gradus.explorer.backward.numbers import EXAMPLES, backward_numbers, read
from gradus.explorer.backward.quiz import backward_answer
from gradus.graph.expression import parse_expression

HARD = [
    *(example.expression for example in EXAMPLES),
    "x=0.7; y=x*x*x - 2*x/(1+x**2); z=y**2 + sin(x)*cos(y)",
    "a=2; b=3; c=a**b; d=log(c) + sqrt(b); e=-d*exp(-a)",
    "a=1.5; b=-0.5; c=max(a, b, 0.2); d=abs(b)+sigmoid(c)*relu(a-b); e=d/c",
]


@pytest.mark.parametrize("expression", HARD)
def test_each_step_is_the_chain_rule_and_what_arrives_adds_up(expression: str) -> None:
    found = backward_numbers(expression)
    arrived: dict[int, float] = {}
    for step in found["steps"]:
        assert step["contribution"] == step["incoming"] * step["local"]
        assert step["before"] == arrived.get(step["operand"], 0.0)
        assert step["accumulates"] == (step["operand"] in arrived) == (step["arrival"] > 1)
        if step["node"] >= 0:
            assert step["incoming"] == arrived[step["node"]]  # complete: everything that uses the node has run
        arrived[step["operand"]] = arrived.get(step["operand"], 0.0) + step["contribution"]
        assert step["after"] == arrived[step["operand"]]
    assert {i: node["grad"] for i, node in enumerate(found["nodes"]) if i in arrived} == arrived
    for i in arrived:
        assert found["steps"][-1]["arrivals"] >= 1
        assert sum(step["operand"] == i for step in found["steps"]) == next(
            step["arrivals"] for step in found["steps"] if step["operand"] == i
        )


@pytest.mark.parametrize("expression", HARD)
def test_gradients_are_the_slopes_of_the_result(expression: str) -> None:
    found = backward_numbers(expression)
    assert found["leaves"]
    for leaf in found["leaves"]:
        assert leaf["grad"] == pytest.approx(leaf["slope"], rel=1e-6, abs=1e-8), leaf["name"]


@pytest.mark.parametrize("expression", HARD)
def test_local_derivatives_are_the_slopes_of_each_operation(expression: str) -> None:
    """Of a node alone: its operand is nudged with all else as it is."""
    picture, taken = read(expression)
    datas = [node.data for node in picture.nodes]
    for step in taken:
        node = picture.nodes[step.node] if step.node >= 0 else None
        if node is None or len(set(node.operands)) < len(node.operands):
            continue
        text = "; ".join(f"x{i}={datas[i]!r}" for i in node.operands)
        names = [f"x{i}" for i in node.operands]
        op = {"×": "*", "÷": "/", "−": "-"}.get(node.op, node.op)
        if op == "neg":
            text += f"; y=-{names[0]}"
        elif op.startswith("**") and len(op) > 2:
            text += f"; y={names[0]}**({op[2:]})"
        elif op[0].isalpha():
            text += f"; y={op}({', '.join(names)})"
        else:
            text += f"; y={op.join(names)}"
        alone = backward_numbers(text)
        slope = next(leaf["slope"] for leaf in alone["leaves"] if leaf["name"] == names[step.position])
        assert step.local == pytest.approx(slope, rel=1e-6, abs=1e-7), node.op


def test_a_neuron_has_the_gradients_that_pytorch_gives() -> None:
    found = {node["name"]: node["grad"] for node in backward_numbers(EXAMPLES[1].expression)["nodes"]}
    x1, x2, w1, w2, b = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2, 0, -3, 1, 6.8813735870195432)
    )
    torch.tanh(x1 * w1 + x2 * w2 + b).backward()
    for name, leaf in {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b}.items():
        assert leaf.grad is not None
        assert found[name] == pytest.approx(leaf.grad.item(), rel=1e-12)


def test_softmax_with_cross_entropy_is_p_minus_one_hot() -> None:
    found = {node["name"]: node["grad"] for node in backward_numbers(EXAMPLES[3].expression)["nodes"]}
    x = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    expected = torch.softmax(x, 0) - torch.tensor([0.0, 1.0, 0.0])
    assert [found["x1"], found["x2"], found["x3"]] == pytest.approx(expected.tolist(), rel=1e-12)


def arithmetic(formula: str) -> float | None:
    """What a formula with numbers in it comes to; None for one in words."""
    if "if" in formula or "sign" in formula:
        return None
    text = formula.replace("−", "-").replace("·", "*").replace("²", "**2").replace("^", "**")
    text = re.sub(r"\b(ln|cos|sin) \(?(-?[\d.e-]+)\)?", lambda m: f"{m[1]}({m[2]})", text).replace("ln", "log")
    return parse_expression(text).data


@pytest.mark.parametrize("expression", HARD)
def test_the_formula_with_its_numbers_comes_to_the_local_derivative(expression: str) -> None:
    seen = 0
    for step in backward_numbers(expression)["steps"]:
        value = arithmetic(step["numbers"]) if step["numbers"] else None
        if value is not None:
            seen += 1
            assert value == pytest.approx(step["local"], rel=2e-3, abs=2e-3), step["numbers"]
    assert seen


def test_every_operation_has_a_rule_for_each_operand() -> None:
    assert {op: len(rules) for op, rules in RULES.items()} == {
        **dict.fromkeys(["+", "−", "×", "÷", "**", "max"], 2),
        **dict.fromkeys(["neg", "exp", "log", "sin", "cos", "tanh", "sigmoid", "relu", "abs"], 1),
    }
    assert local_derivative("**3", 0, "y", ["x"]).formula == "3 · x^2"
    assert local_derivative("**0.5", 0, "y", ["x"]).formula == "0.5 · x^(−0.5)"


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("expression", HARD)
def test_boxes_lie_in_the_picture_and_do_not_overlap_and_every_edge_is_drawn(expression: str, direction: str) -> None:
    found = backward_numbers(expression, direction)  # type: ignore[arg-type]
    boxes = []
    for node in found["nodes"]:
        box = (node["x"], node["y"] - node["height"] / 2, node["x"] + node["width"], node["y"] + node["height"] / 2)
        assert box[0] >= 0
        assert box[2] <= found["width"]
        assert box[1] >= 0
        assert box[3] <= found["height"]
        boxes.append(box)
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    drawn = sorted((edge["source"], edge["target"]) for edge in found["edges"])
    assert drawn == sorted((o, i) for i, node in enumerate(found["nodes"]) for o in node["operands"])
    edges = {(edge["source"], edge["target"], edge["nth"]) for edge in found["edges"]}
    assert all((s["operand"], s["node"], s["nth"]) in edges for s in found["steps"] if s["node"] >= 0)


def test_a_nudge_of_a_leaf_is_the_computation_run_again() -> None:
    picture, _ = read("a=2; b=a*a; c=b+a")
    assert nudged(picture, 0, 3.0) == [3.0, 9.0, 12.0]
    logarithm, _ = read("a=2; b=log(a)")
    assert math.isnan(nudged(logarithm, 0, -1.0)[1])


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("a=1; b=a ^ 2", "a power is written"),
        ("x + 1", "x has no value"),
        ("+".join(["1"] * 200), "at most 150"),
        ("a=1;" * 2000, "at most 4,000 characters"),
        ("", "empty"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(expression: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        backward_numbers(expression)
    assert "\n" not in str(error.value)


A_B_C = "a=2; b=-3; c=10; d=a*b; e=d+c"  # steps: e, d from e, c from e, a from d, b from d
TWICE = "a=3; b=a+a; c=b*a"  # steps: c, b, a from c, a from b, a from b


@pytest.mark.parametrize(
    ("expression", "step", "answer", "right", "said"),
    [
        (A_B_C, 0, "1", True, "the walk begins with 1"),
        (A_B_C, 0, "0", False, "before the walk"),
        (A_B_C, 0, "4", False, "result's value"),
        (A_B_C, 3, "-3", True, "1.0000 × −3.0000"),
        (A_B_C, 3, "-3.02", True, ""),
        (A_B_C, 3, "-3.05", False, "Not yet"),
        (A_B_C, 3, "1*-3", True, ""),
        (A_B_C, 3, "−3", True, ""),
        (A_B_C, 3, "3", False, "sign is wrong"),
        (A_B_C, 3, "2", False, "wrong input: this is what b gets"),
        (A_B_C, 3, "1", False, "forgot the local derivative"),
        (A_B_C, 3, "-6", False, "used the value of d"),
        ("a=2; b=5; d=a*b; e=d*3", 3, "5", False, "forgot the incoming gradient"),
        ("a=2; b=5; d=a*b; e=d*3", 3, "8", False, "they are multiplied"),
        ("a=2; b=5; d=a*b; e=d*3", 3, "0.6", False, "divided"),
        (TWICE, 2, "6", True, ""),
        (TWICE, 3, "9", True, "6.0000 was there"),
        (TWICE, 3, "3", False, "Overwritten instead of accumulated"),
        (TWICE, 3, "6", False, "what arrives now is added"),
    ],
)
def test_an_answer_is_judged_and_the_mistake_is_named(
    expression: str, step: int, answer: str, right: bool, said: str
) -> None:
    judged = backward_answer(expression, step, answer)
    assert judged["right"] == right, judged
    assert said in judged["said"], judged


@pytest.mark.parametrize("answer", ["", "  ", "soon", "1/0", "__import__('os')", "9" * 300])
def test_an_answer_that_is_no_number_is_told_so(answer: str) -> None:
    with pytest.raises(UserError):
        backward_answer(A_B_C, 1, answer)


def test_the_right_answer_is_never_called_a_mistake() -> None:
    for expression in HARD:
        for i, step in enumerate(backward_numbers(expression)["steps"]):
            assert backward_answer(expression, i, repr(step["after"]))["right"]
