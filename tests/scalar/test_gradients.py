"""Every operation against PyTorch in float64, alone and in random expressions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.scalar import Value, compile

torch = pytest.importorskip("torch")

UNARY: dict[str, tuple[Callable[[Value], Value], Callable[[Any], Any]]] = {
    "neg": (lambda x: -x, lambda x: -x),
    "exp": (lambda x: x.exp(), lambda x: x.exp()),
    "sin": (lambda x: x.sin(), lambda x: x.sin()),
    "cos": (lambda x: x.cos(), lambda x: x.cos()),
    "tanh": (lambda x: x.tanh(), lambda x: x.tanh()),
    "sigmoid": (lambda x: x.sigmoid(), lambda x: x.sigmoid()),
    "relu": (lambda x: x.relu(), lambda x: x.relu()),
    "abs": (lambda x: x.abs(), lambda x: x.abs()),
    "square": (lambda x: x**2, lambda x: x**2),
    "cube": (lambda x: x**3, lambda x: x**3),
    "log": (lambda x: (x * x + 1).log(), lambda x: (x * x + 1).log()),
    "root": (lambda x: (x * x + 1) ** -0.5, lambda x: (x * x + 1) ** -0.5),
    "number_to_a_power": (lambda x: 1.5**x, lambda x: 1.5**x),
}
BINARY: dict[str, tuple[Callable[[Value, Value], Value], Callable[[Any, Any], Any]]] = {
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "sub": (lambda x, y: x - y, lambda x, y: x - y),
    "mul": (lambda x, y: x * y, lambda x, y: x * y),
    "div": (lambda x, y: x / (y * y + 1), lambda x, y: x / (y * y + 1)),
    "pow": (lambda x, y: (x * x + 1) ** y, lambda x, y: (x * x + 1) ** y),
    "max": (lambda x, y: x.max(y), torch.maximum),
}
POINTS = [-3.0, -1.0, -0.3, 0.0, 1e-3, 0.7, 1.0, 2.5]


def leaf(x: float) -> Any:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name: str) -> None:
    ours, theirs = UNARY[name]
    for point in POINTS:
        x, t = Value(point), leaf(point)
        y, u = ours(x), theirs(t)
        y.backward()
        u.backward()
        assert [y.data, x.grad] == pytest.approx([u.item(), t.grad.item()], rel=1e-12, abs=0)


@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name: str) -> None:
    ours, theirs = BINARY[name]
    for first in POINTS:
        for second in POINTS:
            x, y, s, t = Value(first), Value(second), leaf(first), leaf(second)
            z, u = ours(x, y), theirs(s, t)
            z.backward()
            u.backward()
            expected = [u.item(), s.grad.item(), t.grad.item()]
            assert [z.data, x.grad, y.grad] == pytest.approx(expected, rel=1e-12, abs=0)


def test_a_logarithm_and_a_power_near_the_edge_of_their_domains() -> None:
    for point in (1e-300, 1e-3, 0.999, 1e300):
        x, t = Value(point), leaf(point)
        (x.log() + x**0.5 + x ** Value(0.25)).backward()
        (t.log() + t**0.5 + t**0.25).backward()
        assert x.grad == pytest.approx(t.grad.item(), rel=1e-12, abs=0)


Step = tuple[str, int, int]
NAMES = [*UNARY, *BINARY]
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=25)
LEAVES = st.lists(st.floats(-2, 2), min_size=3, max_size=3)


def expression(steps: list[Step], leaves: list[Any], side: int) -> Any:
    """Apply the steps, each to what there is so far; a result that has grown large is tamed: nothing overflows."""
    nodes = list(leaves)
    for name, i, j in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        node: Any = BINARY[name][side](a, b) if name in BINARY else UNARY[name][side](a)
        nodes.append(node.tanh() if abs(node.data if side == 0 else node.item()) > 4 else node)
    return sum(nodes[1:], nodes[0])


@given(STEPS, LEAVES)
@settings(max_examples=150, deadline=None)
def test_random_expressions_have_pytorchs_gradients(steps: list[Step], points: list[float]) -> None:
    """To 1e-12 of the gradient, or of the largest of the contributions, which may cancel but whose rounding stays."""
    values, tensors = [Value(p) for p in points], [leaf(p) for p in points]
    root, expected = expression(steps, values, 0), expression(steps, tensors, 1)
    root.backward()
    expected.backward()
    scale = largest_contribution(root)
    assert root.data == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
    for value, tensor in zip(values, tensors, strict=True):
        assert value.grad == pytest.approx(tensor.grad.item(), rel=1e-12, abs=1e-12 * scale)


def largest_contribution(root: Value) -> float:
    """What the largest gradient would be if nothing cancelled: rounding is relative to this."""
    sizes = {root: 1.0}
    for node in reversed(root.topological()):
        for operand, local in zip(node._prev, node._local, strict=True):
            sizes[operand] = sizes.get(operand, 0.0) + abs(local) * sizes[node]
    return max(sizes.values())


@given(STEPS, LEAVES, LEAVES)
@settings(max_examples=60, deadline=None)
def test_a_compiled_expression_is_the_expression(steps: list[Step], traced: list[float], points: list[float]) -> None:
    def fn(*leaves: Value) -> Value:
        nodes = list(leaves)
        for name, i, j in steps:
            a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
            node = BINARY[name][0](a, b) if name in BINARY else UNARY[name][0](a)
            nodes.append(node.tanh())
        return sum(nodes[1:], nodes[0])

    compiled = compile(fn)
    compiled(*traced)
    leaves = [Value(p) for p in points]
    root = fn(*leaves)
    root.backward()
    value, gradients = compiled.gradients(*points)
    scale = largest_contribution(root)
    assert value == pytest.approx(root.data, rel=1e-12, abs=1e-12)
    assert gradients == pytest.approx([v.grad for v in leaves], rel=1e-12, abs=1e-12 * scale)
    assert math.isfinite(value)
