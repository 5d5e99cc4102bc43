"""The plain walk and the fast one carry the same gradients to the leaves of every random program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gradus.engine as torch
from gradus.engine.autograd import plain_walk
from tests.engine.compare import numbers
from tests.engine.test_random_programs import KINDS, steps


def gradients(program: list[tuple[str, int, int, int]], shape: tuple[int, ...], *, plain: bool) -> Any:
    """The gradients of a program's leaves; None if it ends in an error before the walk."""
    leaves = [torch.tensor(numbers(*shape, seed=seed), requires_grad=True) for seed in (1, 2)]
    made = [*leaves, leaves[0] * 1.5]
    try:
        for kind, which, first, second in program:
            a, b = made[-1 - first % len(made)], made[-1 - second % len(made)]
            result = KINDS[kind][which](torch, a, b)
            if result is not None:
                made.append(result)
        total = sum((m.sum() for m in made), torch.zeros((), dtype=torch.float64))
        if plain:
            plain_walk.backward(total, torch.ones_like(total))
        else:
            total.backward()
    except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError):
        return None
    return [None if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.lists(steps, min_size=1, max_size=8), st.sampled_from([(3, 3), (2, 3), (4,), (1, 4)]))
def test_the_plain_walk_gives_the_fast_ones_gradients(
    program: list[tuple[str, int, int, int]], shape: tuple[int, ...]
) -> None:
    with np.errstate(all="ignore"):
        fast = gradients(program, shape, plain=False)
        assume(fast is not None)  # an error, which the plain walk does not look for
        plain = gradients(program, shape, plain=True)
    for a, b in zip(fast, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("walk", [lambda y: y.backward(), lambda y: plain_walk.backward(y, torch.ones_like(y))])
def test_gradients_are_summed_where_paths_meet(walk: Any) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    first, second, third = x.unbind()
    y = first * second + second * second  # dy/dx = (x₂, x₁ + 2 x₂, 0)
    walk(y + 0 * third)
    assert x.grad is not None
    assert x.grad.tolist() == [2, 5, 0]
