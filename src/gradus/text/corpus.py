"""A corpus is a text to learn from: many short documents, one long stream, pairs of a source and what it becomes, or
texts with labels. Here are all of them, and how each is split."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, get_args

import numpy as np

from gradus.errors import UserError

Kind = Literal["documents", "stream", "pairs", "labelled"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Split = Literal["train", "dev", "test"]

_SPLITS: dict[str, Split] = {"train": "train", "dev": "dev", "test": "test"}
_SPLITS |= dict.fromkeys(["val", "valid", "validation"], "dev")  # what others call it

SEPARATOR = "\n"  # stands before, between and after documents; the lectures write it as "."


@dataclass(frozen=True)
class Corpus:
    """Text and where it comes from.

    Attributes:
        name: what `load_corpus` was asked for.
        kind: "documents" (each is learned on its own), "stream" (one running text), "pairs" (each source is to become
            one of its targets) or "labelled" (each text has a label).
        source: one line that says where the text comes from.
        text: the characters of a stream; empty for the other kinds.
        documents: the documents, the sources of pairs, each of them once, or the texts that have labels; none contains
            a newline. Empty for a stream.
        targets: of pairs, what each source becomes: one target or several, any of which will do.
        labels: of labelled texts, the label of each.
        draw: of pairs without end, what draws one more by a random generator. `documents` and `targets` are then a
            sample of them; of a part to train on, `draw` never gives a source that is in another part.
        part: "whole", or which part of a split this is.
        floor: the entropy rate of what wrote the text, in nats a character, where it is known: no model can be expected
            to have a lower loss on a text that it has not seen.
    """

    name: str
    kind: Kind
    source: str
    text: str = ""
    documents: tuple[str, ...] = ()
    targets: tuple[tuple[str, ...], ...] = ()
    labels: tuple[str, ...] = ()
    draw: Callable[[np.random.Generator], tuple[str, str]] | None = None
    part: Literal["whole"] | Split = "whole"
    floor: float | None = None

    def __repr__(self) -> str:
        part = "" if self.part == "whole" else f", {self.part}"
        if self.kind == "stream":
            beginning = self.text[:40] + ("…" if len(self.text) > 40 else "")
            return f"Corpus({self.name!r}{part}: a stream of {self.characters:,} characters, {beginning!r})"
        first = [*(line.replace("\t", " ⇥ ")[:30] for line in self._some_lines(4)), *["…"][: len(self.documents) > 4]]
        what = {"pairs": "sources", "labelled": "texts"}.get(self.kind, "documents")
        return (
            f"Corpus({self.name!r}{part}: {len(self.documents):,} {what}, {self.characters:,} characters, "
            f"{', '.join(first)})"
        )

    @property
    def characters(self) -> int:
        """Characters; each document also counts the separator that ends it, since a model is scored on that too. Of
        pairs both sides count, a source once for each of its targets."""
        if self.kind == "stream":
            return len(self.text)
        if self.kind == "pairs":
            return sum(len(source) + len(target) + 2 for source, target in self.pairs())
        return sum(map(len, self.documents)) + len(self.documents)

    @property
    def texts(self) -> Iterable[str]:
        """All that is text in it, for a tokenizer to learn from: the stream, the documents, or both sides of pairs."""
        if self.kind == "stream":
            return (self.text,)
        return (*self.documents, *(target for targets in self.targets for target in targets))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every source with every one of its targets."""
        return ((s, target) for s, targets in zip(self.documents, self.targets, strict=True) for target in targets)

    def lines(self) -> Iterator[str]:
        """The lines of a file that would be read as this corpus; of a stream, itself."""
        if self.kind == "stream":
            return iter((self.text,))
        if self.kind == "pairs":
            return ("\t".join(pair) for pair in self.pairs())
        if self.kind == "labelled":
            return map("\t".join, zip(self.labels, self.documents, strict=True))
        return iter(self.documents)

    def joined(self) -> str:
        """All as one string: a stream's text, or all texts with a separator before, between and after them."""
        if self.kind == "stream":
            return self.text
        return SEPARATOR + "".join(text + SEPARATOR for text in self.texts)

    def swapped(self) -> Corpus:
        """The pairs with their sides exchanged: what were targets are the sources.

        Raises:
            UserError: if it is not a corpus of pairs, or one that is drawn without end, which has one direction.
        """
        if self.kind != "pairs" or self.draw is not None:
            raise UserError(f"{self.name} has no two sides that could be swapped; give a file of pairs")
        return pairs_corpus(self.name, self.source, ((target, source) for source, target in self.pairs()))

    def splits(self) -> Splits:
        """Split into train, dev and test.

        Documents: in the order of `random.Random(42).shuffle`, the first 80 %, the next 10 % and the last 10 % (the
        makemore lectures' split). Pairs are split likewise by their sources and labelled texts by their texts, so that
        none of them stands in two parts.
        Streams: test is the last 10 % of the characters (nanoGPT's "val"), dev 5 % before the middle, train the rest,
        its two pieces joined. Dev does not directly precede test: the first act of a play that test continues, with
        the names of all who speak in it, belongs to train, as it does for others who report on this test.

        Raises:
            UserError: if the corpus is so small that a part would be empty.
        """
        if self.kind == "stream":
            n1, n2, n3 = (int(share * len(self.text)) for share in (0.45, 0.5, 0.9))
            texts = self.text[:n1] + self.text[n2:n3], self.text[n1:n2], self.text[n3:]
            train, dev, test = (replace(self, text=text) for text in texts)
        else:
            shuffled = list(self.documents if self.kind == "documents" else dict.fromkeys(self.documents))
            random.Random(42).shuffle(shuffled)
            n1, n2 = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
            train, dev, test = (self._part(texts) for texts in (shuffled[:n1], shuffled[n1:n2], shuffled[n2:]))
        if not (train.characters and dev.characters and test.characters):
            size = f"{len(self.text)} characters" if self.kind == "stream" else f"{len(self.documents)} documents"
            raise UserError(
                f"{self.name} has only {size}, too few to split into train, dev and test; give a longer text"
            )
        return Splits(replace(train, part="train"), replace(dev, part="dev"), replace(test, part="test"))

    def _part(self, texts: list[str]) -> Corpus:
        """What belongs to these texts, in their order."""
        if self.kind == "pairs":
            of = dict(zip(self.documents, self.targets, strict=True))
            return replace(self, documents=tuple(texts), targets=tuple(of[text] for text in texts))
        if self.kind == "labelled":
            found: dict[str, list[str]] = {text: [] for text in texts}
            for text, label in zip(self.documents, self.labels, strict=True):
                if text in found:
                    found[text].append(label)
            documents = tuple(text for text, labels in found.items() for _ in labels)
            return replace(self, documents=documents, labels=tuple(label for ls in found.values() for label in ls))
        return replace(self, documents=tuple(texts))

    def _some_lines(self, number: int) -> list[str]:
        """The first lines."""
        return list(islice(self.lines(), number))


def pairs_corpus(name: str, source: str, pairs: Iterable[tuple[str, str]]) -> Corpus:
    """A corpus of pairs: a source that comes several times becomes one, with all its targets."""
    found: dict[str, list[str]] = {}
    for from_, to in pairs:
        found.setdefault(from_, []).append(to)
    return Corpus(name, "pairs", source, documents=tuple(found), targets=tuple(map(tuple, found.values())))


@dataclass(frozen=True)
class Splits:
    """train to learn from, dev to choose settings with, test to report; each a Corpus of the same kind."""

    train: Corpus
    dev: Corpus
    test: Corpus

    def __repr__(self) -> str:
        return f"Splits(train={self.train},\n       dev={self.dev},\n       test={self.test})"


def split_named(name: str) -> Split:
    """A split by its name; dev is also called val, valid or validation. UserError for another."""
    if name not in _SPLITS:
        raise UserError(f"split must be one of train, dev, test, got {name!r}")
    return _SPLITS[name]
