"""The NPLM: its formula written out in NumPy, its number of parameters, its first activations."""

from __future__ import annotations

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import NPLM, NPLMConfig, inference


@pytest.mark.parametrize(("n_hidden", "direct"), [(5, False), (5, True), (0, True)])
@pytest.mark.parametrize("context", [1, 3, 9])
def test_logits_are_the_papers_formula(context: int, n_hidden: int, direct: bool) -> None:
    model = NPLM(NPLMConfig(7, 8, context=context, n_embd=4, n_hidden=n_hidden, direct=direct))
    x = np.random.default_rng(0).integers(7, size=(2, 6))
    w = {name: value.numpy().astype(np.float64) for name, value in model.state_dict().items()}
    with inference(model):
        logits = model(torch.from_numpy(x))[0].numpy()
    for b in range(2):
        for t in range(6):
            window = ([0] * context + x[b, : t + 1].tolist())[-context:]
            e = np.concatenate([w["wte.weight"][token] for token in window])
            h = np.tanh(w["hidden.bias"] + w["hidden.weight"] @ e) if n_hidden else np.zeros(0)
            U, W = np.split(w["output.weight"], [n_hidden], axis=1)
            expected = w["output.bias"] + U @ h + (W @ e if direct else 0.0)
            np.testing.assert_allclose(logits[b, t], expected, rtol=0, atol=1e-6)  # float32


def test_the_lectures_network_has_11897_parameters() -> None:
    assert NPLM(NPLMConfig(27, 16, context=3, n_embd=10, n_hidden=200)).num_parameters() == 11_897


def test_first_activations_of_the_tanh_layer_are_neither_lost_nor_saturated() -> None:
    torch.manual_seed(0)
    model = NPLM(NPLMConfig(100, 16, context=4, n_embd=16, n_hidden=300))
    assert model.hidden is not None
    before = model.hidden(torch.randn(200, 64)).detach().numpy()
    assert before.std() == pytest.approx(5 / 3, rel=0.05)  # 19,200 weights and 200 inputs: a few percent of noise
