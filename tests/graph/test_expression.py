"""Expressions typed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.graph import graph
from gradus.graph.expression import parse_expression, parse_variables


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tanh(2*-3 + 0*1 + 6.88)", math.tanh(0.88)),
        ("-3**2", -9.0),
        ("2**-1", 0.5),
        ("2**3**2", 512.0),
        ("(1+2)*3/4 - 5", -2.75),
        ("max(1, 5, 3) + sqrt(4) - abs(-2)", 5.0),
        ("log(exp(2)) + sin(0) + cos(0) + relu(-1) + sigmoid(0)", 3.5),
        ("a=1; b=a+a; c=b+b", 4.0),
        ("a=2\nb=a*a", 4.0),
        ("+1e-3", 1e-3),
    ],
)
def test_expressions_have_their_value(text: str, value: float) -> None:
    assert parse_expression(text).data == pytest.approx(value, rel=1e-15)


def test_the_gradient_of_the_reference_neuron() -> None:
    variables = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
    o = parse_expression("o = tanh(x1*w1 + x2*w2 + b)", variables)
    o.backward()
    grads = {node.label: node.grad for node in graph(o).nodes if node.label}
    assert grads == pytest.approx({"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5, "o": 1.0})


def test_assigned_names_label_their_nodes_and_a_name_is_one_node() -> None:
    found = graph(parse_expression("a=1; b=a+a; c=b+b"))
    assert [node.label for node in found.nodes] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x + 1", r"x has no value; add x=2, say \(at column 1, 'x \+ 1'"),
        ("1 + größe", "at column 5, 'größe'"),
        ("größe = 1; größe * y", "at column 20, 'y'"),
        ("1 +", "invalid syntax .at the end"),
        ("(1", "never closed .at column 1"),
        ("2^3", r"a power is written \*\*, not \^"),
        ("f(1)", "unknown function 'f'; choose one of abs, cos, exp, log, max"),
        ("tanh", r"tanh is a function: tanh\(...\)"),
        ("tanh(1, 2)", "tanh takes one number, got 2"),
        ("max()", "max takes numbers, got 0"),
        ("log(0 - 1)", "math domain error: log of .* .at column 1"),
        ("2 * (1/0)", "division by zero.* .at column 6"),
        ("exp(1000)", "math range error: exp"),
        ("1e999", "too large for a float"),
        ("a = b = 1", "an expression or an assignment is needed"),
        ("", "the expression is empty"),
        ("1\x00", "null bytes"),
        ("+".join("1" * 5000), "nested too deeply"),
        ("True", "'True' is not arithmetic"),
        ("1 < 2", "'1 < 2' is not arithmetic"),
    ],
)
def test_an_error_says_what_and_where(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()", "().__class__", "[1][0]", "lambda: 1", "'a'*9", "x.data", "(y := 1)", "exp(x=1)",
        "exp(*[1])", "import os", "def f(): pass", "del x", "f'{1}'", "1 if 1 else 2", "{1}", "await x", "1j",
        "x[0] = 1", "x: int = 1", "x += 1",
    ],
)  # fmt: skip
def test_nothing_but_arithmetic_is_understood(text: str) -> None:
    with pytest.raises(UserError):
        parse_expression(text, {"x": 1.0})


def test_a_variable_that_is_not_used_is_a_mistake() -> None:
    with pytest.raises(UserError, match="the variable y is given but 'x' does not use it"):
        parse_expression("x", {"x": 1.0, "y": 2.0})


@given(st.text(max_size=40))
def test_any_text_is_a_value_or_a_user_error(text: str) -> None:
    try:
        value = parse_expression(text)
    except UserError:
        return
    assert isinstance(value.data, float)


def test_variables_are_read() -> None:
    assert parse_variables(["x1=2", "w=-3.5e-1"]) == {"x1": 2.0, "w": -0.35}


@pytest.mark.parametrize("word", ["x", "x=", "=2", "x=two", "1x=2", "x=nan", "x=inf", "--backwrd"])
def test_a_word_that_is_no_variable_is_refused(word: str) -> None:
    with pytest.raises(UserError, match="NAME=NUMBER"):
        parse_variables([word])


def test_several_lines_are_read_indented_or_not_and_errors_name_the_line() -> None:
    assert parse_expression("a=1\nb=a+a").data == 2
    assert parse_expression("\n  a = 1;\n    b = a + a\r\n  c = (b +\n a)\n").data == 3
    for text, place in {
        "a=1\n  b=a^2": "at line 2, column 3, 'a^2'",
        "é=1\nb=é+)\nc=1": "at line 2, column 5, ')'",
        "a=1\nb=c": "at line 2, column 3, 'c'",
        "a=b": "at column 3, 'b'",
    }.items():
        with pytest.raises(UserError) as error:
            parse_expression(text)
        assert place in str(error.value)
