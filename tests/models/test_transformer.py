"""The Transformer that translates: what its loss is, that padding changes nothing, that no position sees later ones,
that reading piece by piece is reading at once, and that it learns what only cross-attention can carry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import Transformer, TransformerConfig, build_model, inference

Ints = np.ndarray[Any, np.dtype[np.int64]]

V, BLOCK = 11, 9
SIZE: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 32}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "post": {"norm": "post"},
    "learned": {"position_encoding": "learned"},
    "no cross-attention": {"cross_attention": False},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def small(variant: str = "default", **settings: Any) -> Transformer:
    torch.manual_seed(1)
    model = build_model(
        "transformer", vocab_size=V, block_size=BLOCK, **{**SIZE, "dropout": 0.0, **VARIANTS[variant], **settings}
    )
    assert isinstance(model, Transformer)
    return model


def pairs(seed: int, batch: int = 6) -> tuple[Ints, Ints]:
    """Random words and their reverses, of lengths from 1 to 7, separators and padding around them."""
    random = np.random.default_rng(seed)
    x, y = np.full((batch, 8), -1), np.full((batch, 9), -1)
    for row, n in enumerate(random.integers(1, 8, size=batch)):
        word = random.integers(1, V, size=n)
        x[row, : n + 1] = [*word, 0]
        y[row, : n + 2] = [0, *word[::-1], 0]
    return x, y


def run(model: Transformer, x: Ints, y: Ints) -> tuple[Any, float]:
    with inference(model):
        logits, loss = model(torch.from_numpy(x), torch.from_numpy(y))
    assert loss is not None
    return logits.numpy(), loss.item()


@every_variant
def test_logits_are_one_score_for_every_next_token_of_the_target(variant: str) -> None:
    x, y = pairs(0)
    logits, _ = run(small(variant), x, y)
    assert logits.shape == (6, 8, V)


@every_variant
def test_the_first_loss_is_that_of_knowing_nothing(variant: str) -> None:
    x, y = pairs(0, batch=64)
    _, loss = run(small(variant), x, y)
    assert loss == pytest.approx(math.log(V) + 0.5, abs=0.35)  # logits of variance 1 cost half a nat


@every_variant
def test_the_loss_is_the_mean_over_the_tokens_of_the_targets(variant: str) -> None:
    x, y = pairs(1)
    logits, loss = run(small(variant), x, y)
    scores = logits.astype(np.float64)
    log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    b, t = np.nonzero(y[:, 1:] != -1)
    assert loss == pytest.approx(-log_p[b, t, y[b, t + 1]].mean(), rel=1e-5)


def test_label_smoothing_spreads_a_part_of_the_target_over_all_tokens_in_training_only() -> None:
    x, y = pairs(1)
    model, plain = small(label_smoothing=0.3), small(label_smoothing=0.0)
    logits, loss = run(model, x, y)
    assert loss == run(plain, x, y)[1]
    scores = logits.astype(np.float64)
    log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    b, t = np.nonzero(y[:, 1:] != -1)
    expected = -(0.7 * log_p[b, t, y[b, t + 1]] + 0.3 * log_p[b, t].mean(axis=1)).mean()
    assert model.training
    assert model(torch.from_numpy(x), torch.from_numpy(y))[1].item() == pytest.approx(expected, rel=1e-5)


@every_variant
def test_a_padded_batch_gives_each_row_the_logits_and_gradients_it_has_alone(variant: str) -> None:
    model = small(variant, label_smoothing=0.0)
    x, y = pairs(2)
    together, _ = run(model, x, y)
    n = (y[:, 1:] != -1).sum(axis=1)
    gradients: dict[str, Any] = {}
    for row in range(len(x)):
        source, target = x[row : row + 1, x[row] >= 0], y[row : row + 1, y[row] >= 0]
        alone, _ = run(model, source, target)
        np.testing.assert_allclose(together[row : row + 1, : n[row]], alone, rtol=0, atol=1e-5)  # float32
        model.zero_grad()
        model(torch.from_numpy(source), torch.from_numpy(target))[1].backward()
        for name, parameter in model.named_parameters():
            gradient: Any = parameter.grad
            if gradient is not None:
                gradients[name] = gradients.get(name, 0) + gradient.numpy() * n[row] / n.sum()
    model.zero_grad()
    model(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        if name in gradients:
            np.testing.assert_allclose(gradient.numpy(), gradients[name], rtol=0, atol=1e-5, err_msg=name)


@every_variant
def test_a_prediction_does_not_change_with_later_tokens_and_sees_all_of_the_source(variant: str) -> None:
    model = small(variant)
    x, y = (np.random.default_rng(seed).integers(V, size=(4, 8)) for seed in (0, 1))
    before, _ = run(model, x, y)
    later = y.copy()
    later[:, 4:] = (later[:, 4:] + 1) % V
    after, _ = run(model, x, later)
    np.testing.assert_allclose(after[:, :4], before[:, :4], rtol=0, atol=1e-6)
    assert np.abs(after[:, 4:] - before[:, 4:]).max() > 0.01
    for place in (0, 7):
        other = x.copy()
        other[:, place] = (other[:, place] + 1) % V
        change = np.abs(run(model, other, y)[0] - before).max(axis=2)
        assert (change > 1e-3).all() if variant != "no cross-attention" else not change.any()


@every_variant
@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 3]])
def test_a_target_read_piece_by_piece_is_followed_by_the_same(variant: str, pieces: list[int]) -> None:
    model = small(variant)
    x, _ = pairs(3)
    y = np.random.default_rng(4).integers(V, size=(6, 8))
    whole, _ = run(model, x, y)
    with inference(model):
        state, end = model.start(torch.from_numpy(x)), 0
        for n in pieces:
            new = torch.from_numpy(y[:, end : end + n].copy())
            logits, after = model.read(new, state)
            again, _ = model.read(new, state)  # reading leaves a state as it was
            np.testing.assert_array_equal(again.numpy(), logits.numpy())
            state, end = after, end + n
            np.testing.assert_allclose(logits.numpy(), whole[:, end - 1], rtol=0, atol=1e-5)


def test_selected_rows_of_a_state_go_on_as_those_rows() -> None:
    model = small()
    x, _ = pairs(5)
    y = np.random.default_rng(6).integers(V, size=(6, 2))
    rows = [4, 0, 4]
    with inference(model):
        _, state = model.read(torch.from_numpy(y[:, :1].copy()), model.start(torch.from_numpy(x)))
        expected, _ = model.read(torch.from_numpy(y[:, 1:].copy()), state)
        selected, _ = model.read(torch.from_numpy(y[rows, 1:]), state.select(torch.tensor(rows)))
    np.testing.assert_allclose(selected.numpy(), expected.numpy()[rows], rtol=0, atol=1e-5)


@pytest.mark.parametrize("variant", ["default", "post"])
def test_it_learns_to_reverse_words_which_without_cross_attention_it_cannot(variant: str) -> None:
    def loss_after(model: Transformer, steps: int) -> float:
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
            optimizer.step()
        return run(model, x, y)[1]

    x, y = pairs(7, batch=16)
    assert loss_after(small(variant, n_layer=1, label_smoothing=0.0), 100) < 0.1
    # One text that says all there is to say, for the model that sees no other: how far it can get is the entropy of it.
    y = np.tile(np.array([[0, 1, 2, 0], [0, 2, 1, 0]]), (8, 1))
    assert loss_after(small("no cross-attention", n_layer=1, label_smoothing=0.0), 60) == pytest.approx(
        math.log(2) / 3, abs=0.02
    )


def test_one_matrix_embeds_both_sides_and_gives_the_logits() -> None:
    model = small()
    assert [name for name, p in model.named_parameters() if V in p.shape] == ["embedding.weight"]
    with inference(model):
        idx = torch.tensor([[3, 0]])
        waves = model.positions[:2].numpy()
        expected = model.embedding.weight.numpy()[[3, 0]] * math.sqrt(32) + waves
        np.testing.assert_allclose(model._embed(idx).numpy()[0], expected, rtol=0, atol=1e-6)


def test_what_it_cannot_do_is_said() -> None:
    model = small()
    with pytest.raises(ValueError, match=r"the transformer scores targets: model\(source, target\)"):
        model(torch.tensor([[1, 0]]))
    with pytest.raises(ValueError, match=r"begin with the state of model.start\(source\)"):
        model.read(torch.tensor([[0]]))
    with pytest.raises(ValueError, match="a row of 10 tokens is longer than block_size 9"):
        model(torch.zeros((1, 10), dtype=torch.long), torch.tensor([[0, 0]]))


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_parameters_counted_from_the_settings_are_those_of_the_model(norm: Any, positions: Any) -> None:
    config = TransformerConfig(13, 7, n_layer=3, n_head=2, n_embd=10, norm=norm, position_encoding=positions)
    assert Transformer(config).num_parameters() == config.parameters


def test_the_papers_base_model_has_63_million_parameters() -> None:
    config = TransformerConfig(37_000, 512, n_layer=6, n_head=8, n_embd=512, norm="post")
    assert round(config.parameters / 1e6) == 63  # the paper says 65, of its vocabulary of about 37,000
