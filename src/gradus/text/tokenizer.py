"""What every tokenizer does: it turns text into ids and back. Characters are in `gradus.text.characters`, words in
`gradus.text.words`, byte pair encoding in `gradus.text.bpe`, BERT's pieces of words in `gradus.text.wordpiece`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gradus import files

Ids = npt.NDArray[np.int64]
FORMAT = "gradus tokenizer"  # marks the JSON of those that have no format of their own in the field


class Tokenizer(Protocol):
    """The interface of every tokenizer.

    Attributes:
        separator: the id that stands before, between and after documents, and begins a text out of nothing.
    """

    separator: int

    @property
    def start(self) -> int:
        """The id that stands before a text by itself: the separator, but for WordPiece, which has one for it."""
        return self.separator

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """How many ids there are: 0 .. vocab_size - 1."""

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """(n,) int64. Raises UserError at a text that cannot be encoded, such as one with an unknown character."""

    @abstractmethod
    def decode(self, ids: npt.ArrayLike) -> str:
        """The text of (n,) ids. Raises IndexError if one is out of range."""

    @abstractmethod
    def to_json(self) -> str:
        """The tokenizer as JSON; `tokenizer_from_json` reads it back."""

    def encode_documents(self, documents: Sequence[str]) -> Ids:
        """(n,) int64: each document on its own, with the separator before, between and after them."""
        separator = np.array([self.separator])
        parts = [part for document in documents for part in (self.encode(document), separator)]
        return np.concatenate([separator, *parts])

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids that arrive one by one: as much of it, after each, as is certain. Joined it is `decode`."""
        return (self.decode([id_]) for id_ in ids)

    def save(self, path: str | Path) -> None:
        """Write it as JSON, atomically; `load_tokenizer` reads it back."""
        path = Path(path)
        with files.saving(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, self.to_json().encode())


def checked_ids(ids: npt.ArrayLike, vocab_size: int) -> npt.NDArray[np.integer]:
    """Ids as an array. IndexError if one is not in 0 .. vocab_size - 1, TypeError if they are not integers."""
    array = np.asarray(ids)
    if not array.size:
        return array.astype(np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"ids must be integers, got {array.dtype}")
    low, high = array.min(), array.max()
    if low < 0 or high >= vocab_size:
        raise IndexError(f"id {low if low < 0 else high} is not in 0..{vocab_size - 1}")
    return array
