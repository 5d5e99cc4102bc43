"""Interpolated Kneser-Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, 1998).

    p_k(w | c) = (count_k(c w) - D(count_k(c w))) / count_k(c .)  +  gamma_k(c) p_{k-1}(w | c without its oldest token)
    gamma_k(c) = the sum over w of D(count_k(c w)) / count_k(c .)

From each count that was seen a discount D is taken, and what that frees is given out as the next shorter context
predicts; below one token lies 1/V. The idea that makes it work: a lower order is asked only where the higher one has
not seen the token, so it must not say how often the token came, but after how many different contexts:

    count_n(c w) = how often c w was seen                            for the highest order, n
    count_k(c w) = how many different tokens were seen before c w    for all orders below

("Francisco" is frequent, but follows "San" alone.) One discount serves all orders, or, modified, three for each: D1, D2
and D3 for counts of 1, 2, and 3 or more, estimated from n_r, the number of n-grams of that order that were counted r
times: Y = n_1 / (n_1 + 2 n_2), D_r = r - (r + 1) Y n_{r+1} / n_r.

`plain_kneser_ney` says the same in ten lines, one probability at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradus.models import trie

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Discounts = Callable[[Iterable[int]], tuple[float, float, float]]  # the counts of one order -> D1, D2, D3

FALLBACK = (0.5, 1.0, 1.5)  # where a text is too small for the formula, as KenLM has it (Heafield et al., 2013)


def modified_discounts(counts: Iterable[int]) -> tuple[float, float, float]:
    """D1, D2 and D3 by Chen and Goodman's formula; those of FALLBACK if it gives one that is not in 0 < D_r <= r."""
    array = np.fromiter(counts, dtype=np.int64) if not isinstance(counts, np.ndarray) else counts
    n = np.bincount(np.minimum(array, 5), minlength=6)
    if not (n[1] and n[2] and n[3]):
        return FALLBACK
    y = n[1] / (n[1] + 2 * n[2])
    d1, d2, d3 = (float(r - (r + 1) * y * n[r + 1] / n[r]) for r in (1, 2, 3))
    return (d1, d2, d3) if 0 < d1 <= 1 and 0 < d2 <= 2 and 0 < d3 <= 3 else FALLBACK


@dataclass(frozen=True)
class Level:
    """What follows the contexts of one length: cells (context, token), keyed `node * V + token`, and probabilities."""

    cells: Ints  # (K,) ascending
    p: Floats  # (K,) p(token | context), interpolated
    gamma: Floats  # (nodes,) what a token not seen after the context gets of its probability after the shorter one
    total: Ints  # (nodes,) the sum of the counts after the context


@dataclass(frozen=True)
class Predictions:
    """What is known of the next token after M contexts, of which U differ."""

    p: Floats  # (U, V) probabilities
    length: Ints  # (U,) tokens of the longest context that was seen, inside the one that was asked for
    total: Ints  # (U,) how often anything was counted after that
    place: Ints  # (M,) which of the U each is


class KneserNey:
    """The probabilities that a table of counted n-grams gives.

    Args:
        columns: the distinct n-grams in ascending order as n columns of tokens, each (K,): the context from its newest
            token to its oldest, then the token that followed.
        counts: (K,) how often each was seen.
        discounts: D1, D2 and D3 from the counts of an order.
    """

    def __init__(self, columns: Sequence[Ints], counts: Ints, vocab_size: int, discounts: Discounts) -> None:
        self.vocab_size = vocab_size
        *self.contexts, cells = trie.build(columns, vocab_size)
        orders, place = [(cells, counts)], []
        for level in reversed(self.contexts):  # leave out the contexts' oldest token: the next lower order
            node, token = np.divmod(cells, vocab_size)
            shorter = level[node] // vocab_size * vocab_size + token
            cells, where, counts = np.unique(shorter, return_inverse=True, return_counts=True)
            orders.append((cells, counts))
            place.append(where)  # of each cell in the lower order
        self.levels: list[Level] = []
        self.discounts: list[tuple[float, float, float]] = []  # of each order, the lowest first
        for cells, counts in reversed(orders):
            lower = self.levels[-1].p[place.pop()] if self.levels else np.full(len(cells), 1 / vocab_size)
            self.discounts.append(discounts(counts))
            d = np.array([0.0, *self.discounts[-1]])[np.minimum(counts, 3)]
            node = cells // vocab_size
            total = np.bincount(node, counts)
            gamma = np.bincount(node, d) / total
            p = (counts - d) / total[node] + gamma[node] * lower
            self.levels.append(Level(cells, p, gamma, total.astype(np.int64)))
        root = self.levels[0]
        self.unigram = np.full(vocab_size, root.gamma[0] / vocab_size if len(root.cells) else 1 / vocab_size)
        self.unigram[root.cells] = root.p  # the level of no context, whole: it is in every prediction

    def predict(self, contexts: Sequence[Ints], size: int) -> Predictions:
        """The probabilities of every token after each of M contexts.

        Args:
            contexts: n - 1 columns of tokens, each (M,), from the newest to the oldest; -1 for a token that is not
                known: the context ends there.
            size: M.
        """
        V = self.vocab_size
        path = [np.zeros(size, dtype=np.int64), *trie.walk(self.contexts, contexts, V)]  # -1 where it was not seen
        nodes = np.stack(path)  # (n, M)
        length = (nodes >= 0).sum(axis=0) - 1  # tokens of the longest context that was seen
        before = np.cumsum([0, *(len(level.total) for level in self.levels[:-1])])  # nodes of all shorter contexts
        longest = before[length] + nodes[length, np.arange(size)]  # one number for each different context
        _, first, place = np.unique(longest, return_index=True, return_inverse=True)
        nodes = nodes[:, first]  # (n, U)
        total = np.zeros(len(first), dtype=np.int64)
        above = np.ones(nodes.shape)  # what the longer contexts leave of each level's probabilities
        for k, (node, level) in enumerate(zip(nodes, self.levels, strict=True)):
            seen = np.flatnonzero((node >= 0) & (len(level.total) > 0))
            total[seen] = level.total[node[seen]]
            above[:k, seen] *= level.gamma[node[seen]]
        p = above[0][:, None] * self.unigram  # (U, V)
        for node, level, left in zip(nodes[1:], self.levels[1:], above[1:], strict=True):
            seen = np.flatnonzero(node >= 0)
            row, cell = trie.children(level.cells, node[seen], V)
            p[seen[row], level.cells[cell] % V] = level.p[cell] * left[seen[row]]
        return Predictions(p, length[first], total, place)


def plain_kneser_ney(
    counts: Mapping[tuple[int, ...], int], gram: tuple[int, ...], vocab_size: int, discounts: Discounts
) -> float:
    """p(the last token of a gram | those before it), from how often each n-gram of as many tokens was counted: the
    definition, without arrays or any other haste."""
    if not gram:
        return 1 / vocab_size
    fewer = Counter(seen[1:] for seen in counts)  # each distinct n-gram counts once for the one inside it
    lower = plain_kneser_ney(fewer, gram[1:], vocab_size, discounts)
    followers = {seen[-1]: count for seen, count in counts.items() if seen[:-1] == gram[:-1]}
    if not followers:
        return lower
    D = (0.0, *discounts(counts.values()))
    count, total = followers.get(gram[-1], 0), sum(followers.values())
    freed = sum(D[min(n, 3)] for n in followers.values())
    return (count - D[min(count, 3)] + freed * lower) / total
