"""A shuffle without a table: where each place of an order goes is computed when it is asked for, so that a text of any
size can be read in a random order, each window once, by any number of processes that agree on nothing but the seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gradus.text.tokenizer import Ids

Words = npt.NDArray[np.uint64]
ROUNDS = 8  # four make a network that cannot be told from chance (Luby and Rackoff, 1988) if the hash cannot


class Shuffle:
    """A pseudo-random permutation of 0 .. number - 1, indexed like an array that holds it.

    >>> order = Shuffle(10, np.random.default_rng(0))
    >>> sorted(order[np.arange(10)].tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

    A Feistel network: the bits of a place are cut into two halves, and each round changes one half by a hash of the
    other. Whatever the hash, a round can be undone, so no two places go to the same one. The network permutes a power
    of four; a place that it sends beyond `number` is sent on until it arrives inside (Black and Rogaway, 2002).
    """

    def __init__(self, number: int, generator: np.random.Generator) -> None:
        self.number = number
        self.half = np.uint64(max(1, (max(number - 1, 1).bit_length() + 1) // 2))  # bits
        self.mask = (np.uint64(1) << self.half) - np.uint64(1)
        self.keys = generator.integers(2**64, size=ROUNDS, dtype=np.uint64)

    def __getitem__(self, places: Ids) -> Ids:
        """(n,) where the places (n,), each in 0 .. number - 1, go."""
        out = self._network(places.astype(np.uint64))
        beyond = np.flatnonzero(out >= self.number)
        while len(beyond):
            out[beyond] = self._network(out[beyond])
            beyond = beyond[out[beyond] >= self.number]
        return out.astype(np.int64)

    def _network(self, places: Words) -> Words:
        left, right = places >> self.half, places & self.mask
        for key in self.keys:
            left, right = right, left ^ (_hash(right + key) & self.mask)
        return (left << self.half) | right


def _hash(x: Words) -> Words:
    """64 bits, each of which depends on every bit of x: the end of SplitMix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
