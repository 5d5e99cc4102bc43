"""The compiled step of a GPT equals the model's, in single and in half precision."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from gradus import backend
from gradus.backend import nn, torch
from gradus.engine import kernels
from gradus.errors import UserError
from gradus.generation import SamplingRule, generate, half_precision
from gradus.generation.decoder import Decoder, decoder
from gradus.models import GPT, GPTConfig, build_model, inference

pytestmark = pytest.mark.skipif(
    backend.name() != "engine" or not kernels.enabled, reason="it is compiled by Numba, for our engine"
)


def gpt(*, bias: bool = True, n_head: int = 3, n_embd: int = 48, block_size: int = 40) -> GPT:
    """A GPT whose predictions are far from equal; 101 tokens, so that no matrix is a multiple of four rows."""
    torch.manual_seed(3)
    model = GPT(GPTConfig(101, block_size, n_layer=2, n_head=n_head, n_embd=n_embd, bias=bias))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(*parameter.shape), alpha=0.5 / n_embd**0.5)
    return model


def text(length: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(length).integers(101, size=(1, length)))


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
@pytest.mark.parametrize(
    "model",
    [gpt(), gpt(bias=False), gpt(n_head=1, n_embd=20), gpt(n_head=4, n_embd=512, block_size=70)],
    ids=["3 heads of 16", "no bias", "1 head of 20", "4 heads of 128"],
)
def test_its_logits_are_those_of_the_model(model: GPT, half: bool) -> None:
    if half:
        half_precision(model)
    compiled, idx = decoder(model), text(model.block_size)
    assert compiled is not None
    with inference(model):
        _, state = model.read(idx[:, :1])
    for place in range(1, model.block_size):
        token = idx[:, place : place + 1]
        assert compiled.takes(token, state)
        logits = compiled.read(token, state)
        with inference(model):
            expected = model(idx[:, : place + 1])[0][:, -1]
        np.testing.assert_allclose(logits.numpy(), expected.numpy(), rtol=0, atol=1e-5)
    assert not compiled.takes(token, state)  # the cache is full


def test_rows_are_continued_by_the_same_tokens_with_it_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("gradus.generation.generate"), "WORTH_COMPILING", 0)
    model, rule = gpt(), SamplingRule(temperature=0.9, top_k=20)
    taken, read = [], Decoder.read

    def counted(self: Decoder, idx: torch.Tensor, cache: object) -> torch.Tensor:
        taken.append(idx)
        return read(self, idx, cache)

    monkeypatch.setattr(Decoder, "read", counted)
    drawn = [generate(model, text(5), 60, rule, generator=torch.Generator().manual_seed(1)).tolist()]
    handle = model.lm_head.register_forward_hook(lambda *_: None)  # whoever watches a model sees every step of it
    assert decoder(model) is None
    drawn.append(generate(model, text(5), 60, rule, generator=torch.Generator().manual_seed(1)).tolist())
    handle.remove()
    assert drawn[0] == drawn[1]
    assert taken


def test_only_a_float32_gpt_with_room_has_one() -> None:
    settings = {"vocab_size": 7, "block_size": 8, "n_layer": 1, "n_head": 1, "n_embd": 8}
    assert decoder(build_model("gpt", **settings)) is not None
    assert decoder(build_model("modern", **settings)) is None
    assert decoder(build_model("gpt", **settings).double()) is None
    for small in ({"block_size": 3}, {"vocab_size": 3}, {"n_embd": 3}):
        assert decoder(build_model("gpt", **{**settings, **small})) is None
    exchanged = build_model("gpt", **settings)
    exchanged.transformer.h[0].mlp.gelu = nn.ReLU()
    assert decoder(exchanged) is None


def test_half_precision_reads_the_weights_as_they_are_when_a_text_begins() -> None:
    model = gpt()
    half_precision(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    compiled = decoder(model)
    assert compiled is not None
    with inference(model):
        _, cache = model.read(text(5))
        expected, _ = model.read(torch.tensor([[1]]), model.read(text(5))[1])
    np.testing.assert_allclose(compiled.read(torch.tensor([[1]]), cache).numpy(), expected.numpy(), rtol=0, atol=2e-2)


def test_half_precision_rounds_matrices_and_refuses_what_it_cannot_hold() -> None:
    model = gpt()
    before = {name: parameter.numpy().copy() for name, parameter in model.state_dict().items()}
    half_precision(model)
    for name, parameter in model.state_dict().items():
        rounded = parameter.ndim == 2
        expected = before[name].astype(np.float16).astype(np.float32) if rounded else before[name]
        np.testing.assert_array_equal(parameter.numpy(), expected)
    with torch.no_grad():
        model.lm_head.weight[0, 0] = 1e6
    with pytest.raises(UserError, match=r"weight has a weight of 1e\+06, which float16"):
        half_precision(model)
    with pytest.raises(UserError, match="are for the model gpt, not bigram"):
        half_precision(build_model("bigram", vocab_size=3, block_size=4))
