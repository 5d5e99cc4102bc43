"""A stream read by several readers at once, each on a track of its own: a window goes on where the track's window
before it ended. This is how a model is trained and scored that carries a state from one window to the next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradus.text.batches import ALL
from gradus.text.corpus import Corpus
from gradus.text.rows import Rows, encode_part
from gradus.text.tokenizer import Ids, Tokenizer

SCORED_TRACKS = 8  # a model begins without a state in so many places of a split; more would cost less time


class TrackBatches:
    """Training batches: row i of each goes on where row i of the batch before ended.

    The tracks begin evenly spaced, at a place that depends on the seed. The text is a ring: behind its end they go on
    at its beginning. So each of them reads all of it, in time, and an epoch is as many steps as all need together.

    Raises:
        UserError: if the text is shorter than a window, or holds a character that the tokenizer does not know.
    """

    def __init__(self, part: Corpus, tokenizer: Tokenizer, block_size: int, batch_size: int, seed: int) -> None:
        self.ids = encode_part(part, tokenizer, block_size)
        self.block_size = block_size
        self.targets = len(self.ids) - 1
        first = int(np.random.default_rng(seed).integers(self.targets))
        self.starts = first + np.arange(batch_size) * self.targets // batch_size
        self.steps_per_epoch = -(-self.targets // (batch_size * block_size))

    def batch(self, step: int, rows: slice = ALL) -> tuple[Ids, Ids]:
        """x and y of some rows of a step, each (B, T) int64.

        Raises:
            IndexError: if the step is negative.
        """
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        window = step * self.block_size + np.arange(self.block_size)
        places = (self.starts[rows, None] + window) % self.targets  # (B, T)
        return self.ids[places], self.ids[places + 1]


class Tracks(Rows):
    """Rows that must be read in order, by `SCORED_TRACKS` readers: those of one window side by side."""

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:  # noqa: ARG002
        """A window of every track at a time, from the first to the last. `batch_size`, by which other rows are given,
        has no say: a batch is always one row of each track."""
        return super().batches(SCORED_TRACKS)


def make_tracks(part: Corpus, tokenizer: Tokenizer, block_size: int) -> Tracks:
    """All of a stream as tracks of about the same length, every character but the first scored once.

    Raises:
        UserError: as `make_rows` does.
    """
    ids = encode_part(part, tokenizer, block_size)
    targets = len(ids) - 1
    length = -(-targets // SCORED_TRACKS)  # of a track; the last ones may be shorter
    firsts = np.minimum(np.arange(SCORED_TRACKS) * length, targets)
    ends = np.minimum(firsts + length, targets)
    offsets = np.arange(0, length, block_size)[:, None]  # (windows, 1)
    starts = (firsts + offsets).reshape(-1)  # (windows * tracks,)
    lengths = np.clip(ends - firsts - offsets, 0, block_size).reshape(-1)
    return Tracks(ids, starts, lengths, np.zeros_like(starts), block_size)
