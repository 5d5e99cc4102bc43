"""`nn.functional`: losses, normalisation, attention, dropout; values and gradients as PyTorch's."""

# ruff: noqa: ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradus.engine as engine
from tests.engine.compare import Program, agree, agree_with_differences, numbers

F: dict[str, Program] = {
    "cross_entropy": lambda t, f, x: f.cross_entropy(x, t.tensor([0, 2, 1, 1])),
    "cross_entropy sum": lambda t, f, x: f.cross_entropy(x, t.tensor([0, 2, 1, 1]), reduction="sum"),
    "cross_entropy none": lambda t, f, x: f.cross_entropy(x, t.tensor([0, 2, 1, 1]), reduction="none"),
    "cross_entropy ignore -1": lambda t, f, x: f.cross_entropy(x, t.tensor([0, -1, 1, -1]), ignore_index=-1),
    "cross_entropy ignore none": lambda t, f, x: f.cross_entropy(
        x, t.tensor([0, -1, 1, -1]), ignore_index=-1, reduction="none"
    ),
    "cross_entropy all ignored": lambda t, f, x: f.cross_entropy(x, t.tensor([-100] * 4)),
    "cross_entropy weight": lambda t, f, x: f.cross_entropy(
        x, t.tensor([0, 2, 1, 1]), weight=t.tensor([1.0, 2.0, 0.5]).double()
    ),
    "cross_entropy smoothing": lambda t, f, x: f.cross_entropy(x, t.tensor([0, 2, 1, -100]), label_smoothing=0.1),
    "cross_entropy smoothing none": lambda t, f, x: f.cross_entropy(
        x, t.tensor([0, 2, 1, -100]), label_smoothing=0.1, reduction="none"
    ),
    "cross_entropy smoothing weight": lambda t, f, x: f.cross_entropy(
        x, t.tensor([0, 2, 1, 1]), label_smoothing=0.1, weight=t.tensor([1.0, 2.0, 0.5]).double()
    ),
    "cross_entropy 1-d": lambda t, f, x: f.cross_entropy(x[0], t.tensor(2)),
    "cross_entropy 3-d": lambda t, f, x: f.cross_entropy(x.reshape(2, 3, 2), t.tensor([[0, 1], [2, 2]])),
    "cross_entropy 3-d none": lambda t, f, x: f.cross_entropy(
        x.reshape(2, 3, 2), t.tensor([[0, 1], [2, 2]]), reduction="none"
    ),
    "cross_entropy of probabilities": lambda t, f, x: f.cross_entropy(x, (x.detach() * 2).softmax(1)),
    "cross_entropy wrong reduction": lambda t, f, x: f.cross_entropy(x, t.tensor([0, 2, 1, 1]), reduction="avg"),
    "cross_entropy negative target": lambda t, f, x: f.cross_entropy(x, t.tensor([0, -2, 1, 1])),
    "cross_entropy of view(-1)": lambda t, f, x: f.cross_entropy(
        x.view(-1, x.size(-1)), t.tensor([[0, 2], [1, 1]]).view(-1)
    ),
    "nll_loss": lambda t, f, x: f.nll_loss(x.log_softmax(1), t.tensor([0, 2, 1, 1])),
    "nll_loss none": lambda t, f, x: f.nll_loss(x.log_softmax(1), t.tensor([0, 2, 1, 1]), reduction="none"),
    "mse_loss": lambda t, f, x: f.mse_loss(x, x.detach() * 2 + 1),
    "mse_loss both": lambda t, f, x: f.mse_loss(x, x * 2 + 1, reduction="sum"),
    "mse_loss none": lambda t, f, x: f.mse_loss(x, x * 2 + 1, reduction="none"),
    "softmax": lambda t, f, x: f.softmax(x, dim=-1),
    "softmax of columns": lambda t, f, x: f.softmax(x, 0),
    "softmax dtype": lambda t, f, x: f.softmax(x, dim=1, dtype=t.float32),
    "softmax of large": lambda t, f, x: f.softmax(x * 1000, dim=1),
    "log_softmax": lambda t, f, x: f.log_softmax(x, dim=-1),
    "layer_norm": lambda t, f, x: f.layer_norm(x, (3,)),
    "layer_norm affine": lambda t, f, x: f.layer_norm(x, (3,), x[0] + 3, x[1], 1e-3),
    "layer_norm weight only": lambda t, f, x: f.layer_norm(x, [3], x[0] + 3),
    "layer_norm of two": lambda t, f, x: f.layer_norm(x, (4, 3), x * 2, x - 1),
    "batch_norm": lambda t, f, x: f.batch_norm(x, None, None, x[0], x[1], True),
    "batch_norm running": lambda t, f, x: _running(t, f, x),
    "batch_norm eval": lambda t, f, x: f.batch_norm(x, t.zeros(3).double(), t.ones(3).double() * 2),
    "batch_norm 3-d": lambda t, f, x: f.batch_norm(x.reshape(2, 3, 2), None, None, training=True),
    "gelu": lambda t, f, x: f.gelu(x),
    "gelu wrong": lambda t, f, x: f.gelu(x, approximate="fast"),
    "relu inplace": lambda t, f, x: f.relu(x * 1, inplace=True),
    "tanh": lambda t, f, x: f.tanh(x),
    "sigmoid": lambda t, f, x: f.sigmoid(x),
    "dropout": lambda t, f, x: f.dropout(x, 0.4),
    "dropout eval": lambda t, f, x: f.dropout(x, 0.4, training=False),
    "dropout all": lambda t, f, x: f.dropout(x, 1.0),
    "dropout inplace": lambda t, f, x: f.dropout(x * 1, 0.5, inplace=True),
    "pad": lambda t, f, x: f.pad(x, (1, 2)),
    "pad both": lambda t, f, x: f.pad(x, (1, 0, 0, 2), value=5.0),
    "pad crop": lambda t, f, x: f.pad(x, (-1, 1)),
    "one_hot": lambda t, f, x: f.one_hot(t.tensor([0, 2])),
    "one_hot float": lambda t, f, x: f.one_hot(t.tensor([0, 2]), num_classes=5).float() @ t.ones(5, 2),
    "one_hot wrong": lambda t, f, x: f.one_hot(x),
    "embedding": lambda t, f, x: f.embedding(t.tensor([[0, 3], [3, 1]]), x),
    "embedding padding": lambda t, f, x: f.embedding(t.tensor([0, 3, 3]), x, padding_idx=3),
    "attention": lambda t, f, x: f.scaled_dot_product_attention(*_qkv(x)),
    "attention causal": lambda t, f, x: f.scaled_dot_product_attention(*_qkv(x), is_causal=True),
    "attention scale": lambda t, f, x: f.scaled_dot_product_attention(*_qkv(x), scale=0.3),
    "attention mask": lambda t, f, x: f.scaled_dot_product_attention(*_qkv(x), attn_mask=t.tril(t.ones(4, 4)).bool()),
    "attention added mask": lambda t, f, x: f.scaled_dot_product_attention(*_qkv(x), attn_mask=x @ x.t()),
    "attention by hand": lambda t, f, x: _by_hand(t, f, x),
    "attention 4-d causal": lambda t, f, x: f.scaled_dot_product_attention(
        *[y[None, None].expand(2, 2, 4, 3) for y in _qkv(x)], is_causal=True
    ),
    "attention of fewer queries": lambda t, f, x: f.scaled_dot_product_attention(x[:2] * 2, x, x + 1),
    "softplus": lambda t, f, x: f.softplus(x, beta=2, threshold=1),
    "normalize": lambda t, f, x: f.normalize(x, dim=1),
    "linear": lambda t, f, x: f.linear(x, x, x[:, 0]),
    "linear of one row": lambda t, f, x: f.linear(x, x[0]),
}


