"""Where a model is surprised: the losses along a text and the worst positions are those of the plain computation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradus.backend import torch
from gradus.evaluation import evaluate, token_losses, worst
from gradus.models import build_model, inference
from gradus.text import CharTokenizer, Corpus, make_rows

TEXT = "the cat sat on the mat and the rat sat on the cat. " * 6
CORPUS = Corpus("tale", "stream", source="a test", text=TEXT)
TOKENIZER = CharTokenizer.train(CORPUS)
IDS = TOKENIZER.encode(TEXT)
V = TOKENIZER.vocab_size


@pytest.mark.parametrize("model", ["bigram", "gpt", "ngram"])
def test_the_worst_are_the_highest_of_all_losses(model: str) -> None:
    torch.manual_seed(1)
    built = build_model(model, vocab_size=V, block_size=8)
    rows = make_rows(CORPUS, TOKENIZER, 8)
    if hasattr(built, "count"):
        for x, y in rows.batches(16):
            built.count(x[:, :5], y[:, :5])
    else:
        with torch.no_grad():
            for parameter in built.parameters():
                parameter.add_(torch.randn(parameter.shape))
    found = worst(built, rows, 20, batch_size=7)
    with inference(built):
        logits = built(torch.from_numpy(rows.x))[0].double().numpy()
    logp = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(logp, np.maximum(rows.y, 0)[..., None], axis=-1)[..., 0]
    expected = np.sort(losses[rows.y >= 0])[::-1][:20]
    np.testing.assert_allclose([one.loss for one in found], expected, rtol=1e-6)
    for one in found:
        assert one.probability == pytest.approx(math.exp(-one.loss))
        probabilities = [p for _, p in one.expected]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len(one.context) == len(one.losses)
        assert math.isnan(one.losses[0])
    with pytest.raises(ValueError, match="number must be at least 1, got 0"):
        worst(built, rows, 0)


def test_losses_along_a_text_add_up_to_its_score() -> None:
    model = build_model("bigram", vocab_size=V, block_size=8)
    with torch.no_grad():
        model.table.weight += torch.randn(model.table.weight.shape)
    losses = token_losses(model, IDS)
    assert losses.sum() == pytest.approx(evaluate(model, make_rows(CORPUS, TOKENIZER, 8)).total, rel=1e-5)


def test_every_prediction_sees_at_least_half_a_block() -> None:
    torch.manual_seed(0)
    model = build_model("gpt", vocab_size=V, block_size=8, n_layer=1, n_head=1, n_embd=8)
    losses = token_losses(model, IDS[:30])
    for t in (0, 5, 8, 11, 12, 28):
        start = 0 if t < 8 else (t - 8) // 4 * 4 + 4  # windows at 0, 4, 8 ...: the first that reaches t
        with inference(model):
            logits = model(torch.from_numpy(IDS[None, start : t + 1]))[0][0, -1].double()
        assert losses[t] == pytest.approx(-torch.log_softmax(logits, dim=-1)[int(IDS[t + 1])].item(), rel=1e-5)


def test_a_carried_state_goes_on_from_window_to_window() -> None:
    torch.manual_seed(0)
    settings = {"vocab_size": V, "n_hidden": 8, "n_embd": 4}
    short = build_model("recurrent", block_size=8, carry=True, **settings)
    whole = build_model("recurrent", block_size=100, carry=True, **settings)
    whole.load_state_dict(short.state_dict())
    np.testing.assert_allclose(token_losses(short, IDS[:60]), token_losses(whole, IDS[:60]), rtol=1e-5)
    assert short.state is None


def test_what_is_impossible_costs_infinitely_much() -> None:
    model = build_model("ngram", vocab_size=V, block_size=8, order=1, method="additive", smoothing=0.0)
    model.count(np.zeros((1, 4), dtype=np.int64), np.zeros((1, 4), dtype=np.int64))
    (one,) = worst(model, make_rows(CORPUS, TOKENIZER, 8), 1)
    assert (one.loss, one.probability) == (math.inf, 0.0)
    with pytest.raises(ValueError, match=r"n at least 2, got shape \(1,\)"):
        token_losses(model, [0])
