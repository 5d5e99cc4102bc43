"""`torch.utils.checkpoint`: what is computed a second time has the values and gradients of the first."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as ours
from gradus.engine.utils.checkpoint import checkpoint, checkpoint_sequential

nn = ours.nn


def gradients(model: Any, x: Any, forward: Any) -> list[np.ndarray[Any, Any]]:
    model.zero_grad()
    ours.manual_seed(7)
    x = x.detach().requires_grad_()
    out = forward(model, x)
    out.square().sum().backward()
    return [out.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]


def test_values_and_gradients_are_those_of_an_ordinary_call_with_dropout_too() -> None:
    ours.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 5), nn.Tanh())
    x = ours.randn(4, 5)
    plain = gradients(model, x, lambda model, x: model(model(x)))
    for forward in (
        lambda model, x: checkpoint(model, checkpoint(model, x, use_reentrant=False), use_reentrant=False),
        lambda model, x: checkpoint(lambda: model(model(x)), use_reentrant=False),  # x comes from outside
        lambda model, x: checkpoint(lambda x: checkpoint(model, model(x)), x),  # one inside the other
    ):
        for a, b in zip(plain, gradients(model, x, forward), strict=True):
            np.testing.assert_array_equal(a, b)
    state = ours.get_rng_state()
    gradients(model, x, lambda model, x: model(model(x)))
    after = ours.get_rng_state()
    ours.set_rng_state(state)
    gradients(model, x, lambda model, x: checkpoint(lambda: model(model(x))))
    assert ours.equal(ours.get_rng_state(), after)


def test_segments_of_a_sequential_are_pytorchs() -> None:
    ours.manual_seed(1)
    model = nn.Sequential(*(nn.Linear(5, 5) for _ in range(5)))
    theirs = torch.nn.Sequential(*(torch.nn.Linear(5, 5) for _ in range(5)))
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in model.state_dict().items()})
    x = torch.randn(3, 5)
    torch.utils.checkpoint.checkpoint_sequential(theirs, 2, x, use_reentrant=False).square().sum().backward()
    found = gradients(model, ours.from_numpy(x.numpy()), lambda model, x: checkpoint_sequential(model, 2, x))
    for a, b in zip(found[2:], theirs.parameters(), strict=True):
        assert b.grad is not None
        np.testing.assert_allclose(a, b.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_several_results_and_those_without_a_gradient() -> None:
    x: Any = ours.ones(3, requires_grad=True)
    w: Any = ours.ones(3, requires_grad=True)
    a, number, b, same = checkpoint(lambda x: (x * w, 5, (x + w).exp(), x), x)
    assert number == 5
    assert same is x
    (a.sum() + 2 * b.sum()).backward()
    assert x.grad.tolist() == pytest.approx([1 + 2 * np.exp(2)] * 3)
    assert w.grad.tolist() == pytest.approx([1 + 2 * np.exp(2)] * 3)
    a, _, b, _ = checkpoint(lambda x: (x * w, 5, (x + w).exp(), x), x)
    (of_w,) = ours.autograd.grad(a.sum(), w)
    assert of_w is not None
    assert of_w.tolist() == [1, 1, 1]
    with ours.no_grad():
        assert not checkpoint(lambda x: x * w, x).requires_grad
    assert not checkpoint(lambda x: x * 2, ours.ones(3)).requires_grad


def test_what_is_inside_is_let_go_of_after_forward() -> None:
    inside: list[Any] = []

    def function(x: Any) -> Any:
        y = x.exp()
        inside.append(weakref.ref(y.grad_fn))
        return y.sin()

    x = ours.ones(3, requires_grad=True)
    y = checkpoint(function, x)
    gc.collect()
    assert inside[0]() is None
    y.sum().backward()
    assert len(inside) == 2, "computed again"
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


def test_an_input_that_was_changed_in_between_is_refused() -> None:
    x = ours.ones(3, requires_grad=True)
    z = x * 2
    y = checkpoint(lambda z: z.exp(), z)
    z.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    z = x * 2
    y = checkpoint(lambda z: z.exp_(), z)  # by the part itself: the second time would begin with what the first left
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
