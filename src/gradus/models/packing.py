"""Counting windows of n tokens with sorted arrays, for any n and any vocabulary.

A window is packed into as few int64 words as hold it, several tokens a word, in base V: windows compare as their words
do, so sorting the words brings equal windows together, and their number is the count. A table is the distinct windows
in ascending order (K, W) with their counts (K,): 16 bytes a window where one word holds it. Two tables are merged by
sorting what is sorted already, which takes linear time.

Example, V = 10: the windows (3, 1), (2, 5), (3, 1) are the words 31, 25, 31; their table is [25, 31] with the counts
[1, 2].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Table = tuple[Ints, Ints]  # distinct windows (K, W) in ascending order, and how often each was counted (K,)


def number_of_words(n: int, vocab_size: int) -> int:
    """W, the words that a window of n tokens takes: 1 for 7 of 65 tokens, 2 for 7 of 50,257."""
    return -(-n // _tokens_of_a_word(n, vocab_size))


def pack(columns: Sequence[Ints], vocab_size: int) -> Ints:
    """The windows whose tokens the n columns hold, each (N,), as words (N, W)."""
    most = _tokens_of_a_word(len(columns), vocab_size)
    words = []
    for first in range(0, len(columns), most):
        word = columns[first].copy()
        for column in columns[first + 1 : first + most]:
            word *= vocab_size
            word += column
        words.append(word)
    return np.stack(words, axis=-1)


def unpack(words: Ints, n: int, vocab_size: int) -> list[Ints]:
    """The n columns of tokens, each (N,), that were packed."""
    most = _tokens_of_a_word(n, vocab_size)
    columns = []
    for place in range(n):
        word, rest = divmod(place, most)
        after = min(most, n - word * most) - 1 - rest  # tokens to the right of it in its word
        columns.append(words[:, word] // vocab_size**after % vocab_size)
    return columns


def tally(words: Ints) -> Table:
    """The table of the windows (N, W), which may repeat."""
    words = np.sort(words, axis=0) if words.shape[1] == 1 else words[_order(words)]
    first = _firsts(words)
    return words[first], np.diff(first, append=len(words))


def merge(a: Table, b: Table) -> Table:
    """The table of all that two tables have counted."""
    words, counts = np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])
    order = _order(words)
    words, counts = words[order], counts[order]
    first = _firsts(words)
    return words[first], np.add.reduceat(counts, first) if len(first) else counts


def _tokens_of_a_word(n: int, vocab_size: int) -> int:
    if vocab_size == 1:
        return n
    most = 1
    while most < n and vocab_size ** (most + 1) <= 2**63:
        most += 1
    return most


def _order(words: Ints) -> Ints:
    """The permutation that sorts windows; stable, hence quick where parts are in order."""
    return np.argsort(words[:, 0], kind="stable") if words.shape[1] == 1 else np.lexsort(words.T[::-1])


def _firsts(words: Ints) -> Ints:
    """Where, in sorted windows, each distinct one begins."""
    changed = np.ones(len(words), dtype=bool)
    np.any(words[1:] != words[:-1], axis=1, out=changed[1:])
    return np.flatnonzero(changed)
