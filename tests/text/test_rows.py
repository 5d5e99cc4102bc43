"""Rows and batches: each character is scored exactly once, after the context that was asked for."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import Batches, BPETokenizer, CharTokenizer, Corpus, Rows, make_rows, scored_size
from gradus.text.tokenizer import Ids

# Every character of these texts is different, so that an id says where in the text it stands.
PLACES = "".join(map(chr, range(0x4E00, 0x4E00 + 400)))


def stream(text: str) -> Corpus:
    return Corpus("text", "stream", "", text=text)


def of_documents(*documents: str) -> Corpus:
    return Corpus("docs", "documents", "", documents=documents)


def scored(x: Ids, y: Ids) -> list[tuple[int, int]]:
    """(what is read, what follows) wherever there is a target."""
    return [(int(a), int(b)) for a, b in zip(x[y >= 0], y[y >= 0], strict=True)]


sizes = st.tuples(st.integers(1, 40), st.integers(0, 39)).map(lambda pair: (pair[0], 1 + pair[1] % pair[0]))  # T, <= T


@given(st.integers(2, 400), sizes)
def test_each_stream_character_but_the_first_is_scored_once_after_enough_context(n: int, size: tuple[int, int]) -> None:
    block_size, context = size
    text = stream(PLACES[:n])
    tokenizer = CharTokenizer.train(text)
    if n <= block_size:
        with pytest.raises(UserError, match=f"text has {n} tokens, but a row of block_size {block_size} needs"):
            make_rows(text, tokenizer, block_size, context=context)
        return
    rows = make_rows(text, tokenizer, block_size, context=context)
    assert rows.x.shape == rows.y.shape == (len(rows), block_size)
    assert rows.x.dtype == rows.y.dtype == np.int64
    assert sorted(scored(rows.x, rows.y)) == [(i, i + 1) for i in range(n - 1)]
    assert rows.scored == n - 1
    for x, y in zip(rows.x, rows.y, strict=True):
        positions = np.flatnonzero(y >= 0)
        assert positions.size
        seen = positions + 1  # ids of the row up to here
        assert np.all((seen >= context) | (seen == y[positions]))  # or all there are: the target's place in the text
        np.testing.assert_array_equal(x[: positions[-1] + 1], x[0] + np.arange(positions[-1] + 1))  # one piece of text


@given(st.integers(50, 400), sizes)
def test_stride_and_context_are_one_choice(n: int, size: tuple[int, int]) -> None:
    block_size, stride = size
    text = stream(PLACES[:n])
    tokenizer = CharTokenizer.train(text)
    by_stride = make_rows(text, tokenizer, block_size, stride=stride)
    by_context = make_rows(text, tokenizer, block_size, context=block_size - stride + 1)
    np.testing.assert_array_equal(by_stride.x, by_context.x)
    np.testing.assert_array_equal(by_stride.y, by_context.y)
    np.testing.assert_array_equal(by_stride.x[:, 0], stride * np.arange(len(by_stride)))


def test_windows_by_hand() -> None:
    text = stream("abcdefg")
    rows = make_rows(text, CharTokenizer.train(text), 4)
    np.testing.assert_array_equal(rows.x, [[0, 1, 2, 3], [4, 5, 0, 0]])
    np.testing.assert_array_equal(rows.y, [[1, 2, 3, 4], [5, 6, -1, -1]])
    sliding = make_rows(text, CharTokenizer.train(text), 4, context=3)
    np.testing.assert_array_equal(sliding.x, [[0, 1, 2, 3], [2, 3, 4, 5]])
    np.testing.assert_array_equal(sliding.y, [[1, 2, 3, 4], [-1, -1, 5, 6]])


def test_documents_by_hand() -> None:
    corpus = of_documents("abc", "", "b")
    rows = make_rows(corpus, CharTokenizer.train(corpus), 5)
    np.testing.assert_array_equal(rows.x, [[0, 0, 0, 0, 0], [0, 2, 0, 0, 0], [0, 1, 2, 3, 0]])
    np.testing.assert_array_equal(rows.y, [[0, -1, -1, -1, -1], [2, 0, -1, -1, -1], [1, 2, 3, 0, -1]])


def test_document_longer_than_the_row_is_cut_like_a_stream() -> None:
    corpus = of_documents("abcd")
    rows = make_rows(corpus, CharTokenizer.train(corpus), 3)
    np.testing.assert_array_equal(rows.x, [[3, 4, 0], [0, 1, 2]])
    np.testing.assert_array_equal(rows.y, [[4, 0, -1], [1, 2, 3]])


some_documents = st.lists(st.text(alphabet="abcdef", max_size=30), min_size=1, max_size=60)


@given(some_documents, sizes)
def test_each_document_character_and_end_is_scored_once(documents: list[str], size: tuple[int, int]) -> None:
    block_size, context = size
    corpus = of_documents(*documents)
    tokenizer = CharTokenizer.train(corpus)
    rows = make_rows(corpus, tokenizer, block_size, context=context)
    bigrams: Counter[tuple[int, int]] = Counter()
    for document in documents:
        ids = tokenizer.encode(f"\n{document}\n").tolist()
        bigrams.update(pairwise(ids))
    assert Counter(scored(rows.x, rows.y)) == bigrams
    assert rows.scored == corpus.characters
    if block_size > 30:  # no document is cut
        read = ["".join(tokenizer.decode(x[: np.sum(y >= 0)])) for x, y in zip(rows.x, rows.y, strict=True)]
        assert sorted(read) == sorted("\n" + document for document in documents)
        assert [len(row) for row in read] == sorted(len(row) for row in read)


@given(some_documents, sizes, st.integers(1, 9))
def test_row_batches_are_the_rows_without_their_empty_columns(
    documents: list[str], size: tuple[int, int], batch_size: int
) -> None:
    corpus = of_documents(*documents)
    rows = make_rows(corpus, CharTokenizer.train(corpus), size[0], context=size[1])
    first = 0
    for x, y in rows.batches(batch_size):
        width = x.shape[1]
        assert x.shape == y.shape == (min(batch_size, len(rows) - first), width)
        np.testing.assert_array_equal(x, rows.x[first : first + batch_size, :width])
        np.testing.assert_array_equal(y, rows.y[first : first + batch_size, :width])
        assert np.any(y[:, -1] >= 0)
        assert np.all(rows.y[first : first + batch_size, width:] == -1)
        first += batch_size
    assert first >= len(rows)


@given(st.integers(2, 400), sizes, st.integers(1, 13), st.integers(0, 2**32), st.integers(0, 3))
def test_each_epoch_scores_each_stream_character_once(
    n: int, size: tuple[int, int], batch_size: int, seed: int, epoch: int
) -> None:
    block_size, context = size
    n = max(n, block_size + 1)
    text = stream(PLACES[:n])
    batches = Batches(text, CharTokenizer.train(text), block_size, batch_size, seed, context=context)
    steps = batches.steps_per_epoch
    pairs: list[tuple[int, int]] = []
    for step in range(epoch * steps, (epoch + 1) * steps):
        x, y = batches.batch(step)
        assert x.shape == y.shape
        assert len(x) <= batch_size
        assert x.shape[1] <= block_size
        assert np.all(y[:, : context - 1] == -1)  # each target sees the context
        pairs += scored(x, y)
    assert sorted(pairs) == [(i, i + 1) for i in range(n - 1)]


@given(st.integers(30, 400), sizes, st.integers(0, 99))
def test_batch_windows_are_pieces_of_the_text_taken_as_a_ring(n: int, size: tuple[int, int], seed: int) -> None:
    block_size, context = size
    text = stream(PLACES[: max(n, block_size + 1)])
    batches = Batches(text, CharTokenizer.train(text), block_size, 10_000, seed, context=context)
    ring = text.characters - 1
    broken = 0
    for x, y in zip(*batches.batch(0), strict=True):
        inside = int(np.flatnonzero(y >= 0)[-1]) + 1
        np.testing.assert_array_equal(x[:inside], (x[0] + np.arange(inside)) % ring)
        broken += bool(np.any(np.diff(x[context - 1 : inside]) < 0))
    assert broken <= 1


@given(some_documents, sizes, st.integers(1, 9), st.integers(0, 99), st.integers(0, 3))
def test_each_epoch_takes_each_document_row_once(
    documents: list[str], size: tuple[int, int], batch_size: int, seed: int, epoch: int
) -> None:
    corpus = of_documents(*documents)
    tokenizer = CharTokenizer.train(corpus)
    rows = make_rows(corpus, tokenizer, size[0], context=size[1])
    batches = Batches(corpus, tokenizer, size[0], batch_size, seed, context=size[1])
    steps = batches.steps_per_epoch
    taken: Counter[tuple[bytes, bytes]] = Counter()
    for step in range(epoch * steps, (epoch + 1) * steps):
        x, y = batches.batch(step)
        assert np.any(y[:, -1] >= 0)  # trimmed to its longest row
        pad = ((0, 0), (0, size[0] - x.shape[1]))
        padded = zip(np.pad(x, pad), np.pad(y, pad, constant_values=-1), strict=True)
        taken.update((a.tobytes(), b.tobytes()) for a, b in padded)
    assert taken == Counter((a.tobytes(), b.tobytes()) for a, b in zip(rows.x, rows.y, strict=True))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=20), st.booleans())
def test_batch_is_a_pure_function_of_the_step(steps: list[int], is_stream: bool) -> None:
    corpus = stream(PLACES) if is_stream else of_documents(*(PLACES[i : i + i % 7] for i in range(50)))
    tokenizer = CharTokenizer.train(corpus)
    used = Batches(corpus, tokenizer, 8, 5, seed=1)
    for step in steps:
        x, y = used.batch(step)
        fresh_x, fresh_y = Batches(corpus, tokenizer, 8, 5, seed=1).batch(step)
        np.testing.assert_array_equal(x, fresh_x)
        np.testing.assert_array_equal(y, fresh_y)


def test_order_and_offset_change_with_epoch_and_seed() -> None:
    text = stream(PLACES)
    tokenizer = CharTokenizer.train(text)

    def epoch(seed: int, epoch: int) -> list[int]:
        batches = Batches(text, tokenizer, 16, 4, seed)
        steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
        return [int(first) for step in steps for first in batches.batch(step)[0][:, 0]]

    orders = [epoch(0, 0), epoch(0, 1), epoch(1, 0), epoch(1, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert all(sorted(order) != order for order in orders)
    assert len({min(order) for order in orders}) > 1  # the windows begin elsewhere


def test_stream_batches_have_one_shape_but_the_last() -> None:
    text = stream(PLACES * 3)
    batches = Batches(text, CharTokenizer.train(text), 16, 4, seed=0)
    shapes = [batches.batch(step)[0].shape for step in range(batches.steps_per_epoch)]
    assert batches.steps_per_epoch == 19  # 1199 targets in windows of 16 are 75 rows, 4 a batch
    assert shapes == [(4, 16)] * 18 + [(3, 16)]


def test_part_that_is_too_short_is_named() -> None:
    corpus = stream(PLACES[:200])
    tokenizer = CharTokenizer.train(corpus)
    message = "the dev part of text has 10 tokens, but a row of block_size 10 needs 11"
    with pytest.raises(UserError, match=message):
        make_rows(corpus.splits().dev, tokenizer, 10)
    with pytest.raises(UserError, match=message):
        Batches(corpus.splits().dev, tokenizer, 10, 4, seed=0)
    assert make_rows(corpus.splits().dev, tokenizer, 9).scored == 9


def test_documents_need_a_tokenizer_made_for_documents() -> None:
    with pytest.raises(UserError, match="the tokenizer was made for a stream"):
        make_rows(of_documents("ab"), CharTokenizer.train(stream("\tab\n")), 4)


def test_no_documents_is_the_users_error() -> None:
    with pytest.raises(UserError, match="docs has no documents"):
        make_rows(of_documents(), CharTokenizer("\na"), 4)


def test_sizes_out_of_range_are_refused() -> None:
    text, tokenizer = stream("abcdef"), CharTokenizer("abcdef")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"block_size": 0}, "block_size must be at least 1, got 0"),
        ({"block_size": 4, "context": 5}, "context must be between 1 and block_size 4, got 5"),
        ({"block_size": 4, "context": 0}, "context must be between 1 and block_size 4, got 0"),
        ({"block_size": 4, "stride": 5}, "stride must be between 1 and block_size 4, got 5"),
        ({"block_size": 4, "stride": 2, "context": 3}, "give one of them"),
    ]
    for settings_, message in cases:
        with pytest.raises(ValueError, match=message):
            make_rows(text, tokenizer, **settings_)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        Batches(text, tokenizer, 4, 0, seed=0)
    with pytest.raises(ValueError, match="seed must be 0 or more, got -1"):
        Batches(text, tokenizer, 4, 1, seed=-1)
    with pytest.raises(IndexError, match="step must be 0 or more, got -1"):
        Batches(text, tokenizer, 4, 1, seed=0).batch(-1)
    rows: Rows = make_rows(text, tokenizer, 4)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        next(rows.batches(0))


@pytest.mark.parametrize("kind", ["stream", "documents"])
def test_scored_size_is_of_all_that_the_targets_stand_for(kind: str) -> None:
    text = "low lower lowest. été naïve"
    part = stream(text) if kind == "stream" else of_documents("été", "low lower", "naïve")
    for tokenizer in (CharTokenizer.train(part), BPETokenizer.train(part, 270)):
        rows = make_rows(part, tokenizer, 4)
        targets = [id_ for id_ in rows.y.reshape(-1).tolist() if id_ != -1]
        characters, size = scored_size(part, tokenizer)
        if kind == "documents":
            ends = targets.count(tokenizer.separator)
            text = "".join(tokenizer.decode([id_]) for id_ in targets if id_ != tokenizer.separator)
            assert (characters, ends) == (sum(map(len, part.documents)) + 3, 3)
            assert size == sum(len(document.encode()) for document in part.documents) + 3
        else:
            assert characters == len(tokenizer.decode(targets))
            assert size == len(tokenizer.decode(targets).encode())
