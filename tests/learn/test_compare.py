"""The first difference between what came and what was expected: kind, shape, dtype, then index and size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus import engine as torch
from gradus.learn.compare import difference, shape_of_it
from gradus.learn.plain import plain, show

ONES = np.ones((2, 3))


def first(came: Any, expected: Any, tolerance: float = 1e-6) -> str | None:
    return difference(plain(came), plain(expected), tolerance)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, math.inf, math.nan, "a", [1, (2.0, None)], {"a": [1]}, ONES, np.float32(3), torch.ones(2)],
)
def test_a_value_equals_itself(value: object) -> None:
    assert first(value, value) is None


@pytest.mark.parametrize(
    ("came", "expected", "said"),
    [
        (None, 1.0, "None came, a number was expected"),
        (True, 1, "a bool came, a number was expected"),
        (2.0, 2.5, "the two are 0.5 apart"),
        (math.nan, 1.0, "nan came, 1.0 was expected"),
        (1.0, math.nan, "1.0 came, nan was expected"),
        ("a", "b", "'a' came, 'b' was expected"),
        ([1, 2], [1, 2, 3], "length 2 came, 3 was expected"),
        ([1, [2, 3]], [1, [2, 4]], "at [1][1]: 3 came, 4 was expected"),
        ({"a": 1}, {"a": 1, "b": 2}, "the key 'b' is missing"),
        ({"a": 1, "b": 2}, {"a": 1}, "the key 'b' should not be there"),
        ({"a": 1}, {"a": 2}, "at ['a']: 1 came, 2 was expected"),
        ([0.5], ..., "a list came, ... was expected"),
        ([...], [1.0], "at [0]: the TODO is still there"),
        ([1.0], np.ones(1), "a list came, an array of shape (1,) was expected"),
        (np.ones((3, 1)), np.ones(3), "shape (3, 1) came, (3,) was expected"),
        (np.ones(3, np.float32), np.ones(3), "dtype float32 came, float64 was expected"),
        (ONES, ONES * [1, 1, 3], "first at [0, 2]: 1.0 came, 3.0 was expected; 2 of 6 entries differ, by 2 at most"),
        (ONES * math.nan, ONES, "first at [0, 0]: nan came, 1.0 was expected; 6 of 6 entries differ"),
        (ONES, torch.ones(2, 3), "an array of shape (2, 3) came, a tensor of shape (2, 3) was expected"),
    ],
)
def test_the_first_difference_is_said(came: object, expected: object, said: str) -> None:
    assert first(came, expected) == said


def test_a_tolerance_is_relative_and_below_one_absolute() -> None:
    assert first(1e6 + 0.5, 1e6) is None
    assert first(1e-7, 0.0) is None
    assert first(1e6 + 2, 1e6) is not None


def test_an_integer_may_stand_for_a_float_and_a_tuple_for_a_list() -> None:
    assert first(2, 2.0) is None
    assert first((1, 2), [1, 2]) is None


@pytest.mark.parametrize(
    ("came", "expected", "like"),
    [
        (-2.5, 2.5, "the expected answer with its sign turned"),
        (
            np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]),
            np.array([[1.0, 2, 3], [4, 5, 6]]),
            "the expected answer transposed",
        ),
        ([3, 2, 1], [1, 2, 3], "the expected answer in reverse order"),
        (0.0, 0.0, None),
        ([1, 2], [3, 4], None),
    ],
)
def test_what_a_wrong_answer_looks_like(came: object, expected: object, like: str | None) -> None:
    assert shape_of_it(plain(came), plain(expected), 1e-6) == like


def test_values_are_shown_as_python_writes_them() -> None:
    shown = [show(plain(value)) for value in (3, 2.0, 1e-6, (1,), [1.0, "a"], {"a": None}, np.arange(3.0))]
    assert shown == ["3", "2.0", "1e-06", "(1,)", "[1.0, 'a']", "{'a': None}", "[0.0, 1.0, 2.0]  shape (3,), float64"]
    assert show(plain(object())).startswith("object: <object object at")


def test_an_object_whose_repr_fails_is_shown() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError

    assert show(plain(Odd())) == "Odd: its repr raises ValueError"
