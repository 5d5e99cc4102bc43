"""The loss over a split: every token once and all alike, in its units, without a trace on the model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.evaluation import Score, evaluate
from gradus.models import LanguageModel, NGram, NGramConfig, build_model, inference
from gradus.text import CharTokenizer, Corpus, Rows, make_rows

Ints = np.ndarray[Any, np.dtype[np.int64]]
TEXT = "".join(np.random.default_rng(0).choice(list("abcd \n"), size=1001, p=[0.3, 0.2, 0.1, 0.1, 0.2, 0.1]))
STREAM = Corpus(name="letters", kind="stream", source="drawn at random", text=TEXT)
TOKENIZER = CharTokenizer.train(STREAM)


def small(name: str, block_size: int = 16, **settings: Any) -> LanguageModel:
    torch.manual_seed(0)
    return build_model(name, vocab_size=TOKENIZER.vocab_size, block_size=block_size, **settings)


def gpt() -> LanguageModel:
    return small("gpt", n_layer=1, n_head=2, n_embd=16, dropout=0.2)


def documents() -> Rows:
    words = tuple(TEXT[i : i + 1 + i % 9].replace("\n", "a") for i in range(100))
    return make_rows(Corpus(name="words", kind="documents", source="", documents=words), TOKENIZER, 16)


@pytest.mark.parametrize("batch_size", [1, 3, 16, 1000])
def test_every_token_weighs_the_same_whatever_the_batch(batch_size: int) -> None:
    rows, model = documents(), gpt()
    with inference(model):
        logits = model(torch.from_numpy(rows.x))[0].numpy().astype(np.float64)
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    i, t = np.nonzero(rows.y != -1)
    expected = -log_p[i, t, rows.y[i, t]].mean()
    score = evaluate(model, rows, batch_size=batch_size)
    assert score.count == len(i) == rows.scored
    assert score.nats == pytest.approx(expected, rel=1e-6)  # each batch's mean is float32, their sum is not


def test_a_uniform_model_scores_ln_V() -> None:
    score = evaluate(small("ngram", method="additive", smoothing=1.0), documents())
    V = TOKENIZER.vocab_size
    assert score.nats == pytest.approx(math.log(V), abs=1e-12)
    assert score.bits == pytest.approx(math.log2(V), abs=1e-12)
    assert score.perplexity == pytest.approx(V, abs=1e-9)


def test_characters_share_the_bits_of_all_tokens() -> None:
    score = Score(total=100 * math.log(2), count=20)  # 100 bits in 20 tokens
    assert score.bits == pytest.approx(5.0)
    assert score.bits_per(80) == pytest.approx(1.25)


def test_perplexity_of_the_impossible_is_infinite() -> None:
    assert Score(total=math.inf, count=1).perplexity == math.inf
    assert Score(total=1000.0, count=1).perplexity == math.inf


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_overlapping_rows_score_a_short_context_as_if_the_text_were_one_row(order: int) -> None:
    model = NGram(NGramConfig(TOKENIZER.vocab_size, 16, order=order, method="additive"))
    ids = TOKENIZER.encode(TEXT)
    model.count(ids[None, :-1], ids[None, 1:])
    _, whole = model(torch.from_numpy(ids[None, :-1]), torch.from_numpy(ids[None, 1:]))
    score = evaluate(model, make_rows(STREAM, TOKENIZER, 16, context=max(1, model.context)))
    assert score.count == len(TEXT) - 1
    assert score.nats == pytest.approx(whole.item(), abs=1e-12)


def test_sliding_windows_score_each_token_once_with_most_of_a_window_before_it() -> None:
    model = gpt()
    rows = make_rows(STREAM, TOKENIZER, 16, stride=4)
    total, ids = 0.0, TOKENIZER.encode(TEXT)
    with inference(model):
        for end in range(1, len(ids)):
            first = 0 if end <= 16 else 4 * ((end - 16 + 3) // 4)  # the first window that reaches so far
            _, loss = model(
                torch.from_numpy(ids[None, first:end]), torch.tensor([[-1] * (end - first - 1) + [ids[end]]])
            )
            assert first == 0 or end - first >= 12
            total += loss.item()
    score = evaluate(model, rows)
    assert score.count == len(ids) - 1
    assert score.nats == pytest.approx(total / score.count, rel=1e-6)


def test_the_model_is_scored_without_dropout_and_left_as_it_was() -> None:
    model = gpt()
    model.train()
    assert evaluate(model, documents()) == evaluate(model, documents())
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    evaluate(model, documents())
    assert not any(module.training for module in model.modules())


class Unscored:
    def batches(self, _: int, /) -> Any:
        yield np.zeros((2, 3), dtype=np.int64), np.full((2, 3), -1)


def test_nothing_to_score_is_an_error_not_a_nan() -> None:
    with pytest.raises(ValueError, match="nothing to score"):
        evaluate(gpt(), Unscored())