def _running(t: Any, f: Any, x: Any) -> Any:
    mean, var = t.zeros(3).double(), t.ones(3).double()
    return f.batch_norm(x, mean, var, training=True, momentum=0.3), mean, var


def _qkv(x: Any) -> Any:
    return x * 2, x.flip(0), x + 1


def _by_hand(t: Any, f: Any, x: Any) -> Any:
    q, k, v = _qkv(x)
    scores = (q @ k.transpose(-2, -1)) * 3**-0.5
    scores = scores.masked_fill(t.tril(t.ones(4, 4)) == 0, float("-inf"))
    return f.softmax(scores, dim=-1) @ v


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("name", F)
def test_functional_equals_pytorch(name: str, kind: str) -> None:
    def program(t: Any, x: Any) -> Any:
        t.manual_seed(3)
        return F[name](t, t.nn.functional, x)

    skipped = kind == "float32" and any(
        word in name for word in ("weight=", "smoothing weight", "cross_entropy weight", "running", "eval")
    )
    agree(program, numbers(4, 3).astype("float64" if skipped else kind), tolerance=2e-5 if kind == "float32" else 1e-9)


SMOOTH = [
    "cross_entropy",
    "cross_entropy ignore -1",
    "cross_entropy smoothing",
    "nll_loss none",
    "mse_loss both",
    "softmax",
    "log_softmax",
    "layer_norm affine",
    "layer_norm of two",
    "batch_norm",
    "batch_norm 3-d",
    "gelu",
    "pad both",
    "embedding",
    "attention causal",
    "attention added mask",
    "attention by hand",
    "attention 4-d causal",
    "linear",
]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_of_functional_is_its_slope(name: str) -> None:
    agree_with_differences(lambda t, x: F[name](t, t.nn.functional, x), numbers(4, 3))


def test_cross_entropy_of_huge_logits_is_finite() -> None:
    x = engine.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    loss = engine.nn.functional.cross_entropy(x, engine.tensor([1]))
    loss.backward()
    assert loss.item() == pytest.approx(1e4)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [[1.0, -1.0, 0.0]])
