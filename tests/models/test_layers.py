"""The Transformer's layers against PyTorch's own, and against the formula written out."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest

from gradus.backend import nn, torch
from gradus.models.layers import (
    CachedKeys,
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    MultiHeadAttention,
    padding_mask,
    sinusoids,
)

Floats = np.ndarray[Any, np.dtype[np.float32]]

B, T, S, C, HEADS, HIDDEN = 3, 5, 7, 12, 3, 20
SOURCE = np.array([[1] * 7, [1] * 4 + [-1] * 3, [1] + [-1] * 6])  # rows of 7, 4 and 1 tokens
TARGET = np.array([[1] * 5, [1] * 3 + [-1] * 2, [1] * 4 + [-1]])


def floats(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def share_weights(ours: nn.Module, theirs: Any) -> dict[str, str]:
    """Give PyTorch's layer our weights, and all of them other values than at first; the name of each of theirs that is
    one of ours as it is."""
    reference = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    with torch.no_grad():
        for parameter in ours.parameters():
            noise = generator.normal(scale=0.1, size=tuple(parameter.shape)).astype(np.float32)
            parameter.add_(torch.from_numpy(noise))
    w = {name: reference.tensor(p.detach().numpy()) for name, p in ours.named_parameters()}
    names = {"feed_forward.inside": "linear1", "feed_forward.outside": "linear2"}
    names |= {f"add_{i}.norm": f"norm{i}" for i in (1, 2, 3)}
    attentions = {"attention": "self_attn", "cross_attention": "multihead_attn"}
    names |= {f"{a}.output": f"{b}.out_proj" for a, b in attentions.items()}
    same = {
        f"{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": name
        for name in w
        if name.rpartition(".")[0] in names
    }
    state = {name: w[of] for name, of in same.items()}
    for a, b in attentions.items():
        if f"{a}.query.weight" in w:
            for kind in ("weight", "bias"):  # PyTorch keeps the three in one
                parts = [w[f"{a}.{part}.{kind}"] for part in ("query", "key", "value")]
                state[f"{b}.in_proj_{kind}"] = reference.cat(parts)
    theirs.load_state_dict(state)
    return same


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_an_encoder_layer_is_pytorchs(norm: Literal["pre", "post"], activation: Literal["relu", "gelu"]) -> None:
    reference = pytest.importorskip("torch")
    ours = EncoderLayer(C, HEADS, HIDDEN, norm=norm, activation=activation)
    theirs = reference.nn.TransformerEncoderLayer(
        C, HEADS, HIDDEN, dropout=0.0, activation=activation, batch_first=True, norm_first=norm == "pre"
    )
    same = share_weights(ours, theirs)
    seen = SOURCE >= 0
    x, dy = floats(1, B, S, C), floats(2, B, S, C) * seen[:, :, None]  # what comes out at padding is nobody's concern
    a, b = torch.tensor(x, requires_grad=True), reference.tensor(x, requires_grad=True)
    y = ours(a, padding_mask(torch.from_numpy(SOURCE)))
    expected = theirs(b, src_key_padding_mask=reference.from_numpy(~seen))
    y.backward(torch.from_numpy(dy))
    expected.backward(reference.from_numpy(dy))
    np.testing.assert_allclose(y.detach().numpy()[seen], expected.detach().numpy()[seen], rtol=0, atol=1e-5)
    np.testing.assert_allclose(grad(a), grad(b), rtol=0, atol=1e-5)
    gradients_agree(ours, theirs, same)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_decoder_layer_is_pytorchs(norm: Literal["pre", "post"]) -> None:
    reference = pytest.importorskip("torch")
    ours = DecoderLayer(C, HEADS, HIDDEN, norm=norm)
    theirs = reference.nn.TransformerDecoderLayer(
        C, HEADS, HIDDEN, dropout=0.0, batch_first=True, norm_first=norm == "pre"
    )
    same = share_weights(ours, theirs)
    seen = TARGET >= 0
    arrays = floats(1, B, T, C), floats(2, B, S, C)
    dy = floats(3, B, T, C) * seen[:, :, None]
    a, memory = (torch.tensor(array, requires_grad=True) for array in arrays)
    b, their_memory = (reference.tensor(array, requires_grad=True) for array in arrays)
    y = ours(a, memory, padding_mask(torch.from_numpy(SOURCE)))
    expected = theirs(
        b,
        their_memory,
        tgt_mask=reference.ones(T, T, dtype=reference.bool).triu(1),  # theirs says what may not be seen
        tgt_key_padding_mask=reference.from_numpy(~seen),
        memory_key_padding_mask=reference.from_numpy(SOURCE < 0),
    )
    y.backward(torch.from_numpy(dy))
    expected.backward(reference.from_numpy(dy))
    np.testing.assert_allclose(y.detach().numpy()[seen], expected.detach().numpy()[seen], rtol=0, atol=1e-5)
    for mine, other in ((a, b), (memory, their_memory)):
        np.testing.assert_allclose(grad(mine), grad(other), rtol=0, atol=1e-5)
    gradients_agree(ours, theirs, same)


def grad(tensor: Any) -> Any:
    return tensor.grad.numpy()


def gradients_agree(ours: nn.Module, theirs: Any, same: dict[str, str]) -> None:
    g = {name: grad(p) for name, p in ours.named_parameters()}
    for name, parameter in theirs.named_parameters():
        if name in same:
            expected = g[same[name]]
        else:
            attention, kind = name.split(".in_proj_")
            mine = {"self_attn": "attention", "multihead_attn": "cross_attention"}[attention]
            expected = np.concatenate([g[f"{mine}.{part}.{kind}"] for part in ("query", "key", "value")])
        np.testing.assert_allclose(expected, grad(parameter), rtol=0, atol=1e-5, err_msg=name)


def test_attention_written_out_one_head_and_one_position_at_a_time() -> None:
    attention = MultiHeadAttention(C, HEADS)
    x, source = floats(4, B, T, C), floats(5, B, S, C)
    w = {name: p.detach().numpy().astype(np.float64) for name, p in attention.named_parameters()}

    def linear(x: Any, name: str) -> Any:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    hs, expected = C // HEADS, np.zeros((B, T, C))
    for b, t, head in np.ndindex(B, T, HEADS):
        q, k, v = (
            linear(array[b], name)[:, head * hs : (head + 1) * hs]
            for array, name in ((x, "query"), (source, "key"), (source, "value"))
        )
        keys = SOURCE[b] >= 0
        weights = np.exp(k[keys] @ q[t] / math.sqrt(hs))
        expected[b, t, head * hs : (head + 1) * hs] = weights @ v[keys] / weights.sum()
    with torch.no_grad():
        y = attention(torch.from_numpy(x), torch.from_numpy(source), padding_mask(torch.from_numpy(SOURCE)))
    np.testing.assert_allclose(y.numpy(), linear(expected, "output"), rtol=0, atol=1e-5)


@pytest.mark.parametrize("pieces", [[1, 1, 1, 1, 1], [2, 3], [3, 1, 1], [5]])
@pytest.mark.parametrize("cross_attention", [True, False])
def test_a_decoder_layer_reads_piece_by_piece_what_it_reads_at_once(pieces: list[int], cross_attention: bool) -> None:
    layer = DecoderLayer(C, HEADS, cross_attention=cross_attention)
    x, memory, mask = torch.from_numpy(floats(6, B, T, C)), torch.from_numpy(floats(7, B, S, C)), torch.tensor(SOURCE)
    with torch.no_grad():
        whole = layer(x, memory, padding_mask(mask)).numpy()
        cache: CachedKeys = {}
        ends = np.cumsum(pieces)
        parts = [
            layer(x[:, end - n : end], memory, padding_mask(mask), cache).numpy()
            for n, end in zip(pieces, ends, strict=True)
        ]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=0, atol=1e-5)


def test_without_cross_attention_the_memory_is_never_seen() -> None:
    layer = DecoderLayer(C, HEADS, cross_attention=False)
    x = torch.from_numpy(floats(6, B, T, C))
    with torch.no_grad():
        one, other = (layer(x, torch.from_numpy(floats(seed, B, S, C))).numpy() for seed in (7, 8))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_embd", [1, 6, 7])
def test_sinusoids_are_the_papers_formula(n_embd: int) -> None:
    expected = np.zeros((9, n_embd))
    for pos, i in np.ndindex(9, n_embd):
        angle = pos / 10_000 ** (2 * (i // 2) / n_embd)
        expected[pos, i] = math.sin(angle) if i % 2 == 0 else math.cos(angle)
    np.testing.assert_allclose(sinusoids(9, n_embd).numpy(), expected, rtol=0, atol=1e-6)


def test_dropout_works_in_training_only() -> None:
    for layer in (EncoderLayer(C, HEADS, dropout=0.5), FeedForward(C, HIDDEN, dropout=0.5)):
        x = torch.from_numpy(floats(9, 1, T, C))
        first, second = (layer(x).detach().numpy() for _ in range(2))
        assert np.abs(first - second).max() > 1e-3
        layer.eval()
        first, second = (layer(x).detach().numpy() for _ in range(2))
        np.testing.assert_array_equal(first, second)
