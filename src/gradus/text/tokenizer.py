"""Tokenizers turn text into ids and back. They share one protocol; the one here takes each character as a token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gradus import files
from gradus.errors import UserError
from gradus.text.corpus import SEPARATOR, Corpus

Ids = npt.NDArray[np.int64]
FORMAT = "gradus tokenizer"


class Tokenizer(Protocol):
    """The interface of every tokenizer. If it is for documents, id 0 is their separator, a newline."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are: 0 .. vocab_size - 1."""

    def encode(self, text: str) -> Ids:
        """(n,) int64. Raises UserError at an unknown character."""

    def decode(self, ids: npt.ArrayLike) -> str:
        """The text of (n,) ids. Raises IndexError if one is out of range."""

    def to_json(self) -> str:
        """The tokenizer as JSON; `tokenizer_from_json` reads it back."""

    def save(self, path: str | Path) -> None:
        """Write it as JSON, atomically; `load_tokenizer` reads it back."""


class CharTokenizer:
    """Each character is a token; its id is its index in the alphabet.

    >>> tokenizer = CharTokenizer("abc")
    >>> tokenizer.encode("cab").tolist()
    [2, 0, 1]
    >>> tokenizer.decode([2, 0, 1])
    'cab'
    """

    kind = "characters"

    def __init__(self, alphabet: Sequence[str]) -> None:
        """Raises ValueError unless the alphabet is one or more distinct characters."""
        self.alphabet = "".join(alphabet)
        codes = _codes(self.alphabet)
        if not len(alphabet) == len(self.alphabet) == len(set(self.alphabet)) > 0:
            raise ValueError(f"an alphabet is one or more distinct characters, got {alphabet!r}")
        self._codes = codes
        self._ids = np.full(int(codes.max()) + 2, -1, dtype=np.int64)  # the last entry is for every larger code
        self._ids[codes] = np.arange(len(codes))

    @classmethod
    def train(cls, corpus: Corpus) -> CharTokenizer:
        """The sorted characters of a whole corpus, before it is split; for documents, the separator comes first."""
        if corpus.kind == "stream":
            return cls(sorted(set(corpus.text)))
        return cls([SEPARATOR, *sorted(set(corpus.joined()) - {SEPARATOR})])

    @property
    def vocab_size(self) -> int:
        return len(self.alphabet)

    def encode(self, text: str) -> Ids:
        """(n,) int64, one id for each character.

        Raises:
            UserError: at the first character that is not in the alphabet.
        """
        ids = self._ids.take(_codes(text), mode="clip")
        if ids.size and ids.min() < 0:
            position = int(np.argmax(ids < 0))
            raise UserError(
                f"unknown character {text[position]!r} at position {position}; "
                f"it is not among the {self.vocab_size} characters of the alphabet {_short(self.alphabet)}"
            )
        return ids

    def decode(self, ids: npt.ArrayLike) -> str:
        """The text of (n,) integer ids. Raises IndexError if one is not in 0 .. vocab_size - 1."""
        array = np.asarray(ids)
        if not array.size:
            return ""
        if not np.issubdtype(array.dtype, np.integer):
            raise TypeError(f"ids must be integers, got {array.dtype}")
        low, high = array.min(), array.max()
        if low < 0 or high >= self.vocab_size:
            raise IndexError(f"id {low if low < 0 else high} is not in 0..{self.vocab_size - 1}")
        return str(self._codes[array].tobytes(), "utf-32-le", "surrogatepass")

    def to_json(self) -> str:
        fields = {"format": FORMAT, "kind": self.kind, "alphabet": self.alphabet}
        return files.to_json(fields, indent=1) + "\n"

    def save(self, path: str | Path) -> None:
        path = Path(path)
        with files.saving(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, self.to_json().encode())

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> CharTokenizer:
        """The tokenizer that `to_json` wrote as these fields. Raises ValueError or KeyError if they are not valid."""
        if not isinstance(fields["alphabet"], str):
            raise ValueError("the alphabet is not a string")
        return cls(fields["alphabet"])


_KINDS = {CharTokenizer.kind: CharTokenizer}


def load_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer that `save` wrote, of whatever kind.

    Raises:
        UserError: if the file is missing, damaged, or not a tokenizer.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the tokenizer {path}: {error.strerror or error}") from error
    return tokenizer_from_json(data, path)


def tokenizer_from_json(data: str | bytes, path: object) -> Tokenizer:
    """The tokenizer that `to_json` wrote; `path` is named in errors, which are those of `load_tokenizer`."""
    try:
        fields = files.from_json(data)
    except ValueError as error:  # broken JSON or UTF-8
        raise UserError(f"the tokenizer {path} is damaged: {error}") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise UserError(f"{path} is JSON, but not a tokenizer that gradus saved")
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UserError(f"the tokenizer {path} is of the unknown kind {kind!r}; known: {', '.join(_KINDS)}")
    try:
        return _KINDS[kind].from_fields(fields)
    except (KeyError, ValueError) as error:
        raise UserError(f"the tokenizer {path} is damaged: {error}") from error


def _codes(text: str) -> npt.NDArray[np.uint32]:
    """(n,) the code point of each character: "ab" -> [97, 98]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _short(alphabet: str) -> str:
    return repr(alphabet if len(alphabet) <= 40 else alphabet[:37] + "...")
