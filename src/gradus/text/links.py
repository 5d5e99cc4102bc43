"""Byte pair encoding, quick: tokens are links of a chain, and a merge touches only the places where its pair stands.

Each token knows the place of the token before and after it, as in a doubly linked list, so one token can be put for two
without moving the others. Training keeps how often each pair occurs, and where; a merge takes the pairs it breaks off
the counts and adds those it makes. Encoding a long piece goes the same way, with the rank of a merge in place of a
count. All places of one merge are worked on at once, in NumPy."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gradus.text.pairs import Pair

Ints = npt.NDArray[np.integer]
Found = tuple[Ints, Ints]  # pairs, each as one number, and the places where they begin

BREAK = -1  # stands between sequences, and in place of a token that was merged into the one before it
BLOCK = 1 << 22  # places looked at together, to keep what is in memory beside them small


class Links:
    """Sequences of tokens, with a break before, between and after them, in which pairs can be merged."""

    def __init__(self, sequences: Sequence[npt.ArrayLike]) -> None:
        joined: list[npt.ArrayLike] = [[BREAK]]
        for ids in sequences:
            joined += [ids, [BREAK]]
        self.ids: Ints = np.concatenate(joined, dtype=np.int32, casting="unsafe")
        self.before: Ints = np.arange(-1, len(self.ids) - 1, dtype=np.int32)
        self.after: Ints = np.arange(1, len(self.ids) + 1, dtype=np.int32)

    def tokens(self) -> Ints:
        """All tokens that are left, in order, without the breaks."""
        return self.ids[self.ids != BREAK]

    def pairs(self, places: Ints) -> Found:
        """The pairs that begin at these places; where there is a break there is none."""
        first, second = self.ids[places].astype(np.int64), self.ids[self.after[places]]
        there = (first != BREAK) & (second != BREAK)
        return (first << 32 | second)[there], places[there]

    def all_pairs(self) -> Iterator[Found]:
        """A block at a time."""
        for start in range(0, len(self.ids) - 1, BLOCK):
            yield self.pairs(np.arange(start, min(start + BLOCK, len(self.ids) - 1), dtype=np.int32))

    def select(self, places: Ints, pair: Pair) -> Ints:
        """Of some places, those where the pair still stands; of overlapping ones, as in a a a, the leftmost first."""
        places = np.sort(places)
        places = places[(self.ids[places] == pair[0]) & (self.ids[self.after[places]] == pair[1])]
        if pair[0] != pair[1] or not len(places):
            return places
        index = np.arange(len(places))
        starts = places[1:] != self.after[places[:-1]]  # a run of places that follow each other directly begins
        run = np.maximum.accumulate(np.where(np.concatenate([[True], starts]), index, 0))
        return places[(index - run) % 2 == 0]  # every other one of a run

    def around(self, places: Ints) -> Found:
        """The pairs that a merge at these places will break."""
        return self.pairs(_distinct(self.before[places], places, self.after[places]))

    def merge(self, places: Ints, new: int) -> Found:
        """Put a new token for the two that begin at each of these places. Returns the pairs that it is now part of."""
        right = self.after[places]
        following = self.after[right]
        self.ids[places], self.ids[right] = new, BREAK
        self.after[places], self.before[following] = following, places
        return self.pairs(_distinct(self.before[places], places))


def learn_merges(pieces: Mapping[bytes, int], byte_ids: Ints, number: int) -> list[Pair]:
    """What `gradus.text.pairs.learn_merges` finds, for pieces of text that occur so many times each.

    Args:
        byte_ids: (256,) the id that each byte begins as; new ids count from 256.
    """
    links = Links([byte_ids[np.frombuffer(piece, np.uint8)] for piece in pieces])
    lengths = [1, *(len(piece) + 1 for piece in pieces)]
    times = np.repeat([0, *pieces.values()], lengths)  # how often the piece occurs that each place is in
    counts: dict[int, int] = {}
    found: dict[int, list[Ints]] = {}
    for block in links.all_pairs():
        for pair, count, where in _counted(block, times):
            counts[pair] = counts.get(pair, 0) + count
            found.setdefault(pair, []).append(where)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(queue)
    merges: list[Pair] = []
    while queue and len(merges) < number:
        count, pair = heapq.heappop(queue)
        if counts[pair] != -count:  # other merges have made it rarer; nothing makes it more frequent
            heapq.heappush(queue, (-counts[pair], pair))
            continue
        if count > -2:
            break
        places = links.select(np.concatenate(found.pop(pair)), _two(pair))
        for broken, count, _ in _counted(links.around(places), times):
            counts[broken] -= count
        for made, count, where in _counted(links.merge(places, 256 + len(merges)), times):
            counts[made], found[made] = count, [where]  # its newer token is new, so these are all its places
            heapq.heappush(queue, (-count, made))
        merges.append(_two(pair))
    return merges


def apply_merges(ids: npt.ArrayLike, ranks: Mapping[Pair, int], made: Sequence[int]) -> Ints:
    """The ids of one piece after all merges, those of the lowest rank first.

    Args:
        ranks: pair -> its rank. A pair that has a merged token in it has a higher rank than that token's merge.
        made: rank -> the id of the merged token.
    """
    links = Links([ids])
    found: dict[int, tuple[Pair, list[Ints]]] = {}
    queue: list[int] = []

    def note(these: Found) -> None:
        pairs, _, places = _grouped(these)
        for pair, where in zip(map(_two, pairs), places, strict=True):
            rank = ranks.get(pair)
            if rank is None:
                continue
            if rank not in found:
                found[rank] = (pair, [])
                heapq.heappush(queue, rank)
            found[rank][1].append(where)

    for block in links.all_pairs():
        note(block)
    while queue:
        rank = heapq.heappop(queue)
        pair, places = found.pop(rank)
        note(links.merge(links.select(np.concatenate(places), pair), made[rank]))
    return links.tokens()


def _distinct(*places: Ints) -> Ints:
    """All places once, in order. They come in runs that are in order, which a stable sort merges (np.unique hashes)."""
    together = np.sort(np.concatenate(places), kind="stable")
    return together[np.flatnonzero(np.diff(together, prepend=-1))]


def _grouped(found: Found) -> tuple[list[int], Ints, list[Ints]]:
    """Each different pair, where its places begin among all of them in the order of pairs, and these places."""
    order = np.argsort(found[0], kind="stable")
    pairs, places = found[0][order], found[1][order]
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    ends = [*starts.tolist(), len(pairs)]
    return pairs[starts].tolist(), starts, [places[start:end] for start, end in pairwise(ends)]


def _counted(found: Found, times: Ints) -> Iterator[tuple[int, int, Ints]]:
    """Each different pair, how often it occurs, and its places; `times` says how often each of all places occurs."""
    pairs, starts, places = _grouped(found)
    sums = np.add.reduceat(times[np.concatenate(places)], starts) if pairs else starts
    return zip(pairs, sums.tolist(), places, strict=True)


def _two(key: int) -> Pair:
    return key >> 32, key & 0xFFFFFFFF
