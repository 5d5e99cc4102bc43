"""The modern Transformer: each change against its formula, and the number of parameters of every setting."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.models import Modern, ModernConfig, inference
from gradus.models.modern import MLP, Attention, rotate, rotation

Floats = np.ndarray[Any, np.dtype[np.float64]]


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


@pytest.mark.parametrize("qk_norm", [True, False])
@pytest.mark.parametrize("rope", [True, False])
@pytest.mark.parametrize("value_embeddings", [True, False])
@pytest.mark.parametrize("n_kv_head", [0, 1, 2])
def test_attention_is_its_formula(qk_norm: bool, rope: bool, value_embeddings: bool, n_kv_head: int) -> None:
    torch.manual_seed(0)
    config = ModernConfig(
        7, 6, n_head=4, n_embd=16, n_kv_head=n_kv_head, qk_norm=qk_norm, rope=rope, value_embeddings=value_embeddings
    )
    layer, T, hs, nkv = Attention(config), 6, 4, n_kv_head or 4
    x, idx = torch.randn(1, T, 16), torch.tensor([[3, 1, 4, 1, 5, 2]])
    with torch.no_grad():
        found = layer(x, idx, rotation(T, hs) if rope else None)[0].numpy()
    state = {name: tensor.numpy().astype(np.float64) for name, tensor in layer.state_dict().items()}
    parts = x[0].numpy() @ state["c_attn.weight"].T  # (T, (nq + 2 nkv) * hs)
    q, k, v = np.split(parts.reshape(T, 4 + 2 * nkv, hs), [4, 4 + nkv], axis=1)  # (T, heads, hs)
    if value_embeddings:
        v = v + state["value_embedding.weight"][idx[0].numpy()].reshape(T, nkv, hs)
    if qk_norm:
        q, k = (a / np.sqrt((a**2).mean(axis=-1, keepdims=True)) for a in (q, k))
    if rope:
        q, k = turned(q), turned(k)
    out = np.empty((T, 4, hs))
    for t, head in itertools.product(range(T), range(4)):
        group = head * nkv // 4
        weights = np.exp(k[: t + 1, group] @ q[t, head] / np.sqrt(hs))
        out[t, head] = weights / weights.sum() @ v[: t + 1, group]
    np.testing.assert_allclose(found, out.reshape(T, 16) @ state["c_proj.weight"].T, rtol=0, atol=2e-6)


def turned(x: Floats) -> Floats:
    """(T, heads, 4): the pairs (0, 2) and (1, 3) as points in the plane, turned by the position times 1 and 1 / 100."""
    points = x[..., :2] + 1j * x[..., 2:]
    points = points * np.exp(1j * np.arange(len(x))[:, None, None] * [1, 0.01])
    return np.concatenate([points.real, points.imag], axis=-1)


@pytest.mark.parametrize("kind", ["relu2", "swiglu", "gelu"])
def test_the_mlp_is_its_formula(kind: Any) -> None:
    torch.manual_seed(0)
    config = ModernConfig(7, 6, n_head=2, n_embd=12, mlp=kind)
    layer, x = MLP(config), torch.randn(2, 3, 12)
    with torch.no_grad():
        found = layer(x).numpy()
    state = {name: tensor.numpy().astype(np.float64) for name, tensor in layer.state_dict().items()}
    h = x.numpy() @ state["c_fc.weight"].T
    if kind == "swiglu":
        gate, h = np.split(h, 2, axis=-1)
        h = gate / (1 + np.exp(-gate)) * h
    elif kind == "relu2":
        h = np.maximum(h, 0) ** 2
    else:
        h = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
    assert h.shape == (2, 3, config.hidden)
    np.testing.assert_allclose(found, h @ state["c_proj.weight"].T, rtol=0, atol=1e-6)


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
