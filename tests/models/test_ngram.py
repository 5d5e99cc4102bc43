"""Counting: against a dictionary, for orders and vocabularies of any size, and against the facts of names.txt."""

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
from gradus.models import NGram, NGramConfig, inference, trie

Ints = np.ndarray[Any, np.dtype[np.int64]]
LETTERS = ".abcdefghijklmnopqrstuvwxyz"


def ngram(vocab_size: int, order: int, smoothing: float, block_size: int = 16) -> NGram:
    return NGram(NGramConfig(vocab_size, block_size, order=order, smoothing=smoothing))


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
    assert list(saved) == ["level0", "level1", "level2", "level3", "counts"]
    for name in saved:
        np.testing.assert_array_equal(saved[name].numpy(), other[name].numpy())
    assert saved["counts"].numpy().sum() == x.size


def test_a_path_longer_than_int64_could_number_is_counted() -> None:
    V, order = 2**31, 40  # V^order has 1240 bits
    paths = np.full((3, order), V - 1)
    paths[2, -1] = 0
    levels, counts = trie.build(paths, np.array([1, 5, 2]), V)
    assert counts.tolist() == [2, 6]
    np.testing.assert_array_equal(trie.unroll(levels, V), [paths[2], paths[0]])
    assert trie.find(levels, np.stack([paths[2], paths[0], paths[0] - 1]), V).tolist() == [0, 1, -1]


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
    with pytest.raises(IndexError, match="tokens must be 0 to 2, got 1 to 3"):
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
    cells = trie.unroll([model.level0.numpy(), model.level1.numpy()], 27)
    counts = {LETTERS[a] + LETTERS[b]: n for (a, b), n in zip(cells, model.counts.tolist(), strict=True)}
    assert sum(counts.values()) == 228_146
    assert Counter(counts).most_common(4) == [("n.", 6763), ("a.", 6640), ("an", 5438), (".a", 4410)]
