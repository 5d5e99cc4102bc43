"""Examples of pairs, labels and hidden tokens, and their batches."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import (
    CharTokenizer,
    Corpus,
    EndlessPairs,
    ExampleBatches,
    Pairs,
    load_corpus,
    make_labelled,
    make_masked,
    make_pairs,
)
from gradus.text.corpus import pairs_corpus
from gradus.text.examples import Sequences, hide

SMALL = pairs_corpus("small", "", [("ab", "c"), ("ab", "cca"), ("b", "bb"), ("cabac", "a")])
MOODS = Corpus("moods", "labelled", "", documents=("ab", "cab", "a"), labels=("x", "y", "x"))
CHARS = CharTokenizer.train(SMALL)  # separator 0, a 1, b 2, c 3


def padded(rows: list[list[int]]) -> list[list[int]]:
    width = max(map(len, rows))
    return [row + [-1] * (width - len(row)) for row in rows]


def test_pairs_are_padded_to_the_longest_of_their_batch() -> None:
    pairs = make_pairs(SMALL, CHARS)
    assert (len(pairs), pairs.scored) == (4, (1 + 3 + 2 + 1) + 4)
    x, y = pairs.take(np.arange(4))
    assert x.tolist() == padded([[1, 2, 0], [1, 2, 0], [2, 0], [3, 1, 2, 1, 3, 0]])
    assert y.tolist() == padded([[0, 3, 0], [0, 3, 3, 1, 0], [0, 2, 2, 0], [0, 1, 0]])
    x, y = pairs.take(np.array([2, 0]))
    assert (x.tolist(), y.tolist()) == ([[2, 0, -1], [1, 2, 0]], [[0, 2, 2, 0], [0, 3, 0, -1]])
    assert x.dtype == y.dtype == np.int64


def test_batches_to_score_are_all_examples_the_shortest_first() -> None:
    found = [(x.tolist(), y.tolist()) for x, y in make_pairs(SMALL, CHARS).batches(3)]
    assert found == [
        (padded([[1, 2, 0], [3, 1, 2, 1, 3, 0], [2, 0]]), padded([[0, 3, 0], [0, 1, 0], [0, 2, 2, 0]])),
        ([[1, 2, 0]], [[0, 3, 3, 1, 0]]),
    ]
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        next(make_pairs(SMALL, CHARS).batches(0))


def test_labels_are_numbers_and_long_texts_are_cut() -> None:
    examples = make_labelled(MOODS, CHARS, 4, ["x", "y"])
    x, y = examples.take(np.arange(3))
    assert x.tolist() == [[0, 1, 2, 0], [0, 3, 1, 0], [0, 1, 0, -1]]
    assert y.tolist() == [0, 1, 0]
    with pytest.raises(UserError, match="moods has the label 'y'; the model knows x, z"):
        make_labelled(MOODS, CHARS, 4, ["x", "z"])


def test_source_longer_than_the_block_is_the_users_error() -> None:
    make_pairs(SMALL, CHARS, 6)
    with pytest.raises(
        UserError, match=r"a source of small has 6 tokens with its ends, more than block_size 5: 'cabac'"
    ):
        make_pairs(SMALL, CHARS, 5)
    with pytest.raises(UserError, match=r"a target of x has 4 tokens with its ends, more than block_size 3: 'bb'"):
        make_pairs(pairs_corpus("x", "", [("a", "bb")]), CHARS, 3)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=60),
    st.integers(1, 7),
    st.one_of(st.none(), st.integers(1, 60)),
)
def test_every_example_comes_once_an_epoch_within_the_budget(
    lengths: list[tuple[int, int]], batch_size: int, batch_tokens: int | None
) -> None:
    # Each sequence is the number of its example, as often as it is long.
    pairs = Pairs(*(Sequences.of([[i] * pair[side] for i, pair in enumerate(lengths)]) for side in (0, 1)))
    batches = ExampleBatches(pairs, batch_size, seed=3, batch_tokens=batch_tokens)
    for epoch in range(3):
        seen: Counter[int] = Counter()
        for step in range(batches.steps_per_epoch):
            x, y = batches.batch(epoch * batches.steps_per_epoch + step)
            assert x[:, 0].tolist() == y[:, 0].tolist()
            assert ((x >= 0).sum(1).tolist(), (y >= 0).sum(1).tolist()) == (
                [lengths[i][0] for i in x[:, 0]],
                [lengths[i][1] for i in x[:, 0]],
            )
            assert len(x) <= batch_size
            assert batch_tokens is None or len(x) == 1 or x.size + y.size <= batch_tokens
            seen.update(x[:, 0].tolist())
        assert seen == Counter(range(len(lengths)))


def test_batches_depend_on_seed_and_step_alone_and_hold_little_padding() -> None:
    random = np.random.default_rng(0)
    texts = [[7] * n for n in random.integers(2, 40, size=2_000)]
    pairs = Pairs(Sequences.of(texts), Sequences.of(texts[::-1]))
    batches, again = (ExampleBatches(pairs, 10_000, seed=1, batch_tokens=2_000) for _ in range(2))
    other = ExampleBatches(pairs, 10_000, seed=2, batch_tokens=2_000)
    for step in (5, 0, batches.steps_per_epoch + 2):
        for a, b in zip(batches.batch(step), again.batch(step), strict=True):
            assert np.array_equal(a, b)
    assert any(batches.batch(step)[1].shape != other.batch(step)[1].shape for step in range(5))
    targets = [batches.batch(step)[1] for step in range(batches.steps_per_epoch)]
    assert sum((y == -1).sum() for y in targets) < 0.05 * sum(y.size for y in targets)
    with pytest.raises(IndexError, match="step must be 0 or more, got -1"):
        batches.batch(-1)


def test_endless_pairs_differ_at_every_step_and_are_drawn_again_alike() -> None:
    train = load_corpus("reverse").splits().train
    tokenizer = CharTokenizer.train(train)
    batches, again = (EndlessPairs(train, tokenizer, 64, seed=1) for _ in range(2))
    assert batches.steps_per_epoch == 125
    rows = set()
    for step in (3, 0, 1_000_000):
        x, y = batches.batch(step)
        for a, b in zip((x, y), again.batch(step), strict=True):
            assert np.array_equal(a, b)
        for source, target in zip(x, y, strict=True):
            text, answer = (tokenizer.decode(ids[ids > 0]) for ids in (source, target))
            assert answer == text[::-1]
            rows.add(text)
    assert len(rows) > 180
    assert EndlessPairs(train, tokenizer, 64, 1, batch_tokens=230).batch_size == 10  # 11 + 12 tokens the longest pair


def test_hidden_tokens_are_masked_replaced_or_left_in_their_shares() -> None:
    ids = np.random.default_rng(0).integers(-1, 50, size=200_000)  # separator 0, padding -1
    given_, asked = hide(ids, 50, (0,), np.random.default_rng(1))
    hidden = asked >= 0
    assert not (hidden & (ids <= 0)).any()
    assert np.array_equal(asked[hidden], ids[hidden])
    assert np.array_equal(given_[~hidden], ids[~hidden])
    words = (ids > 0).sum()
    assert hidden.sum() / words == pytest.approx(0.15, abs=0.005)
    masked, same = (given_ == 50).sum() / hidden.sum(), (given_[hidden] == ids[hidden]).mean()
    assert masked == pytest.approx(0.8, abs=0.01)
    assert same == pytest.approx(0.1 + 0.1 / 50, abs=0.01)
    assert given_.max() == 50


def test_at_least_one_token_is_hidden_where_there_is_one() -> None:
    for seed in range(20):
        _, asked = hide(np.array([[0, 4, 0, -1]]), 50, (0,), np.random.default_rng(seed))
        assert asked.tolist() == [[-1, 4, -1, -1]]


def test_masks_to_score_with_are_the_same_whatever_the_batch_and_others_in_training() -> None:
    documents = Corpus("x", "documents", "", documents=tuple("abcab" * n for n in range(1, 30)))
    masked = make_masked(documents, CHARS, 64)
    assert masked.parts[0].lengths.max() == 64  # the longest are cut in pieces, between separators
    texts = [row[row >= 0] for row in masked.parts[0].padded(np.arange(len(masked)))]
    assert all(row[0] == row[-1] == 0 and (row[1:-1] > 0).all() for row in texts)
    assert "".join(CHARS.decode(row[1:-1]) for row in texts) == "".join(documents.documents)

    def rows(size: int) -> list[tuple[list[int], list[int]]]:
        flat = ((x[x >= 0], y) for xs, ys in masked.batches(size) for x, y in zip(xs, ys, strict=True))
        return [(x.tolist(), y[: len(x)].tolist()) for x, y in flat]

    assert rows(3) == rows(64)
    assert sum(id_ >= 0 for _, y in rows(3) for id_ in y) == masked.scored
    batches = ExampleBatches(masked, 100, seed=1)
    first, second = batches.batch(0), batches.batch(batches.steps_per_epoch)
    assert not np.array_equal(first[1], second[1])


def test_stream_is_masked_in_pieces() -> None:
    masked = make_masked(Corpus("x", "stream", "", text="abc" * 10), CHARS, 12)
    assert masked.parts[0].lengths.tolist() == [12, 12, 12]
    with pytest.raises(ValueError, match="block_size must be at least 3"):
        make_masked(Corpus("x", "stream", "", text="abc" * 10), CHARS, 2)
