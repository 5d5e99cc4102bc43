"""Value: the numbers of the lectures, micrograd's manners, errors, and what a second backward does."""

from __future__ import annotations

import gc
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradus.scalar import Value


def test_slope_of_the_parabola() -> None:
    def slope(x: float) -> tuple[float, float]:
        v = Value(x)
        f = 3 * v**2 - 4 * v + 5
        f.backward()
        return f.data, v.grad

    assert slope(3.0) == (20.0, 14.0)
    assert slope(2 / 3)[1] == pytest.approx(0.0, abs=1e-15)


def test_the_first_expression_and_one_step_along_its_gradient() -> None:
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    e = a * b
    d = e + c
    L = d * f
    L.backward()
    assert L.data == -8.0
    assert [v.grad for v in (a, b, c, e, d, f, L)] == [6.0, -4.0, -2.0, -2.0, -2.0, 4.0, 1.0]
    for leaf in (a, b, c, f):
        leaf.data += 0.01 * leaf.grad
    assert ((a * b + c) * f).data == pytest.approx(-7.286496, abs=5e-7)


def test_the_neuron() -> None:
    x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
    o = (x1 * w1 + x2 * w2 + Value(6.8813735870195432)).tanh()
    o.backward()
    assert o.data == pytest.approx(0.7071067811865476, rel=1e-15)
    assert [x1.grad, w1.grad, x2.grad, w2.grad] == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-14)


def test_tanh_spelled_out_in_exponentials_has_the_same_gradients() -> None:
    x1, w1 = Value(2.0), Value(-3.0)
    e = (2 * (x1 * w1 + 6.8813735870195432)).exp()
    o = (e - 1) / (e + 1)
    o.backward()
    assert [o.data, x1.grad, w1.grad] == pytest.approx([0.7071067811865476, -1.5, 1.0], rel=1e-14)


def test_the_expression_in_the_readme_of_micrograd() -> None:
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_a_walk_without_topological_order_gets_a_reused_node_wrong_and_ours_right() -> None:
    a = Value(1)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad == 4.0

    def walk(node: Value) -> None:  # passes on what has come so far, at every arrival
        for operand, local in zip(node._prev, node._local, strict=True):
            operand.grad += local * node.grad
            walk(operand)

    a.grad = b.grad = 0.0
    c.grad = 1.0
    walk(c)
    assert a.grad == 6.0


def test_backward_twice_accumulates_in_leaves_only() -> None:
    x, y = Value(3.0), Value(-2.0)
    between = x * y
    root = between * between + x
    root.backward()
    first = [x.grad, y.grad, between.grad]
    root.backward()
    assert [x.grad, y.grad, between.grad] == [2 * first[0], 2 * first[1], first[2]]


def test_backward_of_two_results_adds_up_as_the_backward_of_their_sum() -> None:
    x, y = Value(1.5), Value(x_ := -0.5)
    shared = (x * y).tanh()
    one, two = shared * x, shared.exp()
    one.backward()
    two.backward()
    separate = [x.grad, y.grad]
    p, q = Value(1.5), Value(x_)
    s = (p * q).tanh()
    (s * p + s.exp()).backward()
    assert separate == pytest.approx([p.grad, q.grad], rel=1e-15)


def test_backward_of_a_leaf_is_one() -> None:
    x = Value(5)
    x.backward()
    x.backward()
    assert x.grad == 2.0


BINARY: list[Callable[..., Any]] = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("op", BINARY)
def test_numbers_stand_on_either_side(op: Callable[..., Any]) -> None:
    for number in (3, 3.0, np.float64(3.0), np.int64(3)):
        assert op(Value(2.0), number).data == op(2.0, 3.0)
        assert op(number, Value(2.0)).data == op(3.0, 2.0)
        assert type(op(number, Value(2.0)).data) is float


def test_sum_and_the_builtin_abs_work() -> None:
    values = [Value(1.0), Value(-2.5), Value(4.0)]
    total = abs(sum(values, Value(0)) + sum(values))
    total.backward()
    assert (total.data, values[1].grad) == (5.0, 2.0)


def test_comparisons_compare_data_and_equality_is_identity() -> None:
    a, b = Value(1.0), Value(2.0)
    assert all((a < b, a <= 1, b > 1.5, b >= a, a > 0, max(a, b) is b))
    assert not any((b < a, a > b, a >= 2, b <= a))
    assert a != Value(1.0)
    assert len({a, b, a}) == 2


