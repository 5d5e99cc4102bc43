"""Batches to train on: all rows of a part once an epoch, in a new order that depends on the seed and the epoch alone. A
batch is a pure function of its step, so stopping and resuming needs no state, and every process can cut it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gradus.text.corpus import Corpus
from gradus.text.rows import Rows, checked_stride, encode_part, make_rows
from gradus.text.shuffle import Shuffle
from gradus.text.tokenizer import Ids, Tokenizer

ALL = slice(None)  # rows of a batch


class Batches:
    """Batches of a part of a corpus.

    Documents: the rows of `make_rows`. A stream: windows that begin at another offset each epoch, so that no character
    always stands at a window's edge. The text is taken as a ring, so that every character is scored exactly once an
    epoch at any offset, at the price of one window that runs from the text's end on to its beginning. Of a prepared
    text nothing is held in memory but the batch: its windows and their order are computed when they are asked for.

    Args:
        part: usually `corpus.splits().train`.
        block_size: T, the longest row.
        batch_size: rows a batch; the last of an epoch may have fewer.
        seed: 0 or more.
        context: as in `make_rows`.

    Raises:
        UserError, ValueError: as `make_rows` does.
    """

    def __init__(
        self,
        part: Corpus,
        tokenizer: Tokenizer,
        block_size: int,
        batch_size: int,
        seed: int,
        *,
        context: int | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if seed < 0:
            raise ValueError(f"seed must be 0 or more, got {seed}")
        self.batch_size, self.block_size, self.seed = batch_size, block_size, seed
        self.stride = checked_stride(block_size, context)
        self.rows: Rows | None = None  # of documents; of a stream the windows of a batch are computed
        if part.kind == "stream":
            self.ids = encode_part(part, tokenizer, block_size)
            self.number = -(-(len(self.ids) - 1) // self.stride)
        else:
            self.rows = make_rows(part, tokenizer, block_size, context=context)
            self.ids, self.number = self.rows.ids, len(self.rows)

    def __repr__(self) -> str:
        return (
            f"Batches({self.steps_per_epoch:,} an epoch, of {self.batch_size} rows of at most {self.block_size} tokens)"
        )

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.number // self.batch_size)

    def batch(self, step: int, rows: slice = ALL) -> tuple[Ids, Ids]:
        """x and y of a step, each (B, t) int64 with t at most T; y is -1 where not scored.

        Args:
            rows: which of them are wanted, such as those of one process of several.

        Raises:
            IndexError: if the step is negative.
        """
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        epoch, place = divmod(step, self.steps_per_epoch)
        draw = drawn if isinstance(self.ids, np.ndarray) else drawn_at_size
        offset, order = draw(self.seed, epoch, self.number, offsets=self.stride if self.rows is None else 1)
        which = order[np.arange(place * self.batch_size, min((place + 1) * self.batch_size, self.number))[rows]]
        return self._windows(which, offset).take(ALL) if self.rows is None else self.rows.take(which)

    def _windows(self, which: Ids, offset: int) -> Rows:
        """Some windows of the ring: each scored on its last `stride` targets, the last one on those that are left."""
        targets = len(self.ids) - 1
        before = self.block_size - self.stride  # context only
        starts = which * self.stride - before
        lengths = np.minimum(self.block_size, targets - starts)
        return Rows(self.ids, (starts + offset) % targets, lengths, np.full(len(starts), before), self.block_size)


@lru_cache(maxsize=2)  # the next step needs the same again
def drawn(seed: int, epoch: int, number: int, *, offsets: int = 1) -> tuple[int, Ids]:
    """What is drawn anew for an epoch: an offset, less than `offsets`, and an order (number,) of all its examples."""
    generator = np.random.default_rng([seed, epoch])
    offset = int(generator.integers(offsets)) if offsets > 1 else 0
    order = generator.permutation(number)
    order.flags.writeable = False
    return offset, order


def drawn_at_size(seed: int, epoch: int, number: int, *, offsets: int = 1) -> tuple[int, Shuffle]:
    """`drawn` for any number of examples: the order is computed, and takes no memory."""
    generator = np.random.default_rng([seed, epoch])
    return int(generator.integers(offsets)) if offsets > 1 else 0, Shuffle(number, generator)
