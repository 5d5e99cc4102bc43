"""Batches of single positions: a window of the last few tokens, and the one token that follows it, as makemore's
lectures train. Whole rows cost less to cut, but the predictions of a batch then come from fewer texts."""

from __future__ import annotations

import numpy as np

from gradus.text.batches import drawn
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
        if part.kind == "documents":
            self.last = np.arange(len(self.ids) - 1)  # every id but the last separator has one that follows it
            separators = np.where(self.ids[:-1] == tokenizer.separator, self.last, 0)
            self.first = np.maximum.accumulate(separators)  # where its document's separator is
        else:
            self.last = np.arange(context - 1, len(self.ids) - 1)
            self.first = np.zeros_like(self.last)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.last) // self.batch_size)

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """x (B, context) and y (B, 1) of a step, int64: y follows the last token of x.

        Raises:
            IndexError: if the step is negative.
        """
        if step < 0:
            raise IndexError(f"step must be 0 or more, got {step}")
        epoch, place = divmod(step, self.steps_per_epoch)
        _, order = drawn(self.seed, epoch, len(self.last))
        which = order.take(np.arange(place * self.batch_size, (place + 1) * self.batch_size), mode="wrap")
        last = self.last[which, None]  # (B, 1)
        index = last + self.back  # (B, context)
        return np.where(index < self.first[which, None], 0, self.ids[index]), self.ids[last + 1]
