"""The GPT: its forward pass written out in NumPy, its parameters, their first values and names, its limits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.models import GPT, GPTConfig, inference
from gradus.models.gpt import causal_attention, initial_std

Floats = np.ndarray[Any, np.dtype[np.float64]]

GPT2 = GPTConfig(50_257, 1024, n_layer=12, n_head=12, n_embd=768, bias=True)


def gpt_by_hand(w: dict[str, Floats], config: GPTConfig, row: list[int]) -> Floats:
    """(T, V) the logits of one row, one head and one position at a time."""

    def norm(x: Floats, name: str) -> Floats:
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return y * w[f"{name}.weight"] + w.get(f"{name}.bias", np.zeros(1))

    def linear(x: Floats, name: str) -> Floats:
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", np.zeros(1))

    def gelu(x: Floats) -> Floats:
        y: Floats = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return y

    hs, C = config.n_embd // config.n_head, config.n_embd
    x = w["transformer.wte.weight"][row] + w["transformer.wpe.weight"][: len(row)]
    for layer in range(config.n_layer):
        at = f"transformer.h.{layer}"
        qkv = linear(norm(x, f"{at}.ln_1"), f"{at}.attn.c_attn")
        y = np.zeros_like(x)
        for head in range(config.n_head):
            q, k, v = (qkv[:, part * C + head * hs : part * C + (head + 1) * hs] for part in range(3))
            for t in range(len(row)):
                weights = np.exp(k[: t + 1] @ q[t] / math.sqrt(hs))
                y[t, head * hs : (head + 1) * hs] = weights @ v[: t + 1] / weights.sum()
        x = x + linear(y, f"{at}.attn.c_proj")
        x = x + linear(gelu(linear(norm(x, f"{at}.ln_2"), f"{at}.mlp.c_fc")), f"{at}.mlp.c_proj")
    return norm(x, "transformer.ln_f") @ w["transformer.wte.weight"].T


@pytest.mark.parametrize("bias", [False, True])
def test_logits_are_gpt2s_architecture(bias: bool) -> None:
    config = GPTConfig(13, 7, n_layer=2, n_head=3, n_embd=12, bias=bias)
    model = GPT(config)
    rng = np.random.default_rng(0)
    w = {
        name: rng.normal(size=tuple(p.shape)) * 0.4 for name, p in model.named_parameters()
    }  # large: nothing is linear
    saved = {name: torch.tensor(array, dtype=torch.float32) for name, array in w.items()}
    tied = "transformer.wte.weight", "lm_head.weight"
    for name, other in (tied, tied[::-1]):
        if name in w:
            w[other], saved[other] = w[name], saved[name]
    model.load_state_dict(saved)
    x = rng.integers(13, size=(2, 7))
    with inference(model):
        logits = model(torch.from_numpy(x))[0].numpy()
    for row in range(2):
        np.testing.assert_allclose(logits[row], gpt_by_hand(w, config, x[row].tolist()), rtol=0, atol=2e-4)  # float32


def test_gpt2_has_124439808_parameters() -> None:
    assert GPT2.parameters == 124_439_808


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("n_layer", "n_embd"), [(1, 4), (3, 12)])
def test_parameters_counted_from_the_shapes_are_those_of_the_model(bias: bool, n_layer: int, n_embd: int) -> None:
    config = GPTConfig(13, 7, n_layer=n_layer, n_head=2, n_embd=n_embd, bias=bias)
    assert GPT(config).num_parameters() == config.parameters


@pytest.mark.slow
def test_gpt2_built_has_124439808_parameters() -> None:
    assert GPT(GPT2).num_parameters() == 124_439_808


def test_the_head_is_the_token_embedding() -> None:
    model = GPT(GPTConfig(13, 7, n_layer=1, n_head=2, n_embd=4))
    assert model.lm_head.weight is model.transformer.wte.weight
    assert len({name for name, _ in model.named_parameters()} & {"lm_head.weight", "transformer.wte.weight"}) == 1


def test_projections_into_the_residual_stream_start_smaller() -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(65, 64, n_layer=8, n_head=4, n_embd=64, bias=True))
    for name, parameter in model.named_parameters():
        values = parameter.detach().numpy()
        if name.endswith("bias"):
            assert not values.any(), name
        elif ".ln_" in name:
            assert (values == 1).all(), name
        else:
            std = initial_std(64) / math.sqrt(16) if name.endswith("c_proj.weight") else initial_std(64)
            assert values.std() == pytest.approx(std, rel=0.06), name  # 4096 numbers: 4 standard errors are 4.4 %


def test_at_gpt2s_width_the_first_weights_are_gpt2s() -> None:
    assert initial_std(768) == 0.02
    assert initial_std(192) == pytest.approx(0.04)


def test_saved_names_are_nanogpts() -> None:
    model = GPT(GPTConfig(13, 7, n_layer=1, n_head=2, n_embd=4, bias=True))
    block = [
        f"transformer.h.0.{name}.{kind}"
        for name in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
        for kind in ("weight", "bias")
    ]
    names = ["transformer.wte.weight", "transformer.wpe.weight", *block, "transformer.ln_f.weight"]
    assert list(model.state_dict()) == [*names, "transformer.ln_f.bias", "lm_head.weight"]


def test_a_row_longer_than_block_size_is_refused() -> None:
    model = GPT(GPTConfig(13, 7, n_layer=1, n_head=2, n_embd=4))
    with pytest.raises(ValueError, match="a row of 8 tokens is longer than block_size 7"):
        model(torch.zeros((1, 8), dtype=torch.long))


def test_dropout_works_in_training_only() -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(13, 7, n_layer=1, n_head=2, n_embd=16, dropout=0.5))
    x = torch.zeros((1, 7), dtype=torch.long)
    first, second = (model(x)[0].detach().numpy() for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    with inference(model):
        first, second = (model(x)[0].numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("shape", [(1, 1, 1, 4), (2, 3, 5, 8), (2, 2, 70, 16)])
def test_attention_written_out_equals_the_fused_call(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(np.float32) for _ in range(4)]
    dy = torch.from_numpy(arrays[3])

    def run(attention: Any) -> tuple[Any, list[Any]]:
        q, k, v = (torch.from_numpy(array.copy()).requires_grad_() for array in arrays[:3])
        y = attention(q, k, v)
        y.backward(dy)
        return y.detach().numpy(), [np.asarray(x.grad) for x in (q, k, v)]

    y, gradients = run(lambda q, k, v: causal_attention(q, k, v)[0])
    fused, fused_gradients = run(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True))
    for a, b in zip([y, *gradients], [fused, *fused_gradients], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5)  # float32, sums of up to 70 terms
