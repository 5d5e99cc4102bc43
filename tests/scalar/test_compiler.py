"""compile: the same value and gradients as the function itself, one input or many, and a program that says how."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from gradus.scalar import MLP, Value, compile


def parabola(x: Value) -> Value:
    return 3 * x**2 - 4 * x + 5


def everything(a: Value, b: Value) -> Value:
    """Every operation there is."""
    s = (a + b) * (a - b) / (b * b + 1)
    t = s.tanh() + s.sigmoid() - (-s).relu() + s.sin() * s.cos() + abs(s)
    u = (t * t + 1) ** b + (t.exp() + 1).log() ** 1.5 + a**0 + a**-2
    return u + t.max(a) + t.max(-0.25) + 2**a


def run(source: str, *arguments: float) -> tuple[float, list[float]]:
    """The printed program, run as the Python it is."""
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    name = source[source.index("def ") + 4 : source.index("(", source.index("def "))]
    value, gradients = namespace[name](*arguments)
    return float(value), gradients


def test_value_and_gradients() -> None:
    f = compile(parabola)
    assert f(3.0) == 20.0
    assert f.gradients(3.0) == (20.0, [14.0])


@pytest.mark.parametrize("point", [(0.5, -1.5), (-2.0, 0.75), (1.0, 1.0), (3.0, 2.0)])
def test_every_operation_as_function_as_program_and_as_text(point: tuple[float, float]) -> None:
    leaves = [Value(x) for x in point]
    root = everything(*leaves)
    root.backward()
    expected = pytest.approx([root.data, *(v.grad for v in leaves)], rel=1e-12)
    compiled = compile(everything)
    compiled(0.3, 0.4)  # the program comes from another input
    value, gradients = compiled.gradients(*point)
    assert [value, *gradients] == expected
    value, gradients = run(compiled.source(*point), *point)
    assert [value, *gradients] == expected


def test_the_text_of_a_program() -> None:
    def lecture(a: Value, b: Value, c: Value, f: Value) -> Value:
        e = a * b
        e.label = "e"
        d = e + c
        d.label = "d"
        L = d * f
        L.label = "the loss"
        return L

    compiled = compile(lecture)
    compiled(2.0, -3.0, 10.0, -2.0)
    assert str(compiled) == (
        "# 3 operations in the graph, 3 here\n"
        "def lecture(a, b, c, f):\n"
        "    # forward\n"
        "    e = a * b\n"
        "    d = e + c\n"
        "    the_loss = d * f  # the loss\n"
        "    # backward: d_x is d(the_loss)/dx\n"
        "    d_the_loss = 1.0\n"
        "    d_d = f * d_the_loss\n"
        "    d_f = d * d_the_loss\n"
        "    d_c = d_d\n"
        "    d_a = b * d_d\n"
        "    d_b = a * d_d\n"
        "    return the_loss, [d_a, d_b, d_c, d_f]"
    )
    assert run(compiled.source(0, 0, 0, 0), 2.0, -3.0, 10.0, -2.0) == (-8.0, [6.0, -4.0, -2.0, 4.0])


def test_an_expression_written_twice_is_computed_once() -> None:
    def f(x: Value, y: Value) -> Value:
        return (x * y).tanh() + (y * x).tanh() * 1 + 0 + (Value(2) * 3).log()

    program = compile(f).program(1.0, 2.0)
    assert [i.op for i in program.instructions()] == ["*", "tanh", "+", "+"]
    assert program.operations == 10
    assert compile(f).gradients(0.5, 0.25) == gradients_of(f, 0.5, 0.25)


def gradients_of(f: Any, *numbers: float) -> Any:
    leaves = [Value(x) for x in numbers]
    root = f(*leaves)
    root.backward()
    return pytest.approx(root.data, rel=1e-14), [pytest.approx(v.grad, rel=1e-14) for v in leaves]


def test_names_that_python_could_not_take_are_mended() -> None:
    def f(*values: Value) -> Value:
        for value, label in zip(values, ("lambda", "exp", "a b", "a-b", "d_a_b", "3"), strict=True):
            value.label = label
        y = sum(values[1:], values[0].exp())
        y.label = "7·y"
        return y * y

    point = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    value, gradients = run(compile(f).source(*point), *point)
    assert (value, gradients) == gradients_of(f, *point)


def test_nested_arguments_and_gradients_in_their_form() -> None:
    def f(rows: list[list[Value]], scale: Value) -> Value:
        return sum((x * (i + 1) for i, row in enumerate(rows) for x in row), Value(0)) * scale

    value, gradients = compile(f).gradients([[1.0, 2.0], (3.0,), []], 10)
    assert (value, gradients) == (90.0, [[[10.0, 10.0], [20.0], []], 9.0])
    assert compile(f)(np.ones((2, 3)), 1.0) == 9.0
    assert "rows_0_1" in compile(f).source([[1.0, 2.0]], 10)


def test_each_form_of_arguments_has_its_program() -> None:
    f = compile(lambda xs: sum(x * x for x in xs))
    assert [f([1, 2]), f([1, 2, 3]), f([3, 4])] == [5.0, 14.0, 25.0]
    assert str(f).count("def function") == 2


def test_backward_adds_to_parameters_and_to_values_among_the_arguments() -> None:
    w = Value(3.0, "w")
    f = compile(lambda x, y: w * x * y, [w])
    x = Value(2.0)
    assert f.backward(x, 5.0) == 30.0
    assert f.backward(x, x) == 12.0
    assert (w.grad, x.grad) == (10.0 + 4.0, 15.0 + 12.0)
    w.data = -1.0
    assert f(1.0, 1.0) == -1.0
    f.gradients(1.0, 1.0)
    assert w.grad == 14.0


def test_a_leaf_that_is_no_parameter_is_a_constant() -> None:
    c = Value(3.0)
    f = compile(lambda x: c * x)
    assert f.gradients(2.0) == (6.0, [3.0])
    c.data = 4.0
    assert (f(2.0), c.grad) == (6.0, 0.0)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200])
def test_a_batch_is_its_inputs_one_by_one(size: int) -> None:
    random.seed(3)
    model = MLP(2, [4, 1])
    f = compile(lambda x, y: (model(x).tanh() - y) ** 2 + sum(p * p for p in model.parameters()), model)
    rng = np.random.default_rng(size)
    X, y = rng.normal(size=(size, 2)), rng.normal(size=size)
    values = f.batch_backward(X, y)
    batched = [p.grad for p in model.parameters()]
    model.zero_grad()
    assert [f.backward(row, target) for row, target in zip(X, y, strict=True)] == pytest.approx(values.tolist())
    assert batched == pytest.approx([p.grad for p in model.parameters()], rel=1e-12, abs=1e-12)
    assert f.batch(X, y).tolist() == values.tolist()


def test_functions_that_do_not_compute() -> None:
    assert compile(lambda x: x).gradients(4.0) == (4.0, [1.0])
    assert compile(lambda _: Value(2.0) * 3).gradients(4.0) == (6.0, [0.0])
    source = compile(lambda _: Value(2.0) * 3).source(4.0)
    assert run(source, 4.0) == (6.0, [0.0])
    assert compile(lambda: Value(-2.0))() == -2.0


def test_errors_are_those_of_the_function_itself() -> None:
    f = compile(lambda x, y: (x * 2).log() / y)
    assert f(0.5, 1.0) == 0.0
    with pytest.raises(ValueError, match=r"math domain error: log of \* = -2\.0"):
        f(-1.0, 1.0)
    with pytest.raises(ZeroDivisionError, match=r"/ of log = .*, y = 0\.0"):
        f.batch(np.ones(3), np.array([1.0, 0.0, 1.0]))
    assert compile(lambda x: 1 / (x.exp() + 1))(float("inf")) == 0.0  # infinite, and no error


def test_what_it_cannot_take_is_refused() -> None:
    f = compile(lambda x: x * 2)
    with pytest.raises(TypeError, match="a number, a Value, or a list of these, got str"):
        f("3")
    with pytest.raises(TypeError, match="must return one Value, got list"):
        compile(lambda x: [x])(1.0)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match="no arguments"):
        f.batch()
    with pytest.raises(ValueError, match=r"got shapes \(2,\), \(3,\)"):
        compile(lambda x, y: x * y).batch(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match=r"got shapes \(0,\)"):
        f.batch(np.ones(0))
    assert str(f) == "not called yet: no program"
