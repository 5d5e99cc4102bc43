"""Counting: against a dictionary and a plain definition, for orders and vocabularies of any size, and against the facts
of names.txt and tiny Shakespeare."""

from __future__ import annotations

import math
import os
import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.backend import torch
from gradus.evaluation import evaluate
from gradus.models import NGram, NGramConfig, build_model, inference, packing, trie
from gradus.models.kneser_ney import FALLBACK, modified_discounts, plain_kneser_ney
from gradus.text import CharTokenizer, load_corpus, make_rows

Ints = np.ndarray[Any, np.dtype[np.int64]]
LETTERS = ".abcdefghijklmnopqrstuvwxyz"


def ngram(vocab_size: int, order: int, smoothing: float, block_size: int = 16) -> NGram:
    return NGram(NGramConfig(vocab_size, block_size, order=order, method="additive", smoothing=smoothing))


def contexts(x: Ints, order: int) -> list[tuple[int, ...]]:
    """What each position of the rows sees, in reading order: the definition, without tricks."""
    return [tuple(([0] * order + list(row[: t + 1]))[t + 2 :]) for row in x.tolist() for t in range(len(row))]


@settings(max_examples=40, deadline=None)
@given(
    order=st.integers(1, 6),
    vocab_size=st.sampled_from([1, 2, 5, 50_257]),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    seed=st.integers(0, 1000),
)
def test_log_probabilities_are_smoothed_counts(order: int, vocab_size: int, smoothing: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    few = rng.integers(vocab_size, size=4)  # so that contexts come again
    x, y = few[rng.integers(4, size=(2, 3, 7))]
    y[rng.random(y.shape) < 0.2] = -1
    model = ngram(vocab_size, order, smoothing)
    for row in range(len(x)):
        model.count(x[row : row + 1], y[row : row + 1])
    seen = [(c, w) for c, w in zip(contexts(x, order), y.ravel().tolist(), strict=True) if w != -1]
    cells, totals = Counter(seen), Counter(context for context, _ in seen)
    assert model.num_parameters() == len(cells)

    logits = model(torch.from_numpy(x))[0].numpy().reshape(-1, vocab_size)
    for row, context in zip(logits, contexts(x, order), strict=True):
        for w in {*few.tolist(), 0}:
            total = totals[context] + smoothing * vocab_size
            p = (cells[context, w] + smoothing) / total if total else 0.0
            assert row[w] == pytest.approx(math.log(p) if p else -math.inf, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    order=st.integers(1, 5),
    vocab_size=st.sampled_from([1, 2, 5, 300]),
    modified=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_kneser_ney_is_the_plain_definition_and_sums_to_one_after_seen_and_unseen_contexts(
    order: int, vocab_size: int, modified: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    few = rng.integers(vocab_size, size=4)
    x, y = few[rng.integers(4, size=(2, 12, 7))]
    y[rng.random(y.shape) < 0.2] = -1
    method = {"method": "modified-kneser-ney"} if modified else {"method": "kneser-ney", "discount": 0.6}
    model = build_model("ngram", vocab_size=vocab_size, block_size=16, order=order, **method)
    discounts = modified_discounts if modified else lambda _: (0.6, 0.6, 0.6)
    model.count(x, y)
    grams = [(*c, w) for c, w in zip(contexts(x, order), y.ravel().tolist(), strict=True) if w != -1]
    asked = np.concatenate([x[:1], rng.integers(vocab_size, size=(1, 7))])
    p = model(torch.from_numpy(asked))[0].exp().numpy().reshape(-1, vocab_size)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert p.min() > 0
    for row, context in list(zip(p, contexts(asked, order), strict=True))[::3]:
        for w in {*few.tolist(), 0}:
            plain = plain_kneser_ney(Counter(grams), (*context, w), vocab_size, discounts)
            assert row[w] == pytest.approx(plain, rel=1e-9)


def test_without_counts_kneser_ney_finds_all_tokens_equally_likely() -> None:
    model = build_model("ngram", vocab_size=5, block_size=8, order=3)
    np.testing.assert_allclose(model(torch.tensor([[1, 2]]))[0].exp().numpy(), 0.2, rtol=1e-15)


def test_a_context_of_unknown_tokens_is_as_much_shorter() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(3, size=(1, 200))
    model = build_model("ngram", vocab_size=3, block_size=8, order=4)
    model.count(x[:, :-1], x[:, 1:])
    found = model.predict(np.array([[1, 2, 0]]), before=-1)
    assert found.length[found.place].tolist() == [1, 2, 3]
    four = Counter((*c, w) for c, w in zip(contexts(x[:, :-1], 4), x[0, 1:].tolist(), strict=True))
    pairs = Counter(gram[1:] for gram in Counter(gram[1:] for gram in four))  # the counts of order 2
    row = found.p[found.place[0]]
    assert row[2] == pytest.approx(plain_kneser_ney(pairs, (1, 2), 3, modified_discounts), rel=1e-9)


def test_modified_discounts_are_chen_and_goodmans() -> None:
    counts = np.repeat([1, 2, 3, 4, 9], [40, 20, 12, 6, 3])  # Y = 40 / 80
    assert modified_discounts(counts) == pytest.approx((1 - 0.5, 2 - 3 * 0.5 * 12 / 20, 3 - 4 * 0.5 * 6 / 12))
    assert modified_discounts([1, 1, 2]) == FALLBACK  # no n-gram was counted three times
    assert modified_discounts(np.repeat([1, 2, 3, 4], [9, 4, 20, 1])) == FALLBACK  # a D2 below 0


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 40),
    vocab_size=st.sampled_from([1, 2, 27, 65, 50_257, 2**31]),
    size=st.integers(0, 30),
    seed=st.integers(0, 1000),
)
def test_windows_are_packed_sorted_counted_and_merged(n: int, vocab_size: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    paths = rng.integers(vocab_size, size=(6, n))[rng.integers(6, size=size)]
    words = packing.pack(list(paths.T), vocab_size)
    assert words.shape == (size, packing.number_of_words(n, vocab_size))
    np.testing.assert_array_equal(np.stack(packing.unpack(words, n, vocab_size), axis=-1), paths)
    expected = sorted(Counter(map(tuple, paths.tolist())).items())
    half = size // 2
    for table in (packing.tally(words), packing.merge(packing.tally(words[:half]), packing.tally(words[half:]))):
        columns = packing.unpack(table[0], n, vocab_size)
        found = list(zip(*(column.tolist() for column in columns), strict=True))
        assert list(zip(found, table[1].tolist(), strict=True)) == expected


def test_a_context_leads_to_its_node_by_way_of_the_shorter_ones() -> None:
    paths = np.array([[0, 1, 1], [2, 0, 1], [2, 0, 1], [2, 1, 0]])
    levels = trie.build(list(paths.T), 3)
    assert [level.tolist() for level in levels] == [[0, 2], [1, 3, 4], [1, 4, 6]]  # parent * 3 + token
    asked = np.array([[2, 0, 1], [2, 0, 0], [1, 1, 1], [2, -1, 0]])
    nodes = [node.tolist() for node in trie.walk(levels, list(asked.T), 3)]
    assert nodes == [[1, 1, -1, 1], [1, 1, -1, -1], [1, -1, -1, -1]]


def test_counting_in_pieces_equals_counting_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(9, size=(2, 60, 12))
    whole, pieces = ngram(9, 4, 0.1), ngram(9, 4, 0.1)
    whole.count(x, y)
    monkeypatch.setattr("gradus.models.ngram._MOST_PENDING", 50)  # merge often
    for row in range(len(x)):
        pieces.count(x[row : row + 1], y[row : row + 1])
        if row % 7 == 0:
            pieces(torch.from_numpy(x[:1]))
    saved, other = whole.state_dict(), pieces.state_dict()
    assert list(saved) == ["windows", "counts"]
    for name in saved:
        np.testing.assert_array_equal(saved[name].numpy(), other[name].numpy())
    assert saved["counts"].numpy().sum() == x.size


def test_unsmoothed_what_was_never_seen_has_probability_zero() -> None:
    model = ngram(3, 2, 0.0)
    model.count(np.array([[1, 1]]), np.array([[0, 2]]))
    logits, loss = model(torch.tensor([[1, 2]]), torch.tensor([[1, -1]]))
    half = math.log(0.5)
    assert logits.tolist() == [[[half, -math.inf, half], [-math.inf] * 3]]
    assert loss.item() == math.inf


def test_logits_and_loss_are_float64() -> None:
    logits, loss = ngram(3, 2, 1.0)(torch.tensor([[1, 2]]), torch.tensor([[2, 0]]))
    assert (logits.dtype, loss.dtype) == (torch.float64, torch.float64)
    assert loss.item() == pytest.approx(math.log(3), abs=1e-15)


def test_counting_a_token_outside_the_vocabulary_is_an_index_error() -> None:
    with pytest.raises(IndexError, match="tokens must be 0 to 2, got 3 to 3"):
        ngram(3, 2, 1.0).count(np.array([[1]]), np.array([[3]]))


# The facts of names.txt


@cache
def names() -> tuple[str, ...]:
    folder = os.environ.get("GRADUS_DATA")
    if not folder or not (Path(folder) / "names.txt").exists():
        pytest.skip("names.txt is not there: GRADUS_DATA names no folder that holds it")
    return tuple((Path(folder) / "names.txt").read_text(encoding="utf-8").splitlines())


def rows(words: list[str] | tuple[str, ...]) -> tuple[Ints, Ints]:
    """Each word as a row that begins and ends with 0."""
    x, y = np.zeros((len(words), 16), dtype=np.int64), np.full((len(words), 16), -1)
    for i, word in enumerate(words):
        ids = [LETTERS.index(letter) for letter in word]
        x[i, 1 : len(ids) + 1] = ids
        y[i, : len(ids) + 1] = [*ids, 0]
    return x, y


def loss(model: NGram, words: list[str] | tuple[str, ...]) -> float:
    x, y = rows(words)
    with inference(model):
        _, nats = model(torch.from_numpy(x), torch.from_numpy(y))
    return float(nats.item())


@cache
def counted(order: int, smoothing: float, part: str) -> NGram:
    model = ngram(27, order, smoothing)
    model.count(*rows(split()[part]))
    return model


@cache
def split() -> dict[str, tuple[str, ...]]:
    """The lectures' split, and the whole file."""
    words = list(names())
    random.Random(42).shuffle(words)
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return {"train": tuple(words[:a]), "dev": tuple(words[a:b]), "test": tuple(words[b:]), "whole": names()}


@pytest.mark.parametrize(("smoothing", "nats"), [(1.0, 2.454576820116076), (0.0, 2.4540144891543667)])
def test_bigram_loss_of_the_whole_file(smoothing: float, nats: float) -> None:
    # 228,146 terms of order 1, each rounded to 2^-53: an error of 1e-13 if all went the same way
    assert loss(counted(2, smoothing, "whole"), names()) == pytest.approx(nats, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "nats"),
    [("andrejq", 3.483401985645528), ("vinay", 2.303460843590458), ("vinajq", 3.5722422278889954)],
)
def test_add_one_bigram_loss_of_one_name(name: str, nats: float) -> None:
    assert loss(counted(2, 1.0, "whole"), [name]) == pytest.approx(nats, abs=1e-12)


@pytest.mark.parametrize(
    ("order", "smoothing", "part", "nats"),
    [
        (2, 1.0, "train", 2.454837),
        (2, 1.0, "dev", 2.453264),
        (2, 1.0, "test", 2.458391),
        (3, 0.1, "train", 2.187429),
        (3, 0.1, "dev", 2.222471),
        (3, 0.1, "test", 2.224026),
    ],
)
def test_loss_on_the_lectures_split(order: int, smoothing: float, part: str, nats: float) -> None:
    assert loss(counted(order, smoothing, "train"), split()[part]) == pytest.approx(nats, abs=1e-6)


def test_bigram_counts_of_the_whole_file() -> None:
    model = counted(2, 0.0, "whole")
    assert model.num_parameters() == 27 * 27 - 102
    before, after = packing.unpack(model.windows.numpy(), 2, 27)
    cells = zip(before.tolist(), after.tolist(), model.counts.tolist(), strict=True)
    counts = {LETTERS[a] + LETTERS[b]: n for a, b, n in cells}
    assert sum(counts.values()) == 228_146
    assert Counter(counts).most_common(4) == [("n.", 6763), ("a.", 6640), ("an", 5438), (".a", 4410)]


@pytest.mark.parametrize(
    ("order", "dev", "test"),
    [
        (2, 2.453, 2.458),
        (3, 2.219, 2.219),
        (4, 2.061, 2.063),
        (5, 1.994, 1.993),
        (6, 1.992, 1.995),
        (7, 2.013, 2.016),
        (8, 2.040, 2.044),
    ],
)
def test_kneser_ney_with_one_discount_on_the_lectures_split(order: int, dev: float, test: float) -> None:
    model = NGram(NGramConfig(27, 16, order=order, method="kneser-ney", discount=0.75))
    model.count(*rows(split()["train"]))
    assert loss(model, split()["dev"]) == pytest.approx(dev, abs=6e-4)  # the figures have three decimals
    assert loss(model, split()["test"]) == pytest.approx(test, abs=6e-4)


def test_modified_kneser_ney_is_better_on_the_lectures_split() -> None:
    model = NGram(NGramConfig(27, 16, order=6))
    model.count(*rows(split()["train"]))
    assert loss(model, split()["dev"]) == pytest.approx(1.9740, abs=1e-4)  # one discount: 1.9924


def test_kneser_ney_on_tiny_shakespeare() -> None:
    names()
    corpus = load_corpus("shakespeare")
    text = CharTokenizer.train(corpus).encode(corpus.text)
    n = int(0.9 * len(text))
    model = NGram(NGramConfig(65, 64, order=7, method="kneser-ney", discount=0.9))
    model.count(text[None, : n - 1], text[None, 1:n])
    part = make_rows(corpus.splits().test, CharTokenizer.train(corpus), 64, context=6)
    assert evaluate(model, part).nats == pytest.approx(1.5225, abs=2e-3)
