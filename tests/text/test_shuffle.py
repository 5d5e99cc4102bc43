"""The shuffle without a table: every place once, in an order that nothing of the text's order is left in."""

from __future__ import annotations

import numpy as np
import pytest

from gradus.text.shuffle import Shuffle


def order(number: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return Shuffle(number, np.random.default_rng(seed))[np.arange(number)]


def test_every_number_of_places_is_permuted() -> None:
    for number in (*range(1, 300), 1 << 12, (1 << 12) + 1, 99_991):
        assert np.array_equal(np.sort(order(number)), np.arange(number))


def test_a_place_goes_where_it_goes_whatever_is_asked_beside_it() -> None:
    shuffle = Shuffle(1000, np.random.default_rng(3))
    assert np.concatenate([shuffle[np.array([i])] for i in range(1000)]).tolist() == shuffle[np.arange(1000)].tolist()


def test_places_beyond_what_a_table_could_hold_are_permuted() -> None:
    number = 10**15
    places = number - 1 - np.arange(1000)
    found = Shuffle(number, np.random.default_rng(0))[places]
    assert len(np.unique(found)) == 1000
    assert found.min() >= 0
    assert found.max() < number


def test_another_seed_is_another_order() -> None:
    assert (order(1000, 0) != order(1000, 1)).mean() > 0.99


@pytest.mark.parametrize("number", [1000, 4096, 100_000])
def test_it_has_the_statistics_of_chance(number: int) -> None:
    """Within four standard deviations of what a random permutation has: the correlation with the places and with the
    next one, and how evenly the first tenth of the places is spread over ten equal ranges."""
    found = order(number, 5)
    for a, b in ((found, np.arange(number)), (found[1:], found[:-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(number)
    tenths = np.bincount(found[: number // 10] * 10 // number, minlength=10)
    expected = number / 100
    assert np.abs(tenths - expected).max() < 4 * np.sqrt(expected)
