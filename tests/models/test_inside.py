"""A look inside: what is seen is what the model computes, and looking changes nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.models import build_model
from gradus.models.gpt import causal_attention
from gradus.models.inside import attention, embedding, layers

IDX = np.random.default_rng(0).integers(0, 7, size=(3, 5))


def test_layers_are_the_outputs_of_the_modules_in_their_order() -> None:
    torch.manual_seed(0)
    model = build_model("mlp", vocab_size=7, block_size=5, context=3, n_embd=4, n_hidden=6, n_layer=2)
    found = layers(model, IDX)
    assert list(found) == ["hidden.1", "hidden.3"] or all(name.startswith("hidden.") for name in found)
    assert all(layer.saturated is not None and np.abs(layer.values).max() <= 1 for layer in found.values())
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


def test_embedding_is_the_table_of_the_tokens() -> None:
    model = build_model("nplm", vocab_size=7, block_size=5, n_embd=4)
    vectors = embedding(model)
    assert vectors is not None
    np.testing.assert_array_equal(vectors, model.wte.weight.detach().numpy())
    assert embedding(build_model("ngram", vocab_size=7, block_size=5)) is None
