"""Counts of n-grams in sorted arrays, for any order and any vocabulary.

An n-gram is a path of n tokens from the root of a tree. Level l is one sorted array of int64 keys, `parent * V +
token`: the node number a path reached on the level before, and the token it goes on with. A node's number is the place
of its key in the array, so a key never exceeds (number of nodes) * V, however large V^n is. The last level's keys are
the cells (context, next token), and the children of one context lie side by side. Everything is NumPy, a whole batch
of paths at a time.

Example, V = 10: counting (1, 2) twice and (1, 3) once gives the levels [1] and [2, 3] (node 0, tokens 2 and 3) and the
counts [2, 1].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def build(paths: Ints, times: Ints, vocab_size: int) -> tuple[list[Ints], Ints]:
    """Paths (N, n), which may repeat, and how often each counts (N,) -> the n levels, and the counts of the cells."""
    node = np.zeros(len(paths), dtype=np.int64)
    levels = []
    for token in paths.T:
        keys, node = np.unique(node * vocab_size + token, return_inverse=True)
        levels.append(keys)
    counts = np.zeros(len(levels[-1]), dtype=np.int64)
    np.add.at(counts, node, times)
    return levels, counts


def unroll(levels: list[Ints], vocab_size: int) -> Ints:
    """The paths (K, n) of the K cells, in their order: what `build` was given, without repetition."""
    paths = np.empty((len(levels[-1]), len(levels)), dtype=np.int64)
    node = np.arange(len(levels[-1]), dtype=np.int64)
    for place in reversed(range(len(levels))):
        node, paths[:, place] = np.divmod(levels[place][node], vocab_size)
    return paths


def find(levels: list[Ints], paths: Ints, vocab_size: int) -> Ints:
    """Where each path (M, len(levels)) leads: its node (M,), -1 if there is none; no tokens lead to the root, 0."""
    node = np.zeros(len(paths), dtype=np.int64)
    for keys, token in zip(levels, paths.T, strict=True):
        wanted = node * vocab_size + token  # negative after a missing node, hence missing again
        place = np.searchsorted(keys, wanted)
        found = place < len(keys)
        found[found] = keys[place[found]] == wanted[found]
        node = np.where(found, place, -1)
    return node


def rows(cells: Ints, counts: Ints, nodes: Ints, vocab_size: int) -> NDArray[np.float64]:
    """How often each token followed each of the contexts `nodes` (M,) -> (M, V); zeros where the node is -1."""
    first = np.searchsorted(cells, nodes * vocab_size)
    sizes = np.searchsorted(cells, (nodes + 1) * vocab_size) - first
    row = np.repeat(np.arange(len(nodes)), sizes)
    cell = np.arange(len(row)) + np.repeat(
        first - (np.cumsum(sizes) - sizes), sizes
    )  # each row's run of cells, one run after the other
    table = np.zeros((len(nodes), vocab_size))
    table[row, cells[cell] % vocab_size] = counts[cell]
    return table
