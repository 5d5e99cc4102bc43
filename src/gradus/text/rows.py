"""Rows are what a model reads and is scored on: windows of token ids, and for each id the one that follows it. Here a
split becomes rows in which every character is scored exactly once, whatever their length and overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradus.errors import UserError
from gradus.text.corpus import Corpus
from gradus.text.prepared import PreparedText
from gradus.text.shards import Shards
from gradus.text.tokenizer import Ids, Tokenizer

NOT_SCORED = -1
FIRST_TOKEN = 1000  # characters among which the first token is


@dataclass(frozen=True)
class Rows:
    """N windows on one array of ids, cut out when asked for.

    Row i reads ids[starts[i] : starts[i] + lengths[i]] and is scored on what follows each of them, except after the
    first context_only[i], which were scored elsewhere or are there to be seen.

    Attributes:
        ids: (n,) int64, in memory or in shards; a window that runs over its end goes on at its beginning.
        starts, lengths, context_only: (N,) int64.
        block_size: T, the length no row exceeds.
    """

    ids: Ids | Shards
    starts: Ids
    lengths: Ids
    context_only: Ids
    block_size: int

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} of at most {self.block_size} tokens, {self.scored:,} targets)"

    @property
    def scored(self) -> int:
        """How many targets are scored, over all rows."""
        return int((self.lengths - self.context_only).sum())

    @property
    def x(self) -> Ids:
        """(N, T) what all rows read, padded with 0."""
        return self._cut(slice(None), self.block_size)[0]

    @property
    def y(self) -> Ids:
        """(N, T) the targets of all rows; -1 is not scored."""
        return self._cut(slice(None), self.block_size)[1]

    def take(self, which: Ids | slice) -> tuple[Ids, Ids]:
        """x and y of the rows `which`, each (B, t), where t is the length of the longest of them."""
        return self._cut(which, int(self.lengths[which].max(initial=0)))

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:
        """All rows in order, `batch_size` at a time (the last batch may be smaller), as `take` gives them."""
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        for first in range(0, len(self), batch_size):
            yield self.take(slice(first, first + batch_size))

    def _cut(self, which: Ids | slice, width: int) -> tuple[Ids, Ids]:
        columns = np.arange(width)
        index = (self.starts[which, None] + columns) % max(len(self.ids) - 1, 1)  # (B, t)
        inside = columns < self.lengths[which, None]  # (B, t)
        scored = inside & (columns >= self.context_only[which, None])  # (B, t)
        return np.where(inside, self.ids[index], 0), np.where(scored, self.ids[index + 1], NOT_SCORED)


def make_rows(
    part: Corpus,
    tokenizer: Tokenizer,
    block_size: int,
    *,
    context: int | None = None,
    stride: int | None = None,
    short: bool = False,
) -> Rows:
    """All rows of a corpus or of one part of it, every character scored exactly once.

    A document w is the row x = [s, *w], y = [*w, s], with s for the separator; rows are sorted by length. A stream is
    cut into windows, and scored on all its tokens but the very first, which nothing precedes. A document longer than
    `block_size` is cut likewise.

    Args:
        part: documents or a stream.
        tokenizer: its separator stands between documents.
        block_size: T, the longest row.
        context: how many ids each prediction must see, unless the text begins later than that. 1 (the default) gives
            windows that do not overlap; block_size lets every prediction see all that fits.
        stride: how far each window is from the next, the same choice in other words: T - context + 1.
        short: whether a stream may be shorter than a row; two tokens it must have.

    Raises:
        UserError: if the text is shorter than a row, or holds a character that the tokenizer does not know.
        ValueError: if a size is out of range, or both context and stride are given.
    """
    stride = checked_stride(block_size, context, stride)
    ids = encode_part(part, tokenizer, 1 if short else block_size)
    if not isinstance(ids, np.ndarray) or part.kind == "stream":
        return Rows(ids, *windows(np.array([0]), np.array([len(ids) - 1]), block_size, stride), block_size)
    ends = np.flatnonzero(
        ids == tokenizer.separator
    )  # a separator is the beginning of one document and the end of the one before
    starts, lengths, context_only = windows(ends[:-1], np.diff(ends), block_size, stride)
    by_length = np.argsort(lengths, kind="stable")
    return Rows(ids, starts[by_length], lengths[by_length], context_only[by_length], block_size)


def scored_size(part: Corpus, tokenizer: Tokenizer) -> tuple[int, int]:
    """The characters and bytes (UTF-8) that all targets are: ends of documents too, but not a stream's first token. Of
    pairs the targets and their ends; of labelled texts, the texts."""
    if isinstance(part, PreparedText):
        part.require(tokenizer)
        return part.scored
    if part.kind != "stream":
        texts = [target for _, target in part.pairs()] if part.kind == "pairs" else part.documents
        return sum(map(len, texts)) + len(texts), sum(len(t.encode("utf-8", "surrogatepass")) + 1 for t in texts)
    unscored = len(tokenizer.decode(tokenizer.encode(part.text[:FIRST_TOKEN])[:1]))
    scored = part.text[unscored:]
    return len(scored), len(scored.encode("utf-8", "surrogatepass"))


def windows(firsts: Ids, counts: Ids, block_size: int, stride: int) -> tuple[Ids, Ids, Ids]:
    """starts, lengths, context_only of the windows over texts that begin at `firsts` and have `counts` targets."""
    number = 1 + np.maximum(0, -(-(counts - block_size) // stride))  # windows a text, rounded up
    text = np.repeat(np.arange(len(firsts)), number)  # which text a window is of
    place = np.arange(len(text)) - np.repeat(np.cumsum(number) - number, number)  # 0, 1, 2 ... within its text
    lengths = np.minimum(block_size, counts[text] - place * stride)
    return firsts[text] + place * stride, lengths, np.where(place > 0, block_size - stride, 0)


def encode_part(part: Corpus, tokenizer: Tokenizer, block_size: int) -> Ids | Shards:
    """(n,) the ids of the whole part; documents with a separator before, between and after them. A prepared text has
    them already."""
    if part.kind == "documents":
        if not part.documents:
            raise UserError(f"{part.name} has no documents")
        return tokenizer.encode_documents(part.documents)
    if isinstance(part, PreparedText):
        part.require(tokenizer)
    ids = part.ids if isinstance(part, PreparedText) else tokenizer.encode(part.text)
    if len(ids) <= block_size:
        where = part.name if part.part == "whole" else f"the {part.part} part of {part.name}"
        raise UserError(
            f"{where} has {len(ids)} tokens, but a row of block_size {block_size} needs {block_size + 1}; "
            f"give a longer text or a smaller block_size"
        )
    return ids


def checked_stride(block_size: int, context: int | None, stride: int | None = None) -> int:
    """The distance between windows that `context` or `stride` asks for."""
    if block_size < 1:
        raise ValueError(f"block_size must be at least 1, got {block_size}")
    if context is not None and stride is not None:
        raise ValueError("context and stride say the same in two ways; give one of them")
    for name, value in (("context", context), ("stride", stride)):
        if value is not None and not 1 <= value <= block_size:
            raise ValueError(f"{name} must be between 1 and block_size {block_size}, got {value}")
    if stride is not None:
        return stride
    return block_size if context is None else block_size - context + 1
