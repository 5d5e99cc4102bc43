"""Type promotion: the type that two operands meet in, over all pairs of types, ranks and Python numbers."""

# ruff: noqa: ARG001, ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engine.compare import Program, agree, same_error

KINDS = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
FORMS = {"1-d with 1-d": ((2,), (2,)), "1-d with 0-d": ((2,), ()), "0-d with 1-d": ((), (2,)), "0-d with 0-d": ((), ())}


def arithmetic(t: Any, a: Any, b: Any) -> Any:
    """Every operator, or the name of the error it raises."""
    found = []
    for do in (
        lambda: a + b,
        lambda: a * b,
        lambda: a - b,
        lambda: a / b,
        lambda: a // b,
        lambda: a % b,
        lambda: a**b,
        lambda: a == b,
        lambda: a < b,
        lambda: t.maximum(a, b),
        lambda: t.where(a > 0, a, b),
        lambda: a & b,
        lambda: t.result_type(a, b) is t.result_type(b, a),
    ):
        try:
            found.append(do())
        except (RuntimeError, TypeError, NotImplementedError) as error:
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("b", KINDS)
@pytest.mark.parametrize("a", KINDS)
def test_two_types_meet_as_in_pytorch(a: str, b: str, form: str) -> None:
    one, two = FORMS[form]
    agree(arithmetic, np.full(one, 3).astype(a), np.full(two, 1).astype(b), gradients=False)


NUMBERS: list[Any] = [True, 2, -3, 1.5, 300]


@pytest.mark.parametrize("number", NUMBERS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_number_meets_a_type_as_in_pytorch(kind: str, number: Any) -> None:
    def program(t: Any, a: Any) -> Any:
        found: list[Any] = []
        programs: list[Callable[[], Any]] = [
            lambda: a + number,
            lambda: number + a,
            lambda: a * number,
            lambda: a - number,
            lambda: number - a,
            lambda: a / number,
            lambda: number / a,
            lambda: a // number,
            lambda: a % number,
            lambda: a == number,
            lambda: a < number,
            lambda: number > a,
            lambda: t.where(a > 0, a, number),
            lambda: a.clamp(max=number),
            lambda: a.masked_fill(a > 1, number),
        ]
        for do in programs:
            try:
                found.append(do())
            except (RuntimeError, TypeError, NotImplementedError) as error:
                found.append(type(error).__name__)
        return found

    agree(program, np.array([1, 2, 3]).astype(kind), gradients=False)


def in_place(t: Any, a: Any, b: Any) -> Any:
    found: list[Any] = []
    for name in ("add_", "mul_", "div_", "sub_", "copy_", "pow_"):
        x = a.clone()
        try:
            getattr(x, name)(b)
        except RuntimeError as error:
            found.append(str(error).split(",")[0] if "result type" in str(error) else type(error).__name__)
        found.append(x)
    return found


@pytest.mark.parametrize("b", KINDS)
@pytest.mark.parametrize("a", KINDS)
def test_a_result_in_place_keeps_its_type_or_is_refused_as_in_pytorch(a: str, b: str) -> None:
    agree(in_place, np.array([3, 1]).astype(a), np.array([1, 2]).astype(b), gradients=False)


@pytest.mark.parametrize("b", KINDS)
@pytest.mark.parametrize("a", KINDS)
def test_conversion_between_types_equals_pytorch(a: str, b: str) -> None:
    values = np.array([0, 1, 100]).astype(a)
    agree(
        lambda t, x: [
            x.to(getattr(t, b)),
            x.type(getattr(t, b)),
            t.can_cast(x.dtype, getattr(t, b)),
            str(t.promote_types(x.dtype, getattr(t, b))),
        ],
        values,
        gradients=False,
    )


WIDE = ["uint16", "uint32", "uint64"]


@pytest.mark.parametrize("b", [*WIDE, "uint8", "int64", "bool", "float32", "bfloat16", "complex64"])
@pytest.mark.parametrize("a", WIDE)
@pytest.mark.parametrize("swapped", [False, True])
def test_wide_unsigned_integers_are_promoted_to_floats_only_as_in_pytorch(a: str, b: str, swapped: bool) -> None:
    first, second = (b, a) if swapped else (a, b)
    joins: list[Program] = [
        lambda t, x: t.hstack(x),
        lambda t, x: t.stack(x, 1),
        lambda t, x: t.promote_types(x[0].dtype, x[1].dtype),
    ]
    for join in joins:
        agree(
            lambda t, join=join: str(join(t, [t.tensor([[3]]).to(getattr(t, kind)) for kind in (first, second)])),
            gradients=False,
        )


@pytest.mark.parametrize(
    ("a", "b"), [("float32", "float64"), ("float16", "float32"), ("int64", "float32"), ("float64", "bool")]
)
def test_gradient_through_mixed_types_has_the_leafs_type(a: str, b: str) -> None:
    agree(lambda t, x, y: x * y + y, np.array([1.0, 2.0]).astype(a), np.array([3.0, 1.0]).astype(b))


NAMED = ["float", "double", "half", "long", "int", "short", "bool", "char", "byte"]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("kind", ["float32", "int64", "bool"])
def test_conversion_by_name_equals_pytorch(kind: str, name: str) -> None:
    agree(
        lambda t, x: [getattr(x, name)(), getattr(x, name)().type(), str(x.dtype), x.element_size()],
        np.array([0, 1, 2]).astype(kind),
        gradients=False,
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "float32"])
def test_a_message_names_the_c_type_of_a_dtype(kind: str) -> None:
    x, y = np.zeros(2, np.float32), np.zeros(2, kind)
    ours, theirs = same_error(lambda t, x, y: t.lerp(x, y, 0.5), x, y)
    assert ours == theirs
