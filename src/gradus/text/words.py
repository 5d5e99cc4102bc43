"""The word tokenizer: words and marks are tokens, rare words all the same one, <unk> (Bengio et al., 2003)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus import files
from gradus.errors import UserError
from gradus.text.corpus import SEPARATOR, Corpus
from gradus.text.tokenizer import FORMAT, Ids, Tokenizer, checked_ids

UNKNOWN = "<unk>"

# A word may have apostrophes and hyphens inside; every mark is a token; the end of a line is one, too.
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]|\n")
_NO_SPACE_BEFORE = set(".,;:!?)]}%…»”’") | {"\n", "'"}
_NO_SPACE_AFTER = set("([{«“‘") | {"\n"}


class WordTokenizer(Tokenizer):
    """Each word, mark and line end is a token.

    >>> text = Corpus("song", "stream", "", text="She said: don't go, don't!")
    >>> tokenizer = WordTokenizer.train(text, min_count=2)
    >>> tokenizer.words
    ('\\n', '<unk>', "don't")
    >>> tokenizer.decode(tokenizer.encode("don't say don't"))
    "don't <unk> don't"

    Decoding puts a space between words and none before a comma; it does not give back how a text was spaced.

    Attributes:
        words: id -> word. The first is the newline, which also separates documents, the second <unk>.
        lower: whether capitals are made small letters.
        lines: whether line ends and marks are tokens. They are not where the text to learn from is a list of words, one
            a line, which somebody has split already: there a token is what stands between spaces.
    """

    kind = "words"
    separator, unknown = 0, 1

    def __init__(self, words: Sequence[str], *, lower: bool = False, lines: bool = True) -> None:
        """Raises ValueError unless the words are different and begin with the newline and <unk>."""
        self.words, self.lower, self.lines = tuple(words), lower, lines
        self._ids = {word: id_ for id_, word in enumerate(self.words)}
        if self.words[:2] != (SEPARATOR, UNKNOWN) or len(self._ids) != len(self.words):
            raise ValueError("the words must be different, and begin with the newline and <unk>")

    @classmethod
    def train(
        cls,
        corpus: Corpus,
        vocab_size: int | None = None,
        *,
        min_count: int = 1,
        lower: bool = False,
    ) -> WordTokenizer:
        """The words of a corpus, of which the part to train on, the most frequent first.

        Line ends and marks are tokens unless every line is a single word, as in a list of a text's words.

        Args:
            vocab_size: keep so many, the newline and <unk> among them; None keeps all.
            min_count: words that occur less often than this are unknown.

        Raises:
            UserError: if vocab_size has no room for a word.
        """
        if vocab_size is not None and vocab_size < 3:
            raise UserError(f"vocab_size must be at least 3, for the newline, {UNKNOWN} and a word, got {vocab_size}")
        texts = corpus.texts
        lines = corpus.kind == "stream" and any(len(line.split()) > 1 for line in corpus.text.split("\n"))
        plain = cls([SEPARATOR, UNKNOWN], lower=lower, lines=lines)
        counts = Counter(word for text in texts for word in plain.split(text))
        del counts[SEPARATOR]
        frequent = [word for word, count in counts.most_common() if count >= min_count]
        words = [SEPARATOR, UNKNOWN, *frequent][:vocab_size]
        return cls(words, lower=lower, lines=lines)

    def __repr__(self) -> str:
        return f"WordTokenizer({self.vocab_size:,} words)"

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def split(self, text: str) -> list[str]:
        """The words, marks and line ends of a text; without `lines` what stands between spaces."""
        text = text.lower() if self.lower else text
        return _TOKEN.findall(text) if self.lines else text.split()

    def encode(self, text: str) -> Ids:
        """(n,) int64, an id a word; that of <unk> for those that are not in the vocabulary."""
        return np.array([self._ids.get(word, self.unknown) for word in self.split(text)], dtype=np.int64)

    def decode(self, ids: npt.ArrayLike) -> str:
        """The words of (n,) integer ids with spaces between them. IndexError if one is out of range."""
        return "".join(self.stream(checked_ids(ids, self.vocab_size).tolist()))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        before = SEPARATOR
        for id_ in ids:
            word = self.words[id_]
            tight = before in _NO_SPACE_AFTER or word in _NO_SPACE_BEFORE
            yield word if tight else " " + word
            before = word

    def to_json(self) -> str:
        fields = {"format": FORMAT, "kind": self.kind, "lower": self.lower, "lines": self.lines}
        return files.to_json({**fields, "words": self.words}, indent=1) + "\n"

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> WordTokenizer:
        """The tokenizer that `to_json` wrote as these fields. Raises ValueError or KeyError if they are not valid."""
        words, flags = fields["words"], {name: fields[name] for name in ("lower", "lines")}
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("the words are not a list of strings")
        if not all(isinstance(flag, bool) for flag in flags.values()):
            raise ValueError("lower and lines must be true or false")
        return cls(words, **flags)
