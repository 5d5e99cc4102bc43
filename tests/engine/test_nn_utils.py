"""Clipping and packing of parameters give PyTorch's numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import assert_close, build_both, normal

ORDERS = [2.0, 1.0, 3.0, math.inf]


def with_gradients(scale: float, kind: str = "float32") -> tuple[Any, Any]:
    theirs, ours = build_both(lambda nn: nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)))
    if kind == "float64":
        theirs, ours = theirs.double(), ours.double()
    x = normal(5, 4, kind=kind)
    (theirs(torch.tensor(x)).sum() * scale).backward()
    (ours(engine.tensor(x)).sum() * scale).backward()
    return theirs, ours


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
def test_clip_grad_norm_is_pytorchs(scale: float, order: float, kind: str) -> None:
    theirs, ours = with_gradients(scale, kind)
    expected = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0, order)
    got = engine.nn.utils.clip_grad_norm_(ours.parameters(), 1.0, order)
    assert_close(got, expected, kind)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(a.grad, b.grad, kind)


def test_clipped_gradients_have_the_wanted_norm_and_small_ones_are_left_alone() -> None:
    _, ours = with_gradients(100.0)
    engine.nn.utils.clip_grad_norm_(ours.parameters(), 0.5)
    assert float(engine.nn.utils.get_total_norm([p.grad for p in ours.parameters()])) == pytest.approx(0.5, rel=1e-5)
    before = [p.grad.clone() for p in ours.parameters()]
    engine.nn.utils.clip_grad_norm_(ours.parameters(), 0.6)
    assert all(engine.equal(p.grad, g) for p, g in zip(ours.parameters(), before, strict=True))


def test_clip_grad_norm_of_one_tensor_and_of_none() -> None:
    w = engine.ones(4, requires_grad=True)
    (w * 3).sum().backward()
    assert float(engine.nn.utils.clip_grad_norm_(w, 3.0)) == 6.0
    assert w.grad is not None
    np.testing.assert_allclose(w.grad.numpy(), 1.5, rtol=1e-6)
    assert float(engine.nn.utils.clip_grad_norm_([engine.ones(2, requires_grad=True)], 1.0)) == 0.0


def test_a_norm_that_is_no_number_is_an_error_when_asked_for() -> None:
    messages = []
    for t in (torch, engine):
        w = t.ones(2, requires_grad=True)
        (w * math.inf).sum().backward()
        with pytest.raises(RuntimeError) as error:
            t.nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_clip_grad_value_is_pytorchs() -> None:
    theirs, ours = with_gradients(3.0)
    torch.nn.utils.clip_grad_value_(theirs.parameters(), 0.7)
    engine.nn.utils.clip_grad_value_(ours.parameters(), 0.7)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(a.grad, b.grad)


def test_an_empty_generator_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="`parameters` is an empty generator"):
        engine.nn.utils.clip_grad_norm_((p for p in list[engine.Tensor]()), 1.0)


def test_parameters_become_one_vector_and_come_back() -> None:
    theirs, ours = with_gradients(1.0)
    vector = engine.nn.utils.parameters_to_vector(ours.parameters())
    assert_close(vector, torch.nn.utils.parameters_to_vector(theirs.parameters()))
    engine.nn.utils.vector_to_parameters(vector.detach() * 2, ours.parameters())
    torch.nn.utils.vector_to_parameters(
        torch.nn.utils.parameters_to_vector(theirs.parameters()) * 2, theirs.parameters()
    )
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(a, b)
    with pytest.raises(TypeError, match=r"expected torch\.Tensor"):
        engine.nn.utils.vector_to_parameters([1.0], ours.parameters())  # type: ignore[arg-type]
