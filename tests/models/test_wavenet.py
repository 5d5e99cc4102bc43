"""WaveNet: the lecture's number of parameters, what each layer sees, and that both designs look at the same tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.models import WaveNet, WaveNetConfig, inference, receptive_fields


def test_the_lectures_tree_has_76579_parameters_and_a_first_loss_near_ln_27() -> None:
    torch.manual_seed(42)
    model = WaveNet(WaveNetConfig(27, 16))
    assert (model.num_parameters(), model.config.parameters) == (76_579, 76_579)
    x, y = (torch.from_numpy(np.random.default_rng(i).integers(27, size=(32, 16))) for i in range(2))
    assert model(x, y)[1].item() == pytest.approx(3.3167, abs=0.05)  # the lecture's


@pytest.mark.parametrize("design", ["tree", "dilated"])
def test_a_prediction_sees_what_receptive_fields_say(design: Any) -> None:
    config = WaveNetConfig(9, 24, n_layer=3, n_embd=4, n_hidden=6, design=design)
    torch.manual_seed(0)
    model = WaveNet(config)
    rows = np.tile(np.random.default_rng(0).integers(1, 9, size=(1, 20)), (21, 1))
    for back in range(20):
        rows[back, 19 - back] = 0
    with inference(model):
        logits = model(torch.from_numpy(rows))[0].numpy()[:, -1]
    changed = np.flatnonzero(np.abs(logits[:-1] - logits[-1]).max(axis=1) > 1e-7)
    assert changed.tolist() == receptive_fields(config)[-1] == list(range(8))


def test_receptive_fields_double_from_layer_to_layer() -> None:
    fields = receptive_fields(WaveNetConfig(9, 24, n_layer=4))
    assert [len(field) for field in fields] == [2, 4, 8, 16]
    assert fields[1] == [0, 1, 2, 3]


def test_the_dilated_convolutions_written_out() -> None:
    torch.manual_seed(0)
    config = WaveNetConfig(5, 8, n_layer=2, n_embd=3, n_hidden=4, design="dilated")
    model = WaveNet(config)
    w = {name: value.numpy().astype(np.float64) for name, value in model.state_dict().items()}
    row = [3, 1, 4, 2]
    padded = [0] * 8 + row
    x = w["wte.weight"][padded] @ w["widen.weight"].T + w["widen.bias"]
    total = np.zeros_like(x)
    for k in range(2):
        past = np.concatenate([x[: 2**k], x[: -(2**k)]])
        gates = np.concatenate([past, x], axis=1) @ w[f"layers.{k}.gates.weight"].T + w[f"layers.{k}.gates.bias"]
        z = np.tanh(gates[:, :4]) / (1 + np.exp(-gates[:, 4:]))
        out = z @ w[f"layers.{k}.outputs.weight"].T + w[f"layers.{k}.outputs.bias"]
        x, total = x + out[:, :4], total + out[:, 4:]
    h = np.maximum(np.maximum(total, 0) @ w["output.1.weight"].T + w["output.1.bias"], 0)
    expected = (h @ w["output.3.weight"].T + w["output.3.bias"])[8:]
    with inference(model):
        logits, _ = model(torch.tensor([row]))
    np.testing.assert_allclose(logits.numpy()[0], expected, rtol=0, atol=1e-6)  # float32


def test_too_many_layers_are_refused() -> None:
    with pytest.raises(UserError, match=r"n_layer must be at most 16, since the context is 2\^n_layer, got 17"):
        WaveNetConfig(5, 8, n_layer=17)