def test_what_a_node_says_of_itself() -> None:
    a = Value(2, "a")
    y = a * a + 1
    y.label = "y"
    y.backward()
    assert repr(a) == "Value(data=2.0, grad=4.0, label='a')"
    assert repr(Value(-4.0)) == "Value(data=-4.0, grad=0.0)"
    square = y._prev[0]
    assert (a._op, a._prev, a._local) == ("", (), ())
    assert (square._op, square._prev, square._local) == ("*", (a, a), (2.0, 2.0))
    names = [v._op for v in (y, -a, a**2, a**-0.5, a**a, 2**a, a / 2, a.relu(), a.max(0), a.sigmoid())]
    assert names == ["+", "neg", "**2", "**-0.5", "**", "**", "/", "relu", "max", "sigmoid"]


def test_topological_order_has_operands_first_and_each_node_once() -> None:
    a, b = Value(1.0), Value(2.0)
    c = a * b
    d = c + a
    e = d * c
    assert e.topological() == [a, b, c, d, e]


def at(x: float, label: str = "") -> Value:
    return Value(x, label)


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        (lambda: at(-1.0, "x").log(), ValueError, "math domain error: log of x = -1.0"),
        (lambda: at(0.0).log(), ValueError, "math domain error: log of leaf = 0.0"),
        (lambda: at(0.0, "x") ** -1, ValueError, "math domain error: ** of x = 0.0, leaf = -1.0"),
        (lambda: at(-8.0, "x") ** 0.5, ValueError, "math domain error: ** of x = -8.0, leaf = 0.5"),
        (lambda: (at(2.0) * -3) / at(0.0, "zero"), ZeroDivisionError, "division by zero: / of * = -6.0, zero = 0.0"),
        (lambda: at(710.0, "x").exp(), OverflowError, "math range error: exp of x = 710.0"),
        (lambda: at(1e-200, "x") ** -1.4, OverflowError, "math range error: slope of ** of x = 1e-200, leaf = -1.4"),
        (lambda: at(math.inf, "x").sin(), ValueError, "math domain error: sin of x = inf"),
    ],
)
def test_errors_are_those_of_math_and_name_the_node(
    expression: Callable[[], Value], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        expression()
    assert message in str(caught.value)


@pytest.mark.parametrize("data", ["3", None, [1.0], 1j])
def test_what_is_no_number_is_refused(data: object) -> None:
    with pytest.raises(TypeError):
        Value(data)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Value(1.0) * data  # type: ignore[operator]


def test_a_power_of_zero_and_of_a_negative_number() -> None:
    x = Value(0.0)
    y = x**0 + x**1 + x**2
    y.backward()
    assert (y.data, x.grad) == (1.0, 1.0)
    assert (Value(0.0) ** 0.5)._local == (math.inf,)
    cube = Value(-2.0) ** Value(3.0)
    assert (cube.data, cube._local[0]) == (-8.0, 12.0)
    assert math.isnan(cube._local[1])
    assert (Value(0.0) ** Value(2.0))._local == (0.0, 0.0)


def test_sigmoid_and_tanh_do_not_overflow() -> None:
    assert [Value(x).sigmoid().data for x in (-1000.0, 1000.0)] == [0.0, 1.0]
    assert [Value(x).tanh().data for x in (-1000.0, 1000.0)] == [-1.0, 1.0]


def test_a_chain_of_a_million_additions() -> None:
    x = Value(0.5)
    y = x
    for _ in range(1_000_000):
        y = y + x
    y.backward()
    assert (y.data, x.grad) == (500_000.5, 1_000_001.0)
    del y  # a million nodes, each the last holder of the next: freed without recursion
    assert x.grad == 1_000_001.0


def test_a_graph_is_free_of_cycles() -> None:
    """Nothing is left for the garbage collector once the last reference is gone, so memory comes back at once."""
    gc.collect()
    gc.disable()
    try:
        x = Value(1.0)
        y = ((x * 2 + x**2).tanh() / (x.exp() + 1)).log() - x.sigmoid() * x.relu()
        y.backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("data", ["3", None, [1.0], 1j, b"2", np.ones(2), np.array(["1"]), Value, {}])
def test_what_is_no_real_number_is_refused_in_plain_words(data: Any) -> None:
    with pytest.raises(TypeError, match=r"^a Value holds one real number, got "):
        Value(data)
    if not isinstance(data, (np.ndarray, list)):
        with pytest.raises(TypeError):
            Value(2.0) + data
