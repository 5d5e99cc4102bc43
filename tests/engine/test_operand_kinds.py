"""Operations on a tensor and whatever stands for a number: NumPy's scalars, Python's, 0-d tensors. Types and values are
PyTorch's, or both refuse. An operation is a row of a table.
"""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.scalar import Value
from tests.engine.compare import agree

KINDS: dict[str, Callable[[Any], Any]] = {
    "np.float64": lambda t: np.float64(1.5),
    "np.float32": lambda t: np.float32(1.5),
    "np.int64": lambda t: np.int64(2),
    "np.uint8": lambda t: np.uint8(2),
    "np.bool_": lambda t: np.bool_(True),
    "float": lambda t: 1.5,
    "int": lambda t: 2,
    "bool": lambda t: True,
    "0-d float64": lambda t: t.tensor(1.5, dtype=t.float64),
    "0-d int64": lambda t: t.tensor(2),
}
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ilshift, operator.iand]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add alpha": lambda t, x, k: t.add(x, x, alpha=k),
    "sub alpha": lambda t, x, k: x.sub(x, alpha=k),
    "addcmul": lambda t, x, k: t.addcmul(x, x, x, value=k),
    "clamp": lambda t, x, k: x.clamp(min=k),
    "where": lambda t, x, k: t.where(x > 1, x, k),
    "masked_fill": lambda t, x, k: x.masked_fill(x > 1, k),
    "xlogy": lambda t, x, k: t.xlogy(x, k),
    "eq": lambda t, x, k: x == k,
    "lt": lambda t, x, k: x < k,
    "leaky_relu": lambda t, x, k: t.nn.functional.leaky_relu(x, k),
    "maximum": lambda t, x, k: t.maximum(x, k),
}
ROWS: dict[str, Callable[..., Any]] = {
    **{f.__name__: (lambda t, x, k, f=f: f(x, k)) for f in [*OPERATORS, *IN_PLACE]},
    **{f"{f.__name__} from the right": (lambda t, x, k, f=f: f(k, x)) for f in OPERATORS},
    **FUNCTIONS,
}


@settings(max_examples=400, deadline=None)
@given(
    row=st.sampled_from(sorted(ROWS)),
    kind=st.sampled_from(sorted(KINDS)),
    dtype=st.sampled_from(["float32", "float64", "int64", "uint8"]),
)
def test_a_tensor_meets_what_stands_for_a_number_as_in_pytorch(row: str, kind: str, dtype: str) -> None:
    agree(lambda t, x: ROWS[row](t, x, KINDS[kind](t)), np.array([1, 2, 3], dtype), gradients=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_numpy_number_leaves_float32_as_it_is(kind: str) -> None:
    agree(lambda t, x: x.clone() / KINDS[kind](t), np.ones(3, np.float32))


def test_relu_of_nan_is_nan() -> None:
    x = Value(float("nan"))
    y = x.relu()
    y.backward()
    assert y.data != y.data
    assert x.grad == 1
