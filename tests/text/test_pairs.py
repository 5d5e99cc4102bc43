"""Byte pair encoding itself: the plain form by hand, the quick one against it."""

from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradus.text import bpe, links, pairs, split, words

SAME = np.arange(256)
pieces = st.dictionaries(st.text("abc", min_size=1, max_size=40).map(str.encode), st.integers(1, 4), max_size=8)


def test_worked_examples_are_right() -> None:
    for module in (pairs, split, bpe, words):
        assert doctest.testmod(module).failed == 0


def test_the_example_of_wikipedia() -> None:
    text = b"aaabdaaabac"
    merges = links.learn_merges({text: 1}, SAME, 3)
    assert merges == [(97, 97), (97, 98), (256, 257)]
    z, y, x = 256, 257, 258
    assert links.apply_merges(list(text), {pair: i for i, pair in enumerate(merges)}, [z, y, x]).tolist() == [
        x, ord("d"), x, ord("a"), ord("c"),
    ]  # fmt: skip


@given(pieces)
def test_counts_kept_up_to_date_give_the_merges_of_recounting(pieces: dict[bytes, int]) -> None:
    spread = [list(piece) for piece, times in pieces.items() for _ in range(times)]
    assert links.learn_merges(pieces, SAME, 30) == pairs.learn_merges(spread, 30)


@given(pieces, st.text("abc", max_size=300))
def test_merging_by_links_equals_merging_one_pair_after_the_other(pieces: dict[bytes, int], text: str) -> None:
    merges = pairs.learn_merges([list(piece) * times for piece, times in pieces.items()], 20)
    expected = list(text.encode())
    for new, pair in enumerate(merges, start=256):
        expected = pairs.merge(expected, pair, new)
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    assert links.apply_merges(list(text.encode()), ranks, range(256, 300)).tolist() == expected


@given(st.lists(st.integers(0, 2), max_size=30), st.integers(0, 2), st.integers(0, 2))
def test_merge_of_overlapping_pairs_goes_from_the_left(ids: list[int], first: int, second: int) -> None:
    expected = "".join(map(str, ids)).replace(f"{first}{second}", "9")
    assert "".join(map(str, pairs.merge(ids, (first, second), 9))) == expected


def test_pieces_that_occur_often_count_as_often() -> None:
    assert links.learn_merges({b"ab": 2, b"cd": 3}, SAME, 9) == [(99, 100), (97, 98)]
    assert links.learn_merges({b"ab": 1, b"cd": 1}, SAME, 9) == []  # once is not worth an id
    assert links.learn_merges({}, SAME, 9) == []


def test_equally_frequent_pairs_go_in_the_order_of_their_ids() -> None:
    assert pairs.learn_merges([list(b"cdcd"), list(b"abab")], 1) == [(97, 98)]
    backwards = SAME[::-1].copy()  # a is 158, c is 156
    assert links.learn_merges({b"cdcd": 1, b"abab": 1}, backwards, 1) == [(156, 155)]


def test_count_pairs_counts_overlapping_ones() -> None:
    assert pairs.count_pairs([[1, 1, 1], [1], []]) == Counter({(1, 1): 2})
