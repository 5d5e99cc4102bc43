"""A stream on several tracks: where each goes on, and that all of it is scored once."""

from __future__ import annotations

import numpy as np
import pytest

from gradus.text import CharTokenizer, Corpus, TrackBatches, make_tracks


def stream(length: int) -> tuple[Corpus, CharTokenizer]:
    characters = "".join(chr(0x4E00 + i) for i in range(length))  # all different, in the tokenizer's order
    text = Corpus("text", "stream", source="a test", text=characters)
    return text, CharTokenizer.train(text)


@pytest.mark.parametrize(("length", "batch_size", "block_size"), [(50, 3, 4), (41, 4, 10), (30, 1, 7)])
def test_a_row_goes_on_where_the_same_row_of_the_batch_before_ended(
    length: int, batch_size: int, block_size: int
) -> None:
    text, tokenizer = stream(length)
    batches = TrackBatches(text, tokenizer, block_size, batch_size, seed=2)
    x, y = (np.concatenate(both, axis=1) for both in zip(*map(batches.batch, range(12)), strict=True))
    assert x.shape == (batch_size, 12 * block_size)
    targets = length - 1
    np.testing.assert_array_equal(x[:, 1:], (x[:, :-1] + 1) % targets)  # the last character is only a target
    np.testing.assert_array_equal(y, x + 1)
    epoch = {int(i) for step in range(batches.steps_per_epoch) for i in batches.batch(step)[1].reshape(-1)}
    assert epoch == set(range(1, length))


@pytest.mark.parametrize("length", [9, 10, 64, 65, 66, 200, 1001])
def test_every_character_but_the_first_is_scored_once_and_in_order(length: int) -> None:
    text, tokenizer = stream(length)
    tracks = make_tracks(text, tokenizer, 8)
    batches = list(tracks.batches(1000))
    assert all(x.shape[0] == 8 for x, _ in batches)
    scored = [np.concatenate([y[i][y[i] >= 0] for _, y in batches]) for i in range(8)]
    np.testing.assert_array_equal(np.concatenate(scored), np.arange(1, length))
    assert tracks.scored == length - 1
    for x, y in batches:
        assert ((y == -1) | (y == x + 1)).all()


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(IndexError, match="got -1"):
        TrackBatches(*stream(20), 4, 2, seed=0).batch(-1)
