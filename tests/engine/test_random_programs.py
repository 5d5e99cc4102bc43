"""Random programs, changes in place and views included, end on the engine as they end on PyTorch.

A program is a list of steps. Each takes tensors made so far and makes another, or changes one in place; at the end all
of them are looked at. What matters are the values, the gradients of the leaves, and where an error comes, its type.
"""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.compare import agree, numbers

Step = Callable[[Any, Any, Any], Any]  # step(torch, a, b) -> a new tensor, or None after a change in place

MAKING: list[Step] = [
    lambda t, a, b: a + b,
    lambda t, a, b: a - b,
    lambda t, a, b: a * b,
    lambda t, a, b: a / (b * b + 1),
    lambda t, a, b: t.maximum(a, b),
    lambda t, a, b: t.where(a > b, a, b),
    lambda t, a, b: a @ b,
    lambda t, a, b: a.tanh(),
    lambda t, a, b: a.sigmoid(),
    lambda t, a, b: (a * 0.1).exp(),
    lambda t, a, b: a.abs().sqrt() + 1,
    lambda t, a, b: a.relu(),
    lambda t, a, b: a**2,
    lambda t, a, b: 2 - a,
    lambda t, a, b: a.sum(),
    lambda t, a, b: a.mean(-1, keepdim=True),
    lambda t, a, b: a.max(0).values,
    lambda t, a, b: a.softmax(-1),
    lambda t, a, b: a.cumsum(0),
    lambda t, a, b: a.var(0, unbiased=False),
    lambda t, a, b: t.cat([a, b]),
    lambda t, a, b: t.stack([a, a * 2])[1],
    lambda t, a, b: a.masked_fill(a > 0.5, -1.0),
    lambda t, a, b: a[t.tensor([0, 0, -1])],
    lambda t, a, b: a.logsumexp(0),
    lambda t, a, b: a.clamp(-1, 1),
    lambda t, a, b: a.detach(),
    lambda t, a, b: a.clone(),
    lambda t, a, b: a.flip(0),
    lambda t, a, b: a.tril(),
    lambda t, a, b: a.norm(),
]

VIEWING: list[Step] = [
    lambda t, a, b: a[0],
    lambda t, a, b: a[-1:],
    lambda t, a, b: a[:, 1:],
    lambda t, a, b: a[..., 0],
    lambda t, a, b: a.t(),
    lambda t, a, b: a.view(-1),
    lambda t, a, b: a.reshape(-1, 1),
    lambda t, a, b: a.unsqueeze(0),
    lambda t, a, b: a.squeeze(),
    lambda t, a, b: a.transpose(0, -1),
    lambda t, a, b: a.diagonal(),
    lambda t, a, b: a[::2],
    lambda t, a, b: a.flatten(),
    lambda t, a, b: a.expand(2, *a.shape),
    lambda t, a, b: a.unbind(0)[0],
    lambda t, a, b: a.narrow(0, 0, 1),
    lambda t, a, b: a.chunk(2)[-1],
    lambda t, a, b: a[None, ..., None],
    lambda t, a, b: a.movedim(0, -1),
    lambda t, a, b: a,
]


def _put(index: Any, value: Any) -> Step:
    def step(t: Any, a: Any, b: Any) -> None:
        a[index(t)] = value(t, a, b)

    return step


def _do(change: Step) -> Step:
    def step(t: Any, a: Any, b: Any) -> None:
        change(t, a, b)

    return step


CHANGING: list[Step] = [
    _do(lambda t, a, b: a.add_(1)),
    _do(lambda t, a, b: a.mul_(0.5)),
    _do(lambda t, a, b: a.add_(b)),
    _do(lambda t, a, b: a.sub_(b, alpha=0.5)),
    _do(lambda t, a, b: a.div_(b * b + 1)),
    _do(lambda t, a, b: a.tanh_()),
    _do(lambda t, a, b: a.relu_()),
    _do(lambda t, a, b: a.zero_()),
    _do(lambda t, a, b: a.fill_(0.3)),
    _do(lambda t, a, b: a.copy_(b)),
    _do(lambda t, a, b: a.clamp_(-0.5, 0.5)),
    _do(lambda t, a, b: a.masked_fill_(a > 0, 0.1)),
    _do(lambda t, a, b: a.neg_()),
    _do(lambda t, a, b: a[0].mul_(2)),
    _do(lambda t, a, b: a.view(-1)[1:].add_(1)),
    _do(lambda t, a, b: a.t().add_(b)),
    _put(lambda t: 0, lambda t, a, b: 1.0),
    _put(lambda t: (..., 0), lambda t, a, b: b.sum()),
    _put(lambda t: slice(1, None), lambda t, a, b: b[:1] * 2),
    _put(lambda t: t.tensor([0, -1]), lambda t, a, b: b[0]),
    _put(lambda t: (slice(None), 1), lambda t, a, b: a[:, 0] * 3),
]

KINDS = {"make": MAKING, "view": VIEWING, "change": CHANGING}
steps = st.sampled_from(["make", "make", "view", "view", "change", "change"]).flatmap(
    lambda kind: st.tuples(st.just(kind), st.integers(0, len(KINDS[kind]) - 1), st.integers(0, 9), st.integers(0, 9))
)


@settings(max_examples=600, deadline=None, database=None, derandomize=True)
@given(st.lists(steps, min_size=1, max_size=8), st.sampled_from([(3, 3), (2, 3), (4,), (1, 4)]))
def test_random_program_ends_as_in_pytorch(program: list[tuple[str, int, int, int]], shape: tuple[int, ...]) -> None:
    def run(t: Any, x: Any, y: Any) -> Any:
        made = [x, y, x * 1.5]
        for kind, which, first, second in program:
            a, b = made[-1 - first % len(made)], made[-1 - second % len(made)]
            result = KINDS[kind][which](t, a, b)
            if result is not None:
                made.append(result)
        return [m * 1 for m in made]

    with np.errstate(all="ignore"):
        agree(run, numbers(*shape, seed=1), numbers(*shape, seed=2), tolerance=1e-7)
