"""The character tokenizer: each character of a text is a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus import files
from gradus.errors import UserError
from gradus.text.corpus import SEPARATOR, Corpus
from gradus.text.tokenizer import FORMAT, Ids, Tokenizer, checked_ids


class CharTokenizer(Tokenizer):
    """Each character is a token; its id is its index in the alphabet.

    >>> tokenizer = CharTokenizer("abc")
    >>> tokenizer.encode("cab").tolist()
    [2, 0, 1]
    >>> tokenizer.decode([2, 0, 1])
    'cab'
    """

    kind = "characters"
    separator = 0

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
        """The sorted characters of a whole corpus, before it is split; first the separator, unless it is a stream."""
        if corpus.kind == "stream":
            return cls(sorted(set().union(*corpus.texts)))
        return cls([SEPARATOR, *sorted(set(corpus.joined()) - {SEPARATOR})])

    def __repr__(self) -> str:
        return f"CharTokenizer({self.vocab_size} characters, {_short(self.alphabet)})"

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
        codes = self._codes[checked_ids(ids, self.vocab_size)]
        return str(codes.tobytes(), "utf-32-le", "surrogatepass")

    def encode_documents(self, documents: Sequence[str]) -> Ids:
        if self.alphabet[0] != SEPARATOR:
            raise UserError("the tokenizer was made for a stream: its first character is not a newline")
        return self.encode(SEPARATOR + "".join(document + SEPARATOR for document in documents))

    def to_json(self) -> str:
        fields = {"format": FORMAT, "kind": self.kind, "alphabet": self.alphabet}
        return files.to_json(fields, indent=1) + "\n"

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> CharTokenizer:
        """The tokenizer that `to_json` wrote as these fields. Raises ValueError or KeyError if they are not valid."""
        if not isinstance(fields["alphabet"], str):
            raise ValueError("the alphabet is not a string")
        return cls(fields["alphabet"])


def _codes(text: str) -> npt.NDArray[np.uint32]:
    """(n,) the code point of each character: "ab" -> [97, 98]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _short(alphabet: str) -> str:
    return repr(alphabet if len(alphabet) <= 40 else alphabet[:37] + "...")
