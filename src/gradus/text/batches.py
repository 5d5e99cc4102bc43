"""Batches to train on: all rows of a part once an epoch, in a new order that depends on the seed and the epoch alone. A
batch is a pure function of its step, so stopping and resuming needs no state."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gradus.text.corpus import Corpus
from gradus.text.rows import Rows, checked_stride, encode_part, make_rows
from gradus.text.tokenizer import Ids, Tokenizer


class Batches:
    """Batches of a part of a corpus.

    Documents: the rows of `make_rows`. A stream: windows that begin at another offset each epoch, so that no character
    always stands at a window's edge. The text is taken as a ring, so that every character is scored exactly once an
    epoch at any offset, at the price of one window that runs from the text's end on to its beginning.

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
        self.is_stream = part.kind == "stream"
        if self.is_stream:
            self.rows = self._ring(encode_part(part, tokenizer, block_size))
        else:
            self.rows = make_rows(part, tokenizer, block_size, context=context)

    def __repr__(self) -> str:
        return (
            f"Batches({self.steps_per_epoch:,} an epoch, of {self.batch_size} rows of at most {self.block_size} tokens)"
        )

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """x and y of a step, each (B, t) int64 with t at most T; y is -1 where not scored.

        Raises:
            IndexError: if the step is negative.
        """
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        epoch, place = divmod(step, self.steps_per_epoch)
        offset, order = drawn(self.seed, epoch, len(self.rows), offsets=self.stride if self.is_stream else 1)
        which = order[place * self.batch_size : (place + 1) * self.batch_size]
        if not self.is_stream:
            return self.rows.take(which)
        ring = len(self.rows.ids) - 1  # targets
        starts = (self.rows.starts[which] + offset) % ring
        moved = Rows(self.rows.ids, starts, self.rows.lengths[which], self.rows.context_only[which], self.block_size)
        return moved.take(slice(None))

    def _ring(self, ids: Ids) -> Rows:
        """The windows at offset 0: each scored on its last `stride` targets, the last one on those that are left."""
        targets = len(ids) - 1
        before = self.block_size - self.stride  # context only
        starts = np.arange(0, targets, self.stride) - before
        lengths = np.minimum(self.block_size, targets - starts)
        return Rows(ids, starts, lengths, np.full(len(starts), before), self.block_size)


@lru_cache(maxsize=2)  # the next step needs the same again
def drawn(seed: int, epoch: int, number: int, *, offsets: int = 1) -> tuple[int, Ids]:
    """What is drawn anew for an epoch: an offset, less than `offsets`, and an order (number,) of all its examples."""
    generator = np.random.default_rng([seed, epoch])
    offset = int(generator.integers(offsets)) if offsets > 1 else 0
    order = generator.permutation(number)
    order.flags.writeable = False
    return offset, order
