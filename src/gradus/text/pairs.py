"""Byte pair encoding, plain (Gage, 1994; Sennrich et al., 2016): the most frequent pair of neighbours becomes a new
symbol, again and again. The worked example is that of Wikipedia, "aaabdaaabac":

>>> learn_merges([list(b"aaabdaaabac")], 3)    # 256 = aa, 257 = ab, 258 = 256 257 = aaab
[(97, 97), (97, 98), (256, 257)]
>>> ids = list(b"aaabdaaabac")
>>> for new, pair in enumerate([(97, 97), (97, 98), (256, 257)], start=256):
...     ids = merge(ids, pair, new)            # ZabdZabac, ZYdZYac, XdXac
>>> ids
[258, 100, 258, 97, 99]

Everything else about a tokenizer is there to do this on bytes (so that every text has a spelling), within words
(`gradus.text.split`), and quickly (`gradus.text.links`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

Pair = tuple[int, int]


def count_pairs(sequences: Iterable[list[int]]) -> Counter[Pair]:
    """How often each pair of neighbours occurs.

    >>> count_pairs([[1, 2, 3, 1, 2]])
    Counter({(1, 2): 2, (2, 3): 1, (3, 1): 1})
    """
    counts: Counter[Pair] = Counter()
    for ids in sequences:
        counts.update(pairwise(ids))
    return counts


def merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """Put one new id for each occurrence of a pair, from the left: in 1 1 1 the first two are the pair.

    >>> merge([1, 2, 3, 1, 2], (1, 2), 4)
    [4, 3, 4]
    """
    first, second = pair
    out: list[int] = []
    i, end = 0, len(ids) - 1
    while i < end:
        if ids[i] == first and ids[i + 1] == second:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out + ids[i:]


def learn_merges(sequences: list[list[int]], number: int) -> list[Pair]:
    """The pairs to merge, in order, for the ids from 256 on: each is the most frequent after those before it were
    merged. Of equally frequent ones it is the smallest; a pair that occurs only once is not worth an id.

    This counts all again after each merge. `gradus.text.links.learn_merges` finds the same merges with counts that it
    keeps up to date.
    """
    merges: list[Pair] = []
    while len(merges) < number:
        counts = count_pairs(sequences)
        pair = max(counts, key=lambda pair: (counts[pair], -pair[0], -pair[1]), default=(0, 0))
        if counts[pair] < 2:
            break
        sequences = [merge(ids, pair, 256 + len(merges)) for ids in sequences]
        merges.append(pair)
    return merges
