"""Batches of single positions: every one once an epoch, its window as long as the context, and only from its text."""

from __future__ import annotations

import numpy as np
import pytest

from gradus.text import CharTokenizer, Corpus, Positions


def all_windows(positions: Positions, epoch: int = 0) -> list[tuple[list[int], int]]:
    steps = range(epoch * positions.steps_per_epoch, (epoch + 1) * positions.steps_per_epoch)
    batches = [positions.batch(step) for step in steps]
    assert all(x.shape == (positions.batch_size, len(positions.back)) for x, _ in batches)
    return [(row.tolist(), int(following[0])) for x, y in batches for row, following in zip(x, y, strict=True)]


def test_the_positions_of_documents_are_the_lectures_examples() -> None:
    names = Corpus("names", "documents", source="a test", documents=("emma", "ava"))
    tokenizer = CharTokenizer.train(names)
    expected = []
    for word in names.documents:
        context = [0, 0, 0]
        for ix in [*tokenizer.encode(word).tolist(), 0]:
            expected.append((context, ix))
            context = [*context[1:], ix]
    assert sorted(all_windows(Positions(names, tokenizer, 3, 3, seed=0))) == sorted(expected)  # 9 positions, 3 batches


@pytest.mark.parametrize("batch_size", [2, 5, 7, 40])
def test_an_epoch_has_every_position_and_full_batches(batch_size: int) -> None:
    text = Corpus("text", "stream", source="a test", text="abcdefghijklmnopqrstuvwxyz")
    tokenizer = CharTokenizer.train(text)
    ids = tokenizer.encode(text.text).tolist()
    positions = Positions(text, tokenizer, 4, batch_size, seed=1)
    for epoch in (0, 1):
        seen = all_windows(positions, epoch)
        assert {following for _, following in seen} == set(ids[4:])
        assert all(ids[ids.index(y) - 4 : ids.index(y)] == x for x, y in seen)
        assert len(seen) == batch_size * -(-22 // batch_size)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    text = Corpus("text", "stream", source="a test", text="the quick brown fox jumps over the lazy dog")
    tokenizer = CharTokenizer.train(text)
    one, same, other = (Positions(text, tokenizer, 4, 5, seed=seed) for seed in (1, 1, 2))
    for step in (9, 0, 30):
        np.testing.assert_array_equal(one.batch(step)[0], same.batch(step)[0])
    assert not np.array_equal(one.batch(0)[0], other.batch(0)[0])
    with pytest.raises(IndexError, match="got -1"):
        one.batch(-1)
