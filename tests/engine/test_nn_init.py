"""Each initialisation draws PyTorch's numbers for the same seed, and has the statistics its formula promises."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import assert_close

Fill = Callable[[Any, Any], Any]  # (init module, tensor) -> tensor

FILLS: list[tuple[str, Fill]] = [
    ("uniform", lambda i, t: i.uniform_(t)),
    ("uniform bounds", lambda i, t: i.uniform_(t, -2.0, 0.5)),
    ("normal", lambda i, t: i.normal_(t)),
    ("normal 0.02", lambda i, t: i.normal_(t, mean=0.0, std=0.02)),
    ("constant", lambda i, t: i.constant_(t, 0.3)),
    ("ones", lambda i, t: i.ones_(t)),
    ("zeros", lambda i, t: i.zeros_(t)),
    ("eye", lambda i, t: i.eye_(t)),
    ("xavier uniform", lambda i, t: i.xavier_uniform_(t)),
    ("xavier uniform gain", lambda i, t: i.xavier_uniform_(t, gain=i.calculate_gain("tanh"))),
    ("xavier normal", lambda i, t: i.xavier_normal_(t)),
    ("kaiming uniform", lambda i, t: i.kaiming_uniform_(t)),
    ("kaiming uniform of Linear", lambda i, t: i.kaiming_uniform_(t, a=math.sqrt(5))),
    ("kaiming uniform out", lambda i, t: i.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu")),
    ("kaiming normal", lambda i, t: i.kaiming_normal_(t, nonlinearity="relu")),
    ("trunc normal", lambda i, t: i.trunc_normal_(t)),
    ("trunc normal narrow", lambda i, t: i.trunc_normal_(t, std=0.02, a=-0.03, b=0.01)),
    ("trunc normal in the tail", lambda i, t: i.trunc_normal_(t, a=1.5, b=3.0)),
    ("orthogonal", lambda i, t: i.orthogonal_(t)),
    ("orthogonal gain", lambda i, t: i.orthogonal_(t, gain=2.0)),
    ("sparse", lambda i, t: i.sparse_(t, sparsity=0.4)),
]


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 7), (40, 3)])
@pytest.mark.parametrize(("name", "fill"), FILLS, ids=[name for name, _ in FILLS])
def test_fills_with_pytorchs_numbers(name: str, fill: Fill, shape: tuple[int, int], kind: str) -> None:
    del name
    theirs = torch.empty(shape, dtype=getattr(torch, kind), requires_grad=True)
    ours = engine.empty(shape, dtype=getattr(engine, kind), requires_grad=True)
    torch.manual_seed(11)
    fill(torch.nn.init, theirs)
    engine.manual_seed(11)
    assert fill(engine.nn.init, ours) is ours
    assert_close(ours, theirs)
    assert ours.is_leaf
    assert ours.requires_grad
    # ... and as many of them: the generators go on alike
    assert_close(engine.rand(3), torch.rand(3))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("shape", [(4, 3, 5), (4, 2, 3, 3)])
def test_dirac_and_fans_of_convolutions_are_pytorchs(shape: tuple[int, ...], groups: int) -> None:
    theirs, ours = torch.empty(shape), engine.empty(shape)
    assert_close(engine.nn.init.dirac_(ours, groups), torch.nn.init.dirac_(theirs, groups))
    torch.manual_seed(1)
    engine.manual_seed(1)
    assert_close(engine.nn.init.xavier_uniform_(ours), torch.nn.init.xavier_uniform_(theirs))


def test_a_generator_of_ones_own_is_used() -> None:
    theirs = torch.nn.init.normal_(torch.empty(4, 4), generator=torch.Generator().manual_seed(7))
    ours = engine.nn.init.normal_(engine.empty(4, 4), generator=engine.Generator().manual_seed(7))
    assert_close(ours, theirs)


@pytest.mark.parametrize("name", ["linear", "conv1d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains_are_pytorchs(name: Any) -> None:
    assert engine.nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert engine.nn.init.calculate_gain(name, 0.3) == torch.nn.init.calculate_gain(name, 0.3)


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (4, 2, 3)])
def test_orthogonal_rows_or_columns_have_length_one(shape: tuple[int, ...]) -> None:
    q = engine.nn.init.orthogonal_(engine.empty(shape, dtype=engine.float64)).numpy().reshape(shape[0], -1)
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


REFUSED: list[tuple[str, Fill]] = [
    ("fan of a vector", lambda i, t: i.xavier_uniform_(t[0])),
    ("mode", lambda i, t: i.kaiming_normal_(t, mode="fan_middle")),
    ("nonlinearity", lambda i, t: i.kaiming_normal_(t, nonlinearity="gelu")),
    ("slope", lambda i, t: i.calculate_gain("leaky_relu", "steep")),
    ("eye of a vector", lambda i, t: i.eye_(t[0])),
    ("orthogonal vector", lambda i, t: i.orthogonal_(t[0])),
    ("dirac of a matrix", lambda i, t: i.dirac_(t)),
    ("sparse vector", lambda i, t: i.sparse_(t[0], 0.5)),
]


@pytest.mark.parametrize(("name", "fill"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, fill: Fill) -> None:
    del name
    with pytest.raises(ValueError, match=r"\w") as expected:
        fill(torch.nn.init, torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"\w") as got:
        fill(engine.nn.init, engine.zeros(3, 4))
    assert str(got.value) == str(expected.value)


def test_warnings_are_pytorchs() -> None:
    with pytest.warns(UserWarning, match="mean is more than 2 std"):
        engine.nn.init.trunc_normal_(engine.empty(3), mean=5.0, a=-1.0, b=1.5)
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        engine.nn.init.kaiming_uniform_(engine.empty(0, 3))
