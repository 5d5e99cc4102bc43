"""A corpus is a text to learn from: many short documents, or one long stream. Here are both, and how each is split."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

from gradus.errors import UserError

Kind = Literal["documents", "stream"]
Split = Literal["train", "dev", "test"]

_SPLITS: dict[str, Split] = {"train": "train", "dev": "dev", "test": "test"}
_SPLITS |= dict.fromkeys(["val", "valid", "validation"], "dev")  # what others call it

SEPARATOR = "\n"  # stands before, between and after documents; the lectures write it as "."


@dataclass(frozen=True)
class Corpus:
    """Text and where it comes from.

    Attributes:
        name: what `load_corpus` was asked for.
        kind: "documents" (each is learned on its own) or "stream" (one running text).
        source: one line that says where the text comes from.
        text: the characters of a stream; empty for documents.
        documents: the documents, none of which contains a newline; empty for a stream.
        part: "whole", or which part of a split this is.
        floor: the entropy rate of what wrote the text, in nats a character, where it is known: no model can be expected
            to have a lower loss on a text that it has not seen.
    """

    name: str
    kind: Kind
    source: str
    text: str = ""
    documents: tuple[str, ...] = ()
    part: Literal["whole"] | Split = "whole"
    floor: float | None = None

    def __repr__(self) -> str:
        part = "" if self.part == "whole" else f", {self.part}"
        if self.kind == "stream":
            beginning = self.text[:40] + ("…" if len(self.text) > 40 else "")
            return f"Corpus({self.name!r}{part}: a stream of {self.characters:,} characters, {beginning!r})"
        first = [*(document[:20] for document in self.documents[:4]), *["…"][: len(self.documents) > 4]]
        return (
            f"Corpus({self.name!r}{part}: {len(self.documents):,} documents, {self.characters:,} characters, "
            f"{', '.join(first)})"
        )

    @property
    def characters(self) -> int:
        """Characters; each document also counts the separator that ends it, since a model is scored on that too."""
        if self.kind == "stream":
            return len(self.text)
        return sum(map(len, self.documents)) + len(self.documents)

    def joined(self) -> str:
        """All as one string: a stream's text, or the documents with a separator before, between and after them."""
        if self.kind == "stream":
            return self.text
        return SEPARATOR + "".join(document + SEPARATOR for document in self.documents)

    def splits(self) -> Splits:
        """Split into train, dev and test.

        Documents: in the order of `random.Random(42).shuffle`, the first 80 %, the next 10 % and the last 10 % (the
        makemore lectures' split).
        Streams: test is the last 10 % of the characters (nanoGPT's "val"), dev 5 % before the middle, train the rest,
        its two pieces joined. Dev does not directly precede test: the first act of a play that test continues, with
        the names of all who speak in it, belongs to train, as it does for others who report on this test.

        Raises:
            UserError: if the corpus is so small that a part would be empty.
        """
        if self.kind == "documents":
            shuffled = list(self.documents)
            random.Random(42).shuffle(shuffled)
            n1, n2 = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
            train, dev, test = (
                replace(self, documents=tuple(part)) for part in (shuffled[:n1], shuffled[n1:n2], shuffled[n2:])
            )
        else:
            n1, n2, n3 = (int(share * len(self.text)) for share in (0.45, 0.5, 0.9))
            texts = self.text[:n1] + self.text[n2:n3], self.text[n1:n2], self.text[n3:]
            train, dev, test = (replace(self, text=text) for text in texts)
        if not (train.characters and dev.characters and test.characters):
            size = f"{len(self.documents)} documents" if self.kind == "documents" else f"{len(self.text)} characters"
            raise UserError(
                f"{self.name} has only {size}, too few to split into train, dev and test; give a longer text"
            )
        return Splits(replace(train, part="train"), replace(dev, part="dev"), replace(test, part="test"))


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
