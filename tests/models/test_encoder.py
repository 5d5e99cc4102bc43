"""The encoder: both heads, that it sees both ways and never padding, segments, and that masked training helps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import Encoder, EncoderConfig, build_model, inference
from gradus.models.encoder import mean_of_positions

Ints = np.ndarray[Any, np.dtype[np.int64]]

V, BLOCK = 11, 9
SIZE: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 32, "dropout": 0.0}
VARIANTS: dict[str, dict[str, Any]] = {
    "masked": {},
    "masked, post": {"norm": "post", "n_segments": 2},
    "mean": {"n_labels": 3},
    "first": {"n_labels": 3, "pool": "first"},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def small(variant: str, **settings: Any) -> Encoder:
    torch.manual_seed(1)
    model = build_model("encoder", vocab_size=V, block_size=BLOCK, **{**SIZE, **VARIANTS[variant], **settings})
    assert isinstance(model, Encoder)
    with torch.no_grad():  # larger weights, so that everything shows
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(*parameter.shape))
    return model


def texts(seed: int, batch: int = 6) -> Ints:
    """Rows of 3 to 9 tokens, between separators, then padding."""
    random = np.random.default_rng(seed)
    x = np.full((batch, BLOCK), -1)
    for row, n in enumerate(random.integers(1, BLOCK - 1, size=batch)):
        x[row, : n + 2] = [0, *random.integers(1, V, size=n), 0]
    return x


def logits_of(model: Encoder, x: Ints) -> Any:
    with inference(model):
        return model(torch.from_numpy(x))[0].numpy()


@every_variant
def test_logits_are_of_every_position_or_of_every_text(variant: str) -> None:
    logits = logits_of(small(variant), texts(0))
    assert logits.shape == ((6, BLOCK, V) if "masked" in variant else (6, 3))


@every_variant
def test_a_padded_batch_gives_each_row_the_logits_it_has_alone(variant: str) -> None:
    model, x = small(variant), texts(1)
    together = logits_of(model, x)
    for row in range(len(x)):
        n = (x[row] >= 0).sum()
        alone = logits_of(model, x[row : row + 1, :n])
        expected = together[row : row + 1, :n] if "masked" in variant else together[row : row + 1]
        np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-5)


def test_every_position_sees_all_others() -> None:
    model = small("masked")
    x = np.random.default_rng(2).integers(V, size=(1, BLOCK))
    before = logits_of(model, x)
    for place in range(BLOCK):
        other = x.copy()
        other[0, place] = (other[0, place] + 1) % V
        assert (np.abs(logits_of(model, other) - before).max(axis=2) > 1e-3).all()


def test_the_loss_is_the_mean_over_masked_positions_or_texts() -> None:
    for variant in VARIANTS:
        model, x = small(variant), texts(3)
        logits = logits_of(model, x).astype(np.float64)
        y = np.array([0, 2, 1, 1, 0, 2])
        if "masked" in variant:
            y = np.where(np.random.default_rng(4).random(x.shape) < 0.3, x, -1)
        with inference(model):
            loss = model(torch.from_numpy(x), torch.from_numpy(y))[1].item()
        log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        where = np.nonzero(y != -1)
        assert loss == pytest.approx(-log_p[(*where, y[where])].mean(), rel=1e-5)


def test_while_training_only_masked_positions_are_scored_to_the_same_loss() -> None:
    model, x = small("masked"), texts(3)
    y = np.where(np.random.default_rng(4).random(x.shape) < 0.3, x, -1)
    idx, targets = torch.from_numpy(x), torch.from_numpy(y)
    assert model.training
    logits, loss = model(idx, targets)
    with inference(model):
        whole, expected = model(idx, targets)
    np.testing.assert_allclose(logits.detach().numpy(), whole.numpy()[y != -1], rtol=0, atol=1e-5)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_first_loss_is_that_of_knowing_nothing() -> None:
    for variant, choices in (("masked", V), ("first", 3)):
        torch.manual_seed(0)
        model = build_model("encoder", vocab_size=V, block_size=BLOCK, **{**SIZE, **VARIANTS[variant]})
        x = texts(5, batch=64)
        y = x if variant == "masked" else np.arange(64) % 3
        with inference(model):
            assert model(torch.from_numpy(x), torch.from_numpy(y))[1].item() == pytest.approx(
                math.log(choices), abs=0.1
            )


def test_the_mask_is_a_token_of_its_own_that_is_never_predicted() -> None:
    model, x = small("masked"), texts(6)
    masked = x.copy()
    masked[:, 1] = V
    assert np.abs(logits_of(model, masked) - logits_of(model, x)).max() > 0.1
    assert logits_of(model, masked).shape[2] == V


def test_segments_say_which_part_a_token_belongs_to() -> None:
    model, x = small("masked, post"), torch.from_numpy(texts(7))
    second = torch.ones_like(x)
    with inference(model):
        plain, first, other = (model(x, segments=s)[0].numpy() for s in (None, torch.zeros_like(x), second))
    np.testing.assert_array_equal(plain, first)
    assert np.abs(plain - other).max() > 0.01
    with pytest.raises(ValueError, match="this encoder has no segments"):
        small("masked")(x, segments=second)


def test_the_mean_is_over_what_is_no_padding() -> None:
    h = np.random.default_rng(8).normal(size=(2, 3, 4)).astype(np.float32)
    idx = np.array([[5, 1, -1], [2, -1, -1]])
    expected = np.stack([h[0, :2].mean(axis=0), h[1, 0]])
    found = mean_of_positions(torch.from_numpy(h), torch.from_numpy(idx)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_it_learns_masked_tokens_from_both_sides_and_then_labels(norm: str) -> None:
    def train(model: Encoder, x: Ints, y: Ints, steps: int) -> float:
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
            optimizer.step()
        with inference(model):
            return float(model(torch.from_numpy(x), torch.from_numpy(y))[1].item())

    random = np.random.default_rng(9)
    left, right = random.integers(1, 4, size=(2, 32))
    x = np.stack([np.zeros_like(left), left, np.full_like(left, V), right, np.zeros_like(left)], axis=1)
    y = np.full(x.shape, -1)
    y[:, 2] = 3 * (left - 1) + right  # which only both neighbours together tell
    sizes = {"vocab_size": V, "block_size": BLOCK, **SIZE, "n_layer": 1, "norm": norm}
    torch.manual_seed(0)
    masked, classifier = (build_model("encoder", **sizes, n_labels=n) for n in (0, 9))
    assert isinstance(masked, Encoder)
    assert isinstance(classifier, Encoder)
    assert train(masked, x, y, 100) < 0.1
    assert train(classifier, x, y[:, 2] - 1, 150) < 0.1


def test_what_it_cannot_do_is_said() -> None:
    model = small("masked")
    with pytest.raises(ValueError, match="an encoder reads whole texts and does not continue them"):
        model.read(torch.tensor([[0]]))
    with pytest.raises(ValueError, match="a row of 10 tokens is longer than block_size 9"):
        model(torch.zeros((1, 10), dtype=torch.long))


def test_berts_base_model_has_its_number_of_parameters() -> None:
    config = EncoderConfig(30_521, 512, n_layer=12, n_head=12, n_embd=768, n_segments=2, norm="post")
    encoder = 109_482_240 - 768 * 769  # as published, without the pooler, which belongs to the classifier's head
    head = 768 * 769 + 2 * 768 + 30_521  # BERT's predicts the mask too, which is one token more
    assert config.parameters == encoder + head
