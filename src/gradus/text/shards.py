"""Shards: the token ids of a text in files of equal length, which are mapped into memory and read where they are used,
so that a text may be larger than the memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gradus.errors import UserError
from gradus.text.tokenizer import Ids

HEADER = 128  # bytes of an .npy file before its ids
CHUNK = 1 << 20  # ids looked at at a time where all are
MAPPED = 10_000  # shards at a time, at most; Linux allows a process 65,530 mappings
Stored = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


class Shards:
    """Ids in files, indexed like one array of them, (n,) int64, by slices and arrays of places.

    Args:
        paths: .npy files of unsigned integers.
        tokens: how many ids each holds: `per_shard`, the last one the rest.
        vocab_size: all ids must be less.
    """

    def __init__(self, paths: Sequence[Path], tokens: int, per_shard: int, vocab_size: int) -> None:
        self.paths, self.tokens, self.per_shard, self.vocab_size = paths, tokens, per_shard, vocab_size
        self._open: dict[int, Stored] = {}
        self._most_open = _most_open()

    def __len__(self) -> int:
        return self.tokens

    def __repr__(self) -> str:
        return f"Shards({self.tokens:,} tokens in {len(self.paths):,} files)"

    def __getitem__(self, index: slice | Ids) -> Ids:
        """The ids at some places, in the shape of the index. Places count from 0, and not from the end.

        Raises:
            UserError: if a shard cannot be read, or holds what is no token.
        """
        if isinstance(index, slice):
            first, end, step = index.indices(self.tokens)
            places = np.arange(first, end, step)
            return np.concatenate([self[places[i : i + CHUNK]] for i in range(0, max(len(places), 1), CHUNK)])
        out = np.empty(index.shape, np.int64)
        if not index.size:
            return out
        rows, ids = np.atleast_2d(index).reshape(-1, index.shape[-1]), np.atleast_2d(out).reshape(-1, index.shape[-1])
        straight = (np.diff(rows, axis=1) == 1).all(axis=1).tolist()
        # Of the first and the last place of each row, the shard and the place in it.
        ends = np.stack(np.divmod(rows[:, [0, -1]], self.per_shard), axis=-1).tolist()
        for i, ((first, a), (last, b)) in enumerate(ends):
            if straight[i] and first == last:  # almost every row of a batch is a window in one shard
                ids[i] = self._shard(first)[a : b + 1]
            else:
                which, places = np.divmod(rows[i], self.per_shard)
                for shard in np.unique(which).tolist():
                    ids[i, which == shard] = self._shard(shard)[places[which == shard]]
        if out.max() >= self.vocab_size:
            place = int(index.reshape(-1)[out.reshape(-1).argmax()])
            raise self._foreign(self.paths[place // self.per_shard], int(out.max()))
        return out

    def counts(self) -> Ids:
        """How often each token occurs, (V,), over all shards."""
        total = np.zeros(self.vocab_size, np.int64)
        for number, path in enumerate(self.paths):
            shard = self._shard(number)
            for first in range(0, len(shard), CHUNK):
                counts = np.bincount(shard[first : first + CHUNK], minlength=self.vocab_size)
                if len(counts) > self.vocab_size:
                    raise self._foreign(path, len(counts) - 1)
                total += counts
        return total

    def _shard(self, number: int) -> Stored:
        if number not in self._open:
            path = self.paths[number]
            if len(self._open) == self._most_open:
                del self._open[next(iter(self._open))]  # the one that was opened first
            try:
                self._open[number] = np.load(path, mmap_mode="r").view(np.ndarray)  # quicker to index than a memmap
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                raise UserError(f"the shard {path} cannot be read: {why}") from error
        return self._open[number]

    def _foreign(self, path: Path, token: int) -> UserError:
        return UserError(
            f"the shard {path} is damaged: it has the token {token:,}, and its tokenizer only {self.vocab_size:,} of "
            f"them; prepare it again, see gradus data verify {path.parent}"
        )


def _most_open() -> int:
    """How many shards are mapped at a time: each takes a descriptor, and half of those that a process may have are left
    to others (of 1,024 in most Linux shells, 256 in those of macOS)."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MAPPED
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAPPED if soft == resource.RLIM_INFINITY else max(1, min(soft // 2, MAPPED))
