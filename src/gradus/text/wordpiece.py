"""WordPiece, the tokenizer of BERT (Schuster and Nakajima, 2012; Devlin et al., 2019): each word is cut, from its
beginning, into the longest pieces that the vocabulary has; pieces inside a word are written with ## before them.

    "Unaffable!"  ->  unaffable, !  ->  un ##aff ##able !

The files are BERT's vocab.txt, a token a line, and the tokenizer.json of the library `tokenizers`, which is also how a
run keeps it.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus import files
from gradus.text.bpe_files import checked_vocab
from gradus.text.tokenizer import Ids, Tokenizer, checked_ids

INSIDE = "##"  # before a piece that continues a word
UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
SPECIAL = ("[PAD]", UNKNOWN, START, END, "[MASK]")
LONGEST_WORD = 100  # characters; a longer word is unknown

# Chinese characters, each of which is a word: the blocks of CJK ideographs, as BERT lists them.
_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
# What is written without the space that the decoder would put before it.
_TIGHT = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " do not", " 's", " 've", " 're")
_TIGHTENED = {" ' ": "'", " do not": " don't"}


class WordPieceTokenizer(Tokenizer):
    """Words in pieces.

    >>> tokenizer = WordPieceTokenizer(["[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "!"])
    >>> tokenizer.encode("Unaffable! Unknown").tolist()
    [3, 4, 5, 6, 0]
    >>> tokenizer.decode([3, 4, 5, 6])
    'unaffable!'

    Attributes:
        tokens: id -> token.
        lower: whether capitals are made small letters.
        strip_accents: whether é is made e.
        start: the id of [CLS], which stands before a text.
        separator: the id of [SEP], which stands after it.
    """

    def __init__(self, tokens: Sequence[str], *, lower: bool = True, strip_accents: bool | None = None) -> None:
        """Accents are stripped where capitals are, unless said otherwise. Raises ValueError unless the tokens are
        different, [UNK], [CLS] and [SEP] are among them, and the flags are true or false."""
        if not isinstance(lower, bool) or not (strip_accents is None or isinstance(strip_accents, bool)):
            raise ValueError("lower case and strip_accents must be true or false")
        self.tokens, self.lower = tuple(tokens), lower
        self.strip_accents = lower if strip_accents is None else strip_accents
        self._ids = {token: id_ for id_, token in enumerate(self.tokens)}
        missing = [token for token in (UNKNOWN, START, END) if token not in self._ids]
        if missing:
            raise ValueError(f"the vocabulary has no {', '.join(missing)}")
        if len(self._ids) != len(self.tokens):
            raise ValueError("a token is twice in the vocabulary")
        self.unknown, self.separator = self._ids[UNKNOWN], self._ids[END]

    def __repr__(self) -> str:
        return f"WordPieceTokenizer({self.vocab_size:,} pieces)"

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    @property
    def start(self) -> int:
        return self._ids[START]

    def encode(self, text: str) -> Ids:
        """(n,) int64, an id a piece; a word that cannot be cut into pieces is [UNK]. Special tokens in the text are
        text."""
        pieces = [piece for word in self.words(text) for piece in self._cut(word)]
        return np.array(pieces, dtype=np.int64)

    def words(self, text: str) -> list[str]:
        """The words of a text, normalised: what stands between spaces, marks and Chinese characters by themselves."""
        text = "".join(map(_clean, text))
        if self.strip_accents:  # é is e and an accent when decomposed
            text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        if self.lower:
            text = "".join(c.lower() for c in text)  # one by one, so that no sigma depends on where it stands
        return "".join(f" {c} " if _is_mark(c) else c for c in text).split()

    def _cut(self, word: str) -> list[int]:
        """The longest piece that the word begins with, the longest that what is left begins with, and so on."""
        if len(word) > LONGEST_WORD:
            return [self.unknown]
        ids, start = [], 0
        while start < len(word):
            prefix = INSIDE if start else ""
            found = next((end for end in range(len(word), start, -1) if prefix + word[start:end] in self._ids), None)
            if found is None:
                return [self.unknown]
            ids.append(self._ids[prefix + word[start:found]])
            start = found
        return ids

    def decode(self, ids: npt.ArrayLike) -> str:
        """The words of (n,) integer ids, with spaces between them but not before marks. IndexError if one is out of
        range."""
        return "".join(self.stream(checked_ids(ids, self.vocab_size).tolist()))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        for place, id_ in enumerate(ids):
            token = self.tokens[id_]
            if place:
                token = token.removeprefix(INSIDE) if token.startswith(INSIDE) else " " + token
            for spaced in _TIGHT:
                token = token.replace(spaced, _TIGHTENED.get(spaced, spaced[1:]))
            yield token

    def to_json(self) -> str:
        """The text of a tokenizer.json that `tokenizers` loads to the same ids."""
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        special = {token: self._ids[token] for token in SPECIAL if token in self._ids}
        ends = {token: {"id": token, "ids": [special[token]], "tokens": [token]} for token in (START, END)}

        def template(*items: str | tuple[str, int]) -> list[dict[str, Any]]:
            return [
                {"SpecialToken": {"id": item, "type_id": 0}}
                if isinstance(item, str)
                else {"Sequence": {"id": item[0], "type_id": item[1]}}
                for item in items
            ]

        second = [*template(("B", 1)), {"SpecialToken": {"id": END, "type_id": 1}}]
        fields = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [{"id": id_, "content": token, **flags} for token, id_ in special.items()],
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": self.strip_accents,
                "lowercase": self.lower,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": template(START, ("A", 0), END),
                "pair": [*template(START, ("A", 0), END), *second],
                "special_tokens": ends,
            },
            "decoder": {"type": "WordPiece", "prefix": INSIDE, "cleanup": True},
            "model": {
                "type": "WordPiece",
                "unk_token": UNKNOWN,
                "continuing_subword_prefix": INSIDE,
                "max_input_chars_per_word": LONGEST_WORD,
                "vocab": self._ids,
            },
        }
        return files.to_json(fields, indent=1) + "\n"

    @classmethod
    def from_tokenizer_json(cls, fields: Mapping[str, Any]) -> WordPieceTokenizer:
        """The tokenizer of a parsed tokenizer.json.

        Raises:
            ValueError: if it is damaged, or asks for what BERT's does not do.
            KeyError: if something is missing.
        """
        model, normalizer, splitting = fields["model"], fields["normalizer"] or {}, fields["pre_tokenizer"] or {}
        settings = {
            "normalizer": (normalizer.get("type"), "BertNormalizer"),
            "clean_text": (normalizer.get("clean_text"), True),
            "handle_chinese_chars": (normalizer.get("handle_chinese_chars"), True),
            "pre_tokenizer": (splitting.get("type"), "BertPreTokenizer"),
            "unk_token": (model["unk_token"], UNKNOWN),
            "continuing_subword_prefix": (model["continuing_subword_prefix"], INSIDE),
            "max_input_chars_per_word": (model["max_input_chars_per_word"], LONGEST_WORD),
        }
        for name, (value, known) in settings.items():
            if value != known:
                raise ValueError(f"its {name} is {value!r}, and only BERT's {known!r} is known")
        vocab = checked_vocab(model["vocab"])
        lower, accents = normalizer["lowercase"], normalizer.get("strip_accents")
        return cls(sorted(vocab, key=vocab.__getitem__), lower=lower, strip_accents=accents)


@cache
def _clean(c: str) -> str:
    """A character without what cannot be seen: nothing for a control character, a space for a tab or a line end; a
    Chinese character stands by itself."""
    if c in "\t\n\r" or (c.isspace() and not unicodedata.category(c).startswith("C")):
        return " "
    if c == "�" or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return ""
    return f" {c} " if any(first <= ord(c) <= last for first, last in _CHINESE) else c


@cache
def _is_mark(c: str) -> bool:
    """Whether a character is a word by itself: punctuation, and those of ASCII that Unicode calls symbols."""
    return c in string.punctuation or unicodedata.category(c).startswith("P")
