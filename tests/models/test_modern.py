"""The modern Transformer: each change against its formula, and the number of parameters of every setting."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.models import Modern, ModernConfig, inference
from gradus.models.modern import Attention, rotate, rotation


def test_rope_turns_pairs_by_position_times_frequency() -> None:
    x = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    turned = rotate(torch.from_numpy(x), *rotation(5, 6)).numpy()
    for t, i in itertools.product(range(5), range(3)):
        point = complex(x[t, i], x[t, i + 3]) * np.exp(1j * t * 10_000.0 ** (-i / 3))
        np.testing.assert_allclose([turned[t, i], turned[t, i + 3]], [point.real, point.imag], rtol=0, atol=1e-6)


def test_with_rope_a_score_depends_on_the_distance_alone() -> None:
    q, k = (np.random.default_rng(i).normal(size=(1, 8)).astype(np.float32) for i in (0, 1))
    cos, sin = rotation(30, 8)
    many_q, many_k = (rotate(torch.from_numpy(np.repeat(a, 30, axis=0)), cos, sin) for a in (q, k))
    scores = (many_q @ many_k.T).numpy()
    for distance in (0, 1, 7):
        diagonal = np.diagonal(scores, -distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=0, atol=1e-5)  # float32


def test_grouped_queries_are_full_attention_with_repeated_keys_and_values() -> None:
    torch.manual_seed(0)
    config = ModernConfig(7, 6, n_head=4, n_kv_head=2, n_embd=16, rope=False, qk_norm=False)
    grouped = Attention(config)
    full = Attention(ModernConfig(7, 6, n_head=4, n_embd=16, rope=False, qk_norm=False))
    weight = grouped.c_attn.weight.detach().numpy()  # 4 queries, 2 keys, 2 values, 4 rows each
    heads = weight.reshape(8, 4, 16)
    repeated = heads[[0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7]].reshape(48, 16)
    with torch.no_grad():
        full.c_attn.weight.copy_(torch.from_numpy(repeated.copy()))
        full.c_proj.weight.copy_(grouped.c_proj.weight)
        x, idx = torch.randn(2, 6, 16), torch.zeros(2, 6, dtype=torch.long)
        np.testing.assert_allclose(grouped(x, idx, None).numpy(), full(x, idx, None).numpy(), rtol=0, atol=1e-6)


def test_normalised_queries_and_keys_have_mean_square_one() -> None:
    x = torch.randn(3, 4, 8) * 100
    np.testing.assert_allclose(F.rms_norm(x, (8,)).square().mean(-1).numpy(), 1, rtol=1e-4)


def test_no_logit_is_beyond_the_soft_cap() -> None:
    torch.manual_seed(0)
    model = Modern(ModernConfig(7, 6, n_layer=1, n_embd=16, soft_cap=3.0))
    with inference(model):
        model.lm_head.weight.fill_(1.0).mul_(torch.arange(7.0)[:, None] - 3)
        logits, _ = model(torch.tensor([[1, 2, 3]]))
    assert 2.9 < logits.abs().max().item() <= 3.0


def test_smear_adds_a_share_of_the_token_before() -> None:
    torch.manual_seed(0)
    config = ModernConfig(7, 6, n_layer=1, n_embd=8, n_head=2)  # its blocks add nothing at first
    model = Modern(config)
    with inference(model):
        model.smear.copy_(torch.full((8,), 0.5))  # type: ignore[union-attr]
        model.lm_head.weight.normal_()
        logits, _ = model(torch.tensor([[3, 5]]))
        e = model.wte.weight
        stream = torch.stack([e[3], e[5] + 0.5 * e[3]])
        expected = 15 * torch.tanh(F.rms_norm(stream, (8,)) @ model.lm_head.weight.T / 15)
    np.testing.assert_allclose(logits[0].numpy(), expected.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tied": True, "smear": False},
        {"mlp": "swiglu", "value_embeddings": True, "n_kv_head": 1},
        {"rope": False, "rms_norm": False},
    ],
)
def test_the_number_of_parameters_is_known_beforehand(settings: dict[str, Any]) -> None:
    config = ModernConfig(11, 16, n_layer=2, n_head=2, n_embd=24, **settings)
    assert Modern(config).num_parameters() == config.parameters


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_head": 4, "n_kv_head": 3}, "n_head must be a multiple of n_kv_head, got n_head 4 and n_kv_head 3"),
        ({"n_embd": 12, "n_head": 4}, "rope needs heads of an even size n_embd / n_head, got 3"),
        ({"soft_cap": -1.0}, "soft_cap must be 0 or more, got -1.0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        ModernConfig(11, 16, **settings)
    assert str(error.value) == message
