"""What is made like a permuted tensor lies in memory as in PyTorch, so that random draws land on the same numbers."""

# ruff: noqa: ARG005  (every maker takes the torch it runs on, used or not)

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch as pytorch

from gradus import engine

SHAPE = (2, 3, 4, 5)
MAKERS: dict[str, Any] = {
    "clone": lambda t, x: x.clone(),
    "zeros_like": lambda t, x: t.zeros_like(x),
    "ones_like": lambda t, x: t.ones_like(x),
    "full_like": lambda t, x: t.full_like(x, 2.5),
    "empty_like": lambda t, x: t.empty_like(x).fill_(1),
    "rand_like": lambda t, x: t.rand_like(x),
    "randn_like": lambda t, x: t.randn_like(x),
    "randint_like": lambda t, x: t.randint_like(x, 3, 9),
    "bernoulli": lambda t, x: t.bernoulli(t.sigmoid(x)),
    "bernoulli of a number": lambda t, x: t.bernoulli(x, 0.3),
    "dropout": lambda t, x: t.nn.functional.dropout(x, 0.4),
    "double": lambda t, x: x.double(),
    "to": lambda t, x: x.to(t.float64),
    "exp": lambda t, x: x.exp(),
    "add": lambda t, x: x + x,
    "a number": lambda t, x: 2 * x + 1,
    "contiguous": lambda t, x: x.contiguous(),
    "clone, contiguous": lambda t, x: x.clone(memory_format=t.contiguous_format),
    "clone, channels_last": lambda t, x: x.clone(memory_format=t.channels_last),
    "rand_like, contiguous": lambda t, x: t.rand_like(x, memory_format=t.contiguous_format),
    "zeros_like, channels_last": lambda t, x: t.zeros_like(x, memory_format=t.channels_last),
}


@pytest.mark.parametrize("name", MAKERS)
def test_strides_and_draws_are_pytorchs_for_every_order_of_the_axes(name: str) -> None:
    numbers = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    for order in itertools.permutations(range(4)):
        results = []
        for t in (engine, pytorch):
            t.manual_seed(7)
            results.append(MAKERS[name](t, t.from_numpy(numbers.copy()).permute(order)))
        ours, theirs = results
        assert ours.stride() == theirs.stride(), order
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=4e-6)


PARTS: list[Any] = [
    lambda x: x[:, ::2],
    lambda x: x[:, :, 1:3].permute(2, 0, 3, 1),
    lambda x: x[:1, :1].expand(5, 6, 4, 5),
]


@pytest.mark.parametrize("name", ["clone", "zeros_like", "rand_like", "randn_like"])
def test_parts_and_expanded_tensors_are_made_dense(name: str) -> None:
    for part in PARTS:
        results = []
        for t in (engine, pytorch):
            t.manual_seed(7)
            results.append(MAKERS[name](t, part(t.arange(120.0).reshape(SHAPE))))
        assert results[0].stride() == results[1].stride()
        np.testing.assert_allclose(results[0].numpy(), results[1].numpy(), rtol=1e-5, atol=4e-6)


def test_gradients_pass_a_permuted_clone() -> None:
    x = engine.arange(6.0).reshape(2, 3).requires_grad_()
    (x.t().clone() * engine.arange(6.0).reshape(3, 2)).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), np.arange(6.0).reshape(3, 2).T)
