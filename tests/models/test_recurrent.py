"""Recurrent networks: the state that is carried from one window to the next, and where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import Recurrent, RecurrentConfig, inference

V, T = 7, 5
every_cell = pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])


def network(cell: Any = "lstm", **settings: Any) -> Recurrent:
    torch.manual_seed(0)
    return Recurrent(RecurrentConfig(V, T, cell=cell, n_embd=4, n_hidden=6, n_layer=2, **settings))


def rows(seed: int, length: int = T) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(V, size=(3, length)))


@every_cell
def test_carried_windows_are_one_long_row(cell: Any) -> None:
    carrying, plain = network(cell, carry=True), network(cell)
    x = rows(0, 3 * T)
    pieces = [carrying(x[:, i : i + T])[0].detach().numpy() for i in range(0, 3 * T, T)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), plain(x)[0].detach().numpy(), rtol=0, atol=1e-6)


@every_cell
def test_the_gradient_stops_at_the_edge_of_a_window(cell: Any) -> None:
    model = network(cell, carry=True)
    model(torch.full((1, T), 1))
    logits, _ = model(torch.full((1, T), 2))
    logits.sum().backward()
    assert model.wte.weight.grad is not None
    seen = model.wte.weight.grad.abs().sum(dim=1).numpy() > 0
    assert seen.tolist() == [token == 2 for token in range(V)]  # the window before had only 1


def test_without_carry_each_row_begins_anew() -> None:
    model = network()
    model(rows(1))
    assert model.state is None
    np.testing.assert_array_equal(model(rows(2))[0].detach().numpy(), network()(rows(2))[0].detach().numpy())


def test_inference_begins_without_a_state_and_gives_the_old_one_back() -> None:
    model = network(carry=True)
    model(rows(1))
    before = model.state
    with inference(model):
        logits, _ = model(rows(2))
        assert model.state is not before
    assert model.state is before
    np.testing.assert_array_equal(logits.numpy(), network()(rows(2))[0].detach().numpy())


def test_the_number_of_parameters_is_known_beforehand() -> None:
    for cell in ("rnn", "gru", "lstm"):
        model = network(cell)
        assert model.num_parameters() == model.config.parameters


def test_an_lstm_remembers_at_first() -> None:
    bias = dict(network().named_parameters())["cells.bias_ih_l1"].detach().numpy()
    assert bias[6:12].tolist() == [1.0] * 6  # the forget gate's
    assert np.abs(np.delete(bias, range(6, 12))).max() < 0.5
