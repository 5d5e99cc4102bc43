"""Cached generation equals uncached: logit for logit and token for token, for every model, past its context too."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gradus.backend import torch
from gradus.generation import SamplingRule, generate
from gradus.models import LanguageModel, Recurrent, build_model, inference
from tests.models import test_contract as contract

V, BLOCK = contract.V, contract.BLOCK
TOLERANCE = 1e-5  # a product of one row sums in another order than one of many
CASES = [*contract.CASES, "mixture: of a gpt", "modern: one head of keys"]
every_model = pytest.mark.parametrize("name", CASES)
attention = pytest.mark.parametrize("name", [name for name in CASES if "gpt" in name or "modern" in name])


@cache
def model_named(name: str) -> LanguageModel:
    """A model whose predictions depend on all that it can see."""
    if name == "mixture: of a gpt":
        network = '{"name": "gpt", "n_layer": 2, "n_head": 2, "n_embd": 32}'
        model = build_model("mixture", vocab_size=V, block_size=BLOCK, network=network, order=3)
    elif name == "modern: one head of keys":
        model = build_model("modern", vocab_size=V, block_size=BLOCK, n_layer=2, n_head=4, n_kv_head=1, n_embd=32)
    else:
        model = contract.small(name)
    if hasattr(model, "count"):
        model.count(contract.random_rows(0), contract.random_rows(1))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(*parameter.shape, generator=generator), alpha=0.1)
    return model


def text(batch: int, length: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng([batch, length]).integers(V, size=(batch, length)))


def uncached(model: LanguageModel, idx: torch.Tensor) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The logits (B, V) after rows, of which all but a recurrent model see the last block_size tokens."""
    with inference(model):
        logits: np.ndarray[tuple[int, int], np.dtype[np.float32]]
        logits = model(idx if isinstance(model, Recurrent) else idx[:, -BLOCK:])[0][:, -1].numpy()
    return logits


@every_model
@pytest.mark.parametrize(("batch", "prompt"), [(1, 1), (1, BLOCK), (3, 3), (2, 2 * BLOCK + 1)])
def test_cached_logits_equal_uncached_ones(name: str, batch: int, prompt: int) -> None:
    model, idx, state = model_named(name), text(batch, prompt + 2 * BLOCK), None
    start = 0
    for end in range(prompt, idx.size(1) + 1):
        with inference(model):
            logits, state = model.read(idx[:, start:end], state)
        np.testing.assert_allclose(logits.numpy(), uncached(model, idx[:, :end]), rtol=0, atol=TOLERANCE)
        start = end


@every_model
def test_cached_tokens_equal_uncached_ones(name: str) -> None:
    model, idx = model_named(name), text(2, 3)
    drawn = generate(model, idx, 2 * BLOCK, SamplingRule(temperature=0))
    for _ in range(2 * BLOCK):
        idx = torch.cat([idx, torch.from_numpy(uncached(model, idx).argmax(axis=1))[:, None]], dim=1)
    assert drawn.tolist() == idx.tolist()


@every_model
def test_several_tokens_are_read_at_once(name: str) -> None:
    model, idx = model_named(name), text(2, 2 * BLOCK)
    with inference(model):
        _, state = model.read(idx[:, :3])
        logits, state = model.read(idx[:, 3:7], state)
        np.testing.assert_allclose(logits.numpy(), uncached(model, idx[:, :7]), rtol=0, atol=TOLERANCE)
        logits, state = model.read(idx[:, 7:11], state)  # past the context
    np.testing.assert_allclose(logits.numpy(), uncached(model, idx[:, :11]), rtol=0, atol=TOLERANCE)


@every_model
def test_rows_of_different_lengths_are_read_as_if_alone(name: str) -> None:
    model, lengths = model_named(name), (2, BLOCK + 3, 5, 1)
    rows = [text(1, n + 2 * BLOCK)[0] for n in lengths]
    with inference(model):
        logits, state = model.read_rows([row[:n] for row, n in zip(rows, lengths, strict=True)])
    for step in range(2 * BLOCK):
        expected = [uncached(model, row[None, : n + step]) for row, n in zip(rows, lengths, strict=True)]
        np.testing.assert_allclose(logits.numpy(), np.concatenate(expected), rtol=0, atol=TOLERANCE)
        new = torch.stack([row[n + step : n + step + 1] for row, n in zip(rows, lengths, strict=True)])
        with inference(model):
            logits, state = model.read(new, state)


@attention
def test_rows_of_different_lengths_take_several_tokens_at_once(name: str) -> None:
    model, rows = model_named(name), [text(1, 6)[0], text(1, 4)[0]]
    with inference(model):
        _, state = model.read_rows([rows[0][:4], rows[1][:2]])
        logits, _ = model.read(torch.stack([rows[0][4:], rows[1][2:]]), state)
    expected = np.concatenate([uncached(model, row[None]) for row in rows])
    np.testing.assert_allclose(logits.numpy(), expected, rtol=0, atol=TOLERANCE)


@attention
def test_a_step_within_the_context_computes_one_position(name: str) -> None:
    model, widths = model_named(name), []
    network = getattr(model, "network", model)
    layer = network.get_submodule("transformer.h.0.mlp" if hasattr(network, "transformer") else "blocks.0.mlp")
    hook = layer.register_forward_hook(lambda _, inputs, __: widths.append(inputs[0].shape[1]))
    generate(model, text(1, 3), 5)
    hook.remove()
    assert widths == [3, 1, 1, 1, 1]
