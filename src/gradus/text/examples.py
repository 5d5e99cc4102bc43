"""What models of pairs, of labels and of hidden words read: examples of one or two texts each, as ids, padded with -1
to the longest of a batch.

    pairs      x = [*source, s]      y = [s, *target, s]      s is the tokenizer's separator
    labelled   x = [s, *text, s]     y = the number of the label; a tokenizer that has one puts another token first
    masked     x = [s, *text, s] with some ids hidden, y = what was hidden there, -1 elsewhere
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gradus.errors import UserError
from gradus.text.corpus import Corpus
from gradus.text.tokenizer import Ids, Tokenizer

PADDING = -1
HIDDEN, MASKED, REPLACED = 0.15, 0.8, 0.1  # of all tokens; of these masked, or replaced by another; the rest stays


@dataclass(frozen=True)
class Sequences:
    """N texts as ids of any length, kept one after the other.

    Attributes:
        ids: (n,) int64, of all of them.
        starts, lengths: (N,) int64, where each is.
    """

    ids: Ids
    starts: Ids
    lengths: Ids

    @classmethod
    def of(cls, texts: Iterable[Sequence[int] | Ids]) -> Sequences:
        arrays = [np.asarray(text, dtype=np.int64) for text in texts]
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        return cls(np.concatenate([*arrays, np.empty(0, np.int64)]), np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.starts)

    def padded(self, which: Ids) -> Ids:
        """(B, t) the texts `which`, with -1 behind the shorter ones."""
        columns = np.arange(int(self.lengths[which].max()))
        inside = columns < self.lengths[which, None]  # (B, t)
        return np.where(inside, self.ids[np.where(inside, self.starts[which, None] + columns, 0)], PADDING)

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:
        """Which texts, and these padded (B, t): all of them, the shortest first."""
        return ((which, self.padded(which)) for which in _in_order([self], batch_size))


class Examples(Protocol):
    """Examples that can be put together into batches."""

    @property
    def parts(self) -> Sequence[Sequences]:
        """The sequences that a batch pads; each example has one of each."""

    def take(self, which: Ids, generator: np.random.Generator) -> tuple[Ids, Ids]:
        """x and y of the examples `which`."""

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:
        """All examples, the shortest first, `batch_size` at a time; the same each time."""


@dataclass(frozen=True)
class Pairs:
    """Sources and targets: an example for every target of every source."""

    sources: Sequences
    targets: Sequences

    def __repr__(self) -> str:
        return f"Pairs({len(self):,}, {self.scored:,} tokens to be predicted)"

    @property
    def parts(self) -> Sequence[Sequences]:
        return self.sources, self.targets

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def scored(self) -> int:
        """How many tokens are to be predicted: all of a target but the separator that it begins with."""
        return int(self.targets.lengths.sum()) - len(self.targets)

    def take(self, which: Ids, generator: np.random.Generator | None = None) -> tuple[Ids, Ids]:  # noqa: ARG002
        """x (B, S) and y (B, T) int64."""
        return self.sources.padded(which), self.targets.padded(which)

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:
        return (self.take(which) for which in _in_order(self.parts, batch_size))


@dataclass(frozen=True)
class Labelled:
    """Texts with the numbers of their labels (N,)."""

    texts: Sequences
    labels: Ids

    def __repr__(self) -> str:
        return f"Labelled({len(self):,} texts, {len(np.unique(self.labels))} labels)"

    @property
    def parts(self) -> Sequence[Sequences]:
        return (self.texts,)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def scored(self) -> int:
        """How many labels are to be predicted."""
        return len(self.labels)

    def take(self, which: Ids, generator: np.random.Generator | None = None) -> tuple[Ids, Ids]:  # noqa: ARG002
        """x (B, T) and y (B,) int64."""
        return self.texts.padded(which), self.labels[which]

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:
        return (self.take(which) for which in _in_order(self.parts, batch_size))


@dataclass(frozen=True)
class Masked:
    """Texts of which some tokens are hidden (Devlin et al., 2019): others each time in training, always the same ones
    when a model is scored."""

    texts: Sequences
    vocab_size: int  # of the tokenizer; it is also the id of the mask
    ends: tuple[int, int]  # what stands before and after a text

    def __repr__(self) -> str:
        return f"Masked({len(self):,} texts of {int(self.texts.lengths.sum()):,} tokens)"

    @property
    def parts(self) -> Sequence[Sequences]:
        return (self.texts,)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def scored(self) -> int:
        """How many tokens are hidden when a model is scored."""
        return int((self._hidden(self.texts.ids, np.random.default_rng(0))[1] != PADDING).sum())

    def take(self, which: Ids, generator: np.random.Generator) -> tuple[Ids, Ids]:
        """x and y (B, T) int64."""
        return self._hidden(self.texts.padded(which), generator)

    def batches(self, batch_size: int) -> Iterator[tuple[Ids, Ids]]:
        x, y = self._hidden(self.texts.ids, np.random.default_rng(0))
        given, asked = (Sequences(ids, self.texts.starts, self.texts.lengths) for ids in (x, y))
        return ((given.padded(which), asked.padded(which)) for which in _in_order(self.parts, batch_size))

    def _hidden(self, ids: Ids, generator: np.random.Generator) -> tuple[Ids, Ids]:
        return hide(ids, self.vocab_size, self.ends, generator)


def hide(ids: Ids, vocab_size: int, ends: Sequence[int], generator: np.random.Generator) -> tuple[Ids, Ids]:
    """Hide 15 % of the tokens: of these 80 % become the mask, whose id is `vocab_size`, 10 % a token at random, and
    10 % stay as they are, so that what is not masked has to be understood as well. At least one token is hidden.

    Args:
        ids: of any shape, int64. Padding is not hidden.
        ends: ids that are not hidden either: what stands before and after a text.

    Returns:
        The ids that a model is given, and those that were hidden, -1 elsewhere; both of the same shape.
    """
    words = (ids >= 0) & ~np.isin(ids, ends)
    chosen = words & (generator.random(ids.shape) < HIDDEN)
    if not chosen.any() and words.any():
        chosen.flat[int(generator.choice(np.flatnonzero(words)))] = True
    how = generator.random(ids.shape)
    given = np.where(chosen & (how < MASKED), vocab_size, ids)
    other = generator.integers(vocab_size, size=ids.shape)
    given = np.where(chosen & (how >= MASKED) & (how < MASKED + REPLACED), other, given)
    return given, np.where(chosen, ids, PADDING)


def make_pairs(part: Corpus, tokenizer: Tokenizer, block_size: int | None = None) -> Pairs:
    """All pairs of a corpus as ids.

    Raises:
        UserError: if a source or target is longer than block_size tokens, the separators included, or has a character
            that the tokenizer does not know.
    """
    end = np.array([tokenizer.separator])
    pairs = list(part.pairs())
    encoded = {source: tokenizer.encode(source) for source in part.documents}
    sources = Sequences.of(np.concatenate([encoded[source], end]) for source, _ in pairs)
    targets = Sequences.of(np.concatenate([end, tokenizer.encode(target), end]) for _, target in pairs)
    for what, side, sequences in (("source", 0, sources), ("target", 1, targets)):
        if block_size is not None and len(pairs) and sequences.lengths.max() > block_size:
            worst = int(sequences.lengths.argmax())
            raise UserError(
                f"a {what} of {part.name} has {sequences.lengths[worst]} tokens with its ends, more than block_size "
                f"{block_size}: {_short(pairs[worst][side])}"
            )
    return Pairs(sources, targets)


def make_labelled(part: Corpus, tokenizer: Tokenizer, block_size: int, labels: Sequence[str]) -> Labelled:
    """All labelled texts of a corpus as ids; of a text longer than block_size tokens, its ends included, the beginning.

    Raises:
        UserError: if a label is not among `labels`.
    """
    number = {label: i for i, label in enumerate(labels)}
    strange = next((label for label in part.labels if label not in number), None)
    if strange is not None:
        raise UserError(f"{part.name} has the label {strange!r}; the model knows {', '.join(labels)}")
    texts = Sequences.of(framed(tokenizer.encode(text), tokenizer, block_size) for text in part.documents)
    return Labelled(texts, np.array([number[label] for label in part.labels], dtype=np.int64))


def make_masked(part: Corpus, tokenizer: Tokenizer, block_size: int) -> Masked:
    """All texts of a corpus, which must not be of pairs, for a model that has to find hidden tokens. A text, or a
    stream, is cut into pieces of at most block_size tokens, their ends included.

    Raises:
        ValueError: if block_size is less than 3, which leaves no room for a token.
    """
    if block_size < 3:
        raise ValueError(f"block_size must be at least 3, for a token and the separators around it, got {block_size}")
    room = block_size - 2
    encoded = (tokenizer.encode(text) for text in part.texts)
    pieces = (ids[first : first + room] for ids in encoded for first in range(0, len(ids), room))
    texts = Sequences.of(framed(piece, tokenizer, block_size) for piece in pieces)
    return Masked(texts, tokenizer.vocab_size, (tokenizer.start, tokenizer.separator))


def framed(ids: Ids, tokenizer: Tokenizer, block_size: int) -> Ids:
    """The ids between two separators, or what the tokenizer has before and after a text, cut so that all are at most
    block_size."""
    return np.concatenate([[tokenizer.start], ids[: block_size - 2], [tokenizer.separator]])


def _in_order(parts: Sequence[Sequences], batch_size: int) -> Iterator[Ids]:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    order = np.lexsort([part.lengths for part in parts])
    return (order[first : first + batch_size] for first in range(0, len(order), batch_size))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
