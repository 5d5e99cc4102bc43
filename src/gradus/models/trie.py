"""A tree of contexts in sorted arrays: from a context to the shorter one inside it, and back, without a dictionary.

A context is read from its newest token to its oldest, so that leaving out the oldest token is going to the parent: the
step that every model with backoff takes. Level l (from 0) holds the contexts of l + 1 tokens as one sorted array of
int64 keys, `parent * V + token`, where the parent is the number of a node of the level before, and a node's number is
the place of its key. A key never exceeds (number of nodes) * V, however large V^n is. The root, node 0, is the empty
context. Everything is NumPy, a whole batch at a time.

Example, V = 10: the contexts "...1 2" and "...3 2" are the levels [2] (after a 2) and [1, 3] (before that a 1, or a 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def build(columns: Sequence[Ints], vocab_size: int) -> list[Ints]:
    """The levels of paths in ascending order, given as columns of tokens, each (N,); paths may repeat."""
    size = len(columns[0])
    changed = np.zeros(size, dtype=bool)
    changed[:1] = True
    node = np.zeros(size, dtype=np.int64)
    levels = []
    for token in columns:
        np.logical_or(changed[1:], token[1:] != token[:-1], out=changed[1:])
        levels.append((node * vocab_size + token)[changed])
        node = np.cumsum(changed) - 1
    return levels


def walk(levels: list[Ints], columns: Sequence[Ints], vocab_size: int) -> Iterator[Ints]:
    """The nodes that paths (M,) reach on each level in turn, (M,); -1 from where a path leaves the tree."""
    node = np.zeros(len(columns[0]) if columns else 0, dtype=np.int64)
    for keys, token in zip(levels, columns, strict=True):
        wanted = node * vocab_size + token
        place = np.searchsorted(keys, wanted)
        found = (node >= 0) & (token >= 0) & (place < len(keys))
        found[found] = keys[place[found]] == wanted[found]
        node = np.where(found, place, -1)
        yield node


def children(keys: Ints, nodes: Ints, vocab_size: int) -> tuple[Ints, Ints]:
    """The places in a level's keys of all children of the nodes (M,): for each child the index into `nodes`, and its
    place. The children of one node lie side by side."""
    first = np.searchsorted(keys, nodes * vocab_size)
    sizes = np.searchsorted(keys, (nodes + 1) * vocab_size) - first
    of = np.repeat(np.arange(len(nodes)), sizes)
    return of, np.arange(len(of)) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
