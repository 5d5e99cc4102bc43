"""Batches of single positions: a window of the last few tokens, and the one token that follows it, as makemore's
lectures train. Whole rows cost less to cut, but the predictions of a batch then come from fewer texts."""

from __future__ import annotations

import numpy as np

from gradus.text.batches import ALL, drawn, drawn_at_size
from gradus.text.corpus import Corpus
from gradus.text.rows import encode_part
from gradus.text.tokenizer import Ids, Tokenizer


class Positions:
    """All positions of a part of a corpus once an epoch, in an order that depends on the seed and the epoch alone.

    Before a document's separator comes token 0, as often as it takes; a stream's first tokens are only looked at.

    Args:
        part: usually `corpus.splits().train`.
        context: how many tokens a window has.
        batch_size: windows in a batch; the last of an epoch is filled up with windows of its first.
        seed: 0 or more.

    Raises:
        UserError: if the text is shorter than a window, or holds a character that the tokenizer does not know.
    """

    def __init__(self, part: Corpus, tokenizer: Tokenizer, context: int, batch_size: int, seed: int) -> None:
        self.ids = encode_part(part, tokenizer, context)
        self.batch_size, self.seed = batch_size, seed
        self.back = np.arange(1 - context, 1)  # from a window's last token to all of them
        self.skipped = 0 if part.kind == "documents" else context - 1  # of a stream, tokens that end no whole window
        self.number = len(self.ids) - 1 - self.skipped  # every other id but the last has one that follows it
        self.first: Ids | None = None  # where the separator of each position's document is
        if part.kind == "documents":
            separators = np.where(self.ids[:-1] == tokenizer.separator, np.arange(self.number), 0)
            self.first = np.maximum.accumulate(separators)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.number // self.batch_size)

    def batch(self, step: int, rows: slice = ALL) -> tuple[Ids, Ids]:
        """x (B, context) and y (B, 1) of some rows of a step, int64: y follows the last token of x.

        Raises:
            IndexError: if the step is negative.
        """
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        epoch, place = divmod(step, self.steps_per_epoch)
        draw = drawn if isinstance(self.ids, np.ndarray) else drawn_at_size
        _, order = draw(self.seed, epoch, self.number)
        which = order[np.arange(place * self.batch_size, (place + 1) * self.batch_size)[rows] % self.number]
        last = self.skipped + which[:, None]  # (B, 1)
        index = last + self.back  # (B, context)
        x, y = self.ids[np.maximum(index, 0)], self.ids[last + 1]
        return x if self.first is None else np.where(index < self.first[which, None], 0, x), y
