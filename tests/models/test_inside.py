"""A look inside: what is seen is what the model computes, and looking changes nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.models import build_model, inference
from gradus.models.gpt import causal_attention
from gradus.models.inside import Layer, attention, embedding, gradients, layers
from gradus.models.windows import windows

IDX = np.random.default_rng(0).integers(0, 7, size=(3, 5))


def test_layers_are_the_outputs_of_the_modules_in_their_order() -> None:
    torch.manual_seed(0)
    model = build_model("mlp", vocab_size=7, block_size=5, context=3, n_embd=4, n_hidden=6, n_layer=2)
    found = layers(model, IDX)
    assert list(found) == ["hidden.2", "hidden.5"]  # each after a linear layer and BatchNorm
    with inference(model):
        h = model.wte(windows(torch.from_numpy(IDX), 3, 5)).flatten(1)
        for number, module in enumerate(model.hidden):
            h = module(h)
            if f"hidden.{number}" in found:
                np.testing.assert_array_equal(found[f"hidden.{number}"].values, h.numpy())
    assert all(layer.saturated is not None for layer in found.values())
    gpt = build_model("gpt", vocab_size=7, block_size=5, n_layer=2, n_head=2, n_embd=8)
    names = list(layers(gpt, IDX))
    assert names == ["transformer.h.0.mlp.gelu", "transformer.h.0", "transformer.h.1.mlp.gelu", "transformer.h.1"]
    with torch.no_grad():
        x = gpt.transformer.wte(torch.from_numpy(IDX)) + gpt.transformer.wpe(torch.arange(5))
        first = gpt.transformer.h[0](x).numpy()
    np.testing.assert_allclose(layers(gpt, IDX)["transformer.h.0"].values, first, rtol=1e-5, atol=1e-6)
    assert layers(build_model("bigram", vocab_size=7, block_size=5), IDX) == {}


def test_saturated_is_where_tanh_passes_hardly_any_gradient() -> None:
    torch.manual_seed(0)
    model = build_model("mlp", vocab_size=7, block_size=5, context=3, n_embd=4, n_hidden=50, n_layer=1, init="plain")
    (layer,) = layers(model, IDX).values()
    expected = (np.abs(layer.values) > math.sqrt(1 - 0.06)).mean()  # 1 - y² < 0.06
    assert 0.1 < expected < 1
    assert layer.saturated == pytest.approx(expected, abs=0.01)


def test_attention_is_that_of_the_written_out_form() -> None:
    torch.manual_seed(0)
    model = build_model("gpt", vocab_size=7, block_size=5, n_layer=2, n_head=2, n_embd=8)
    fused = F.scaled_dot_product_attention
    found = attention(model, IDX[0])
    assert F.scaled_dot_product_attention is fused
    assert [weights.shape for weights in found] == [(2, 5, 5)] * 2
    with torch.no_grad():
        x = model.transformer.wte(torch.from_numpy(IDX[:1])) + model.transformer.wpe(torch.arange(5))
        block = model.transformer.h[0]
        q, k, v = (part.view(1, 5, 2, 4).transpose(1, 2) for part in block.attn.c_attn(block.ln_1(x)).split(8, dim=2))
        weights = causal_attention(q, k, v)[1][0].numpy()
    np.testing.assert_allclose(found[0], weights, rtol=1e-4, atol=1e-6)
    assert attention(build_model("bigram", vocab_size=7, block_size=5), IDX[0]) == []


def test_grouped_queries_attend_to_the_keys_of_their_group() -> None:
    torch.manual_seed(0)
    sizes = {"n_layer": 1, "n_head": 4, "n_kv_head": 2, "n_embd": 16, "rope": False, "qk_norm": False, "smear": False}
    model = build_model("modern", vocab_size=7, block_size=5, **sizes)
    (found,) = attention(model, IDX[0])
    with torch.no_grad():
        block = model.blocks[0]
        x = block.norm_1(model.wte(torch.from_numpy(IDX[:1])) + model.wpe(torch.arange(5)))
        heads = block.attn.c_attn(x).view(5, 8, 4).numpy()  # 4 queries, 2 keys, 2 values of 4 numbers
    for head in range(4):
        scores = np.exp(heads[:, head] @ heads[:, 4 + head // 2].T / 2) * np.tri(5)
        np.testing.assert_allclose(found[head], scores / scores.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6)


def test_embedding_is_the_table_of_the_tokens() -> None:
    model = build_model("nplm", vocab_size=7, block_size=5, n_embd=4)
    vectors = embedding(model)
    assert vectors is not None
    np.testing.assert_array_equal(vectors, model.wte.weight.detach().numpy())
    assert embedding(build_model("ngram", vocab_size=7, block_size=5)) is None


def test_gradients_are_the_differences_of_the_loss() -> None:
    torch.manual_seed(0)
    model = build_model("mlp", vocab_size=7, block_size=5, context=3, n_embd=4, n_hidden=6, n_layer=1, init="plain")
    targets = (IDX + 1) % 7
    at_layers, at_weights = gradients(model, IDX, targets)
    assert all(p.grad is None for p in model.parameters())
    assert at_weights.keys() == {name for name, p in model.named_parameters() if p.dim() > 1}
    weight = model.output[0].weight

    def loss() -> float:
        with inference(model):
            value = model(torch.from_numpy(IDX), torch.from_numpy(targets))[1]
        assert value is not None
        return float(value.item())

    step = 1e-2
    for place in ((0, 0), (3, 2)):
        with torch.no_grad():
            weight[place] += step
            above = loss()
            weight[place] -= 2 * step
            below = loss()
            weight[place] += step
        assert at_weights["output.0.weight"][place] == pytest.approx((above - below) / (2 * step), abs=2e-4)
    # the output layer is linear: dL/dh = dL/dlogits W, and dL/dW = dL/dlogitsᵀ h
    ((name, dh),) = at_layers.items()
    with inference(model):
        logits = model(torch.from_numpy(IDX))[0].numpy().reshape(-1, 7)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    dlogits = (p - np.eye(7)[targets.ravel()]) / IDX.size
    np.testing.assert_allclose(dh, dlogits @ weight.detach().numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        at_weights["output.0.weight"], dlogits.T @ layers(model, IDX)[name].values, rtol=1e-4, atol=1e-6
    )
    assert gradients(build_model("ngram", vocab_size=7, block_size=5), IDX, targets) == ({}, {})


def test_the_layers_of_dilated_convolutions_are_the_stream_after_each() -> None:
    model = build_model("wavenet", vocab_size=7, block_size=5, design="dilated", n_layer=2)
    found = layers(model, IDX)
    assert list(found) == ["layers.0", "layers.1", "output.0", "output.2"]
    with torch.no_grad():
        x, before = model.widen(model.wte(torch.from_numpy(IDX))), model.widen(model.wte.weight[:1])
        np.testing.assert_array_equal(found["layers.0"].values, model.layers[0](x, before)[0].numpy())


@pytest.mark.parametrize(
    "settings",
    [
        *({"name": name} for name in ("nplm", "mlp", "recurrent", "gpt", "modern")),
        *({"name": "wavenet", "design": design} for design in ("tree", "dilated")),
    ],
    ids=lambda settings: "-".join(settings.values()),
)
def test_every_network_shows_its_layers_and_their_gradients(settings: dict[str, Any]) -> None:
    network = build_model(**settings, vocab_size=7, block_size=5)
    found, (at_layers, _) = layers(network, IDX), gradients(network, IDX, IDX)
    assert found
    assert {name: layer.values.size for name, layer in found.items()} == {n: dy.size for n, dy in at_layers.items()}


def test_dead_units_are_flat_for_every_example() -> None:
    flat = np.array([[True, True, False], [True, False, False]])
    layer = Layer(np.zeros((2, 3)), flat)
    assert layer.saturated == 0.5
    assert layer.dead == pytest.approx(1 / 3)
    assert Layer(np.zeros(3)).dead is None


def test_states_of_an_elman_network_are_flat_where_tanh_is() -> None:
    layer = layers(build_model("recurrent", vocab_size=7, block_size=5, cell="rnn"), IDX)["cells"]
    assert layer.flat is not None
    np.testing.assert_array_equal(layer.flat, 1 - layer.values**2 < 0.06)
