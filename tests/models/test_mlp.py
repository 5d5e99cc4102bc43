"""The MLP: the lecture's numbers of parameters and first losses, and BatchNorm in training and evaluation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import nn, torch
from gradus.models import MLP, MLPConfig, inference
from gradus.models.windows import windows


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"norm": "none"}, 11_897),
        ({}, 12_097),  # with BatchNorm
        ({"n_hidden": 100, "n_layer": 5, "norm_output": True}, 47_024),
        ({"context": 8}, 22_097),
        ({"norm": "rms", "n_layer": 2}, 270 + 30 * 200 + 200 * 200 + 2 * 400 + 201 * 27),
    ],
)
def test_parameters_are_as_many_as_in_the_lectures(settings: dict[str, Any], parameters: int) -> None:
    config = MLPConfig(27, 16, **settings)
    assert (MLP(config).num_parameters(), config.parameters) == (parameters, parameters)


@pytest.mark.parametrize(("init", "low", "high"), [("plain", 15, 40), ("zero-output", 3.3, 4.3), ("kaiming", 3.2, 3.4)])
def test_the_first_loss_is_as_far_from_ln_V_as_the_initialisation_leaves_it(init: Any, low: float, high: float) -> None:
    torch.manual_seed(2147483647)
    model = MLP(MLPConfig(27, 16, norm="none", init=init))
    x, y = (torch.from_numpy(np.random.default_rng(i).integers(27, size=(64, 16))) for i in range(2))
    _, loss = model(x, y)
    assert low < loss.item() < high  # the lecture has 27.9, 3.8 and 3.3; ln 27 is 3.3


def test_windows_are_the_last_tokens_at_each_position() -> None:
    row = torch.tensor([[1, 2, 3, 4]])
    assert windows(row, 3, 4).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert windows(row, 3, 1).tolist() == [[2, 3, 4]]
    assert windows(row, 6, 1).tolist() == [[0, 0, 1, 2, 3, 4]]
    assert windows(row, 1, 2).tolist() == [[3], [4]]


def test_batch_norm_takes_its_statistics_from_scored_positions_alone() -> None:
    x = np.random.default_rng(0).integers(1, 9, size=(6, 7))
    y = np.random.default_rng(1).integers(9, size=(6, 7))
    y[3:, 4:] = -1
    other = x.copy()
    other[3:, 4:] = 0  # as padding would be
    statistics = []
    for rows in (x, other):
        torch.manual_seed(0)
        model = MLP(MLPConfig(9, 7))
        model(torch.from_numpy(rows), torch.from_numpy(y))
        statistics.append(model.state_dict()["hidden.1.running_mean"].numpy().copy())
    np.testing.assert_array_equal(*statistics)


def test_in_evaluation_a_name_alone_has_the_loss_it_has_in_a_batch() -> None:
    torch.manual_seed(0)
    model = MLP(MLPConfig(9, 7))
    x, y = (torch.from_numpy(np.random.default_rng(i).integers(9, size=(32, 7))) for i in range(2))
    for _ in range(300):
        model(x, y)  # nothing is learned, only the running statistics follow
    _, batch = model(x, y)
    with inference(model):
        losses = [model(x[i : i + 1], y[i : i + 1])[1].item() for i in range(len(x))]
        _, evaluated = model(x, y)
    assert np.mean(losses) == pytest.approx(evaluated.item(), rel=1e-5)  # float32
    # The same batch each time: what is remembered differs from its own statistics by what 0.99^300 leaves of the first
    # ones and by n / (n - 1) in the variance.
    assert evaluated.item() == pytest.approx(batch.item(), abs=0.02)


def test_the_formula_written_out() -> None:
    torch.manual_seed(0)
    model = MLP(MLPConfig(5, 4, context=2, n_embd=3, n_hidden=4, n_layer=2, norm="layer"))
    w = {name: value.numpy().astype(np.float64) for name, value in model.state_dict().items()}
    h = np.concatenate([w["wte.weight"][3], w["wte.weight"][1]])
    for layer in (0, 3):
        h = w[f"hidden.{layer}.weight"] @ h
        h = np.tanh((h - h.mean()) / math.sqrt(h.var() + 1e-5))
    expected = w["output.0.weight"] @ h + w["output.0.bias"]
    with inference(model):
        logits, _ = model(torch.tensor([[3, 1]]))
    np.testing.assert_allclose(logits.numpy()[0, 1], expected, rtol=0, atol=1e-6)  # float32


def test_a_layer_before_a_norm_with_a_bias_has_none_of_its_own() -> None:
    for norm, bias in (("none", True), ("rms", True), ("batch", False), ("layer", False), ("group", False)):
        linear = MLP(MLPConfig(9, 7, norm=norm)).hidden[0]  # type: ignore[arg-type]
        assert isinstance(linear, nn.Linear)
        assert (linear.bias is not None) is bias


def test_a_single_window_is_trained_with_the_running_statistics() -> None:
    torch.manual_seed(0)
    model = MLP(MLPConfig(9, 7))
    for step in range(30):
        rows = torch.from_numpy(np.random.default_rng(step).integers(9, size=(8, 8)))
        model(rows[:, :-1], rows[:, 1:])
    x, y = torch.tensor([[1, 2, 3, 4, 5, 6, 7]]), torch.tensor([[-1, -1, -1, -1, -1, -1, 8]])
    before = {name: buffer.clone().numpy() for name, buffer in model.named_buffers()}
    _, loss = model(x, y)
    loss.backward()
    with inference(model):
        assert loss.item() == pytest.approx(model(x, y)[1].item(), rel=1e-6)  # float32
    assert all(np.array_equal(before[name], buffer.numpy()) for name, buffer in model.named_buffers())
    assert model.hidden[0].weight.grad.abs().max().item() > 0
