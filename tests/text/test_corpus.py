"""Splitting, for every size of corpus."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.errors import UserError
from gradus.text import Corpus


@given(st.integers(1, 500).map(lambda n: "".join(map(chr, range(1, 1 + n)))))
def test_stream_parts_are_85_5_and_10_percent_dev_from_before_the_middle(text: str) -> None:
    corpus = Corpus("x", "stream", "", text=text)
    n1, n2, n3 = (int(share * len(text)) for share in (0.45, 0.5, 0.9))
    if n1 == n2 or not (n1 + n3 - n2):  # no character left for dev, or for train
        with pytest.raises(UserError, match="too few to split"):
            corpus.splits()
        return
    parts = corpus.splits()
    assert parts.train.text == text[:n1] + text[n2:n3]
    assert (parts.dev.text, parts.test.text) == (text[n1:n2], text[n3:])
    assert (parts.train.part, parts.dev.part, parts.test.part) == ("train", "dev", "test")


@given(st.lists(st.text(alphabet="abc"), min_size=10, max_size=200))
def test_document_parts_are_80_10_and_10_percent_of_a_seeded_shuffle(documents: list[str]) -> None:
    parts = Corpus("x", "documents", "", documents=tuple(documents)).splits()
    shuffled = list(documents)
    random.Random(42).shuffle(shuffled)
    assert parts.train.documents + parts.dev.documents + parts.test.documents == tuple(shuffled)
    assert len(parts.train.documents) == int(0.8 * len(documents))
    assert len(parts.train.documents + parts.dev.documents) == int(0.9 * len(documents))


def test_characters_of_documents_count_each_end() -> None:
    assert Corpus("x", "documents", "", documents=("ab", "", "cde")).characters == 5 + 3


def test_corpus_too_small_to_split_is_the_users_error() -> None:
    with pytest.raises(UserError, match="tiny has only 4 documents, too few to split"):
        Corpus("tiny", "documents", "", documents=("a", "b", "c", "d")).splits()
