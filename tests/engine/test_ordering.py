"""Sorting and the largest few, by keys and by parts, against the plain order; and against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

from gradus import engine
from gradus.engine.functions.ordering import _order


def hard(*shape: int) -> Any:
    """Numbers with ties, both zeros, both infinities and nan among them."""
    random = np.random.default_rng(sum(shape))
    x = random.normal(size=shape).astype(np.float32).round(2)
    for value in (0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan):
        x[random.random(shape) < 0.01] = value
    return x


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((5000,), 0), ((3, 700), 1), ((700, 3), 0), ((2, 600, 2), 1)])
def test_sorting_by_keys_keeps_equals_in_order_and_puts_nan_above_all(
    shape: tuple[int, ...], axis: int, descending: bool
) -> None:
    x = hard(*shape)
    plain = _order(x.astype(np.float64), axis, descending)  # float64 is sorted without keys
    np.testing.assert_array_equal(_order(x, axis, descending), plain)
    ours = engine.sort(engine.from_numpy(x), axis, descending)
    theirs = pytorch.sort(pytorch.from_numpy(x), dim=axis, descending=descending, stable=True)
    np.testing.assert_array_equal(ours[0].numpy(), theirs[0].numpy())
    np.testing.assert_array_equal(ours[1].numpy(), theirs[1].numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("k", [0, 1, 50, 400, 3000])
def test_the_largest_few_are_the_first_of_the_sorted(k: int, largest: bool, dtype: str) -> None:
    for x in (hard(2, 6000), np.random.default_rng(0).normal(size=(2, 6000)).astype(np.float32), np.zeros((1, 5000))):
        x = np.nan_to_num(x, posinf=9, neginf=-9).astype(dtype) if dtype == "int64" else x.astype(dtype)
        values, index = engine.topk(engine.from_numpy(x), k, largest=largest)
        np.testing.assert_array_equal(index.numpy(), _order(x, 1, largest)[:, :k])
        np.testing.assert_array_equal(values.numpy(), pytorch.topk(pytorch.from_numpy(x), k, largest=largest)[0])


def test_the_gradient_goes_to_the_largest_few() -> None:
    numbers = np.random.default_rng(1).normal(size=(2, 4000))
    x = engine.tensor(numbers, requires_grad=True)
    x.topk(7)[0].sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy() != 0, numbers >= np.sort(numbers)[:, [-7]])
