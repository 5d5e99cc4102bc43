"""The byte-level BPE tokenizer, GPT-2's and since then almost everyone's. Four steps lead from a text to its ids:

split   "low lower" -> "low", " lower"     into pieces, roughly words        `gradus.text.split`
byte    "low" -> l o w                     each piece into its UTF-8 bytes, so that nothing is unknown
pair    l o, o w                           which neighbours are there?       `gradus.text.pairs`
merge   l o w -> lo w -> low               pairs become tokens in the order in which training learned them
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from gradus.errors import UserError
from gradus.text.corpus import Corpus
from gradus.text.links import apply_merges, learn_merges
from gradus.text.pairs import Pair, merge
from gradus.text.split import GPT2, split
from gradus.text.tokenizer import Ids, Tokenizer, checked_ids

END_OF_TEXT = "<|endoftext|>"
LONG = 200  # bytes from which a piece is merged by links: below, a list is as quick, and above it takes n² steps
REMEMBERED = 1 << 17  # pieces whose ids are kept: the different ones of tens of megabytes of text

# GPT-2 gives the bytes that are printable characters of Latin-1 the first ids, then come the others.
BYTE_ORDER = bytes([*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)])
BYTE_ORDER += bytes(sorted(set(range(256)) - set(BYTE_ORDER)))


class BPETokenizer(Tokenizer):
    """Byte-level byte pair encoding (Radford et al., 2019, after Sennrich et al., 2016).

    >>> tokenizer = BPETokenizer.train(["low low low lower"], vocab_size=259)
    >>> [tokenizer.vocab[id_] for id_ in tokenizer.encode("low lower!")]
    [b'low', b' low', b'e', b'r', b'!']

    Attributes:
        vocab: id -> the bytes that it stands for.
        merges: the pairs of ids, in the order in which they are merged.
        pattern: how text is split before, see `gradus.text.split`.
        special: the special tokens' ids, such as {"<|endoftext|>": 50256}. Plain text never gives one: only the caller
            can, by `allowed_special` or by the id itself.
    """

    kind = "bpe"

    def __init__(
        self,
        vocab: Sequence[bytes],
        merges: Sequence[Pair],
        *,
        pattern: str | None = GPT2,
        special: Mapping[str, int] | None = None,
    ) -> None:
        """Raises ValueError unless all bytes are in the vocabulary, and the merges give tokens that are, each of two
        that are bytes or were made before it."""
        self.vocab, self.merges, self.pattern = tuple(vocab), tuple(merges), pattern
        self.special = dict(special or {})
        for text, id_ in self.special.items():
            if not (0 <= id_ < len(self.vocab) and self.vocab[id_] == text.encode()):
                raise ValueError(f"the id {id_} of the special token {text!r} is another token's")
        special_ids = set(self.special.values())
        plain = {token: id_ for id_, token in enumerate(self.vocab) if id_ not in special_ids}
        missing = [byte for byte in range(256) if bytes([byte]) not in plain]
        if missing:
            raise ValueError(f"{len(missing)} of the 256 bytes are not in the vocabulary, the first is {missing[0]}")
        self._byte_ids = [plain[bytes([byte])] for byte in range(256)]
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._made: list[int] = []  # rank -> the id of the merged token
        known = set(self._byte_ids)
        for first, second in self.merges:
            if not {first, second} <= known:
                raise ValueError(f"merge {len(self._made)} is of a token that no merge before it makes")
            token = self.vocab[first] + self.vocab[second]
            if token not in plain:
                raise ValueError(f"merge {len(self._made)} makes {token!r}, which is not in the vocabulary")
            self._made.append(plain[token])
            known.add(plain[token])
        self.separator = self.special.get(END_OF_TEXT, plain[b"\n"])
        self._remembered = lru_cache(REMEMBERED)(self._merged)

    @classmethod
    def train(
        cls,
        text: Corpus | Iterable[str],
        vocab_size: int,
        *,
        pattern: str | None = GPT2,
        special: Sequence[str] = (),
    ) -> BPETokenizer:
        """Learn the merges from a text: from a corpus, of which the part to train on, or from strings.

        Bytes have the ids 0 to 255 in GPT-2's order, then come the merges and the special tokens. A corpus that is
        no stream gets <|endoftext|> to separate its texts. The vocabulary is smaller than asked when no pair occurs
        twice any more.

        Raises:
            UserError: if there is no room for the bytes and the special tokens.
        """
        if isinstance(text, Corpus):
            if text.kind != "stream":
                special = [*special, END_OF_TEXT]
            text = text.texts
        if vocab_size < 256 + len(special):
            raise UserError(
                f"vocab_size must be at least {256 + len(special)}, for the bytes and {len(special)} special tokens, "
                f"got {vocab_size}"
            )
        pieces = Counter(piece for part in text for piece in split(_whole(part), pattern))
        byte_ids = np.argsort(np.frombuffer(BYTE_ORDER, np.uint8))
        merges = learn_merges(
            {piece.encode(): times for piece, times in pieces.items()}, byte_ids, vocab_size - 256 - len(special)
        )
        vocab = [bytes([byte]) for byte in BYTE_ORDER]
        for first, second in merges:
            vocab.append(vocab[first] + vocab[second])
        ids = {token: len(vocab) + i for i, token in enumerate(special)}
        return cls([*vocab, *(token.encode() for token in special)], merges, pattern=pattern, special=ids)

    def __repr__(self) -> str:
        return f"BPETokenizer({self.vocab_size:,} tokens)"

    @property
    def vocab_size(self) -> int:
        return len(self.vocab)

    def encode(
        self,
        text: str,
        *,
        allowed_special: Collection[str] | Literal["all"] = (),
        disallowed_special: Collection[str] | Literal["all"] = (),
    ) -> Ids:
        """(n,) int64. As in tiktoken, half a surrogate pair, which no UTF-8 can hold, counts as U+FFFD.

        Args:
            allowed_special: special tokens that are taken as such where their text stands; elsewhere "<|endoftext|>"
                is seven ordinary tokens.
            disallowed_special: special tokens (of those not allowed) whose text is refused.

        Raises:
            UserError: if there is a disallowed one.
        """
        allowed = set(self.special if allowed_special == "all" else allowed_special)
        refused = set(self.special if disallowed_special == "all" else disallowed_special) - allowed
        found = min((text.find(token), token) for token in refused if token in text) if refused else None
        if found:
            raise UserError(f"the text has the special token {found[1]!r} at position {found[0]}, which is not allowed")
        ids = self._ordinary(_whole(text)) if not allowed else self._with_special(_whole(text), allowed)
        return np.fromiter(ids, np.int64)

    def encode_bytes(self, data: bytes) -> Ids:
        """(n,) int64 of any bytes: `decode_bytes` gives them back. What is UTF-8 is encoded as `encode` does it."""
        return np.fromiter(self._ordinary(data.decode("utf-8", "surrogateescape")), np.int64)

    def decode(self, ids: npt.ArrayLike) -> str:
        """The text of (n,) integer ids; bytes that are not UTF-8 give U+FFFD. IndexError if one is out of range."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: npt.ArrayLike) -> bytes:
        """What the ids stand for: tokens may begin or end within a character."""
        return b"".join(map(self.vocab.__getitem__, checked_ids(ids, self.vocab_size).tolist()))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids that arrive one by one. A character comes with the last of its bytes."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for id_ in ids:
            yield decoder.decode(self.decode_bytes([id_]))
        rest = decoder.decode(b"", final=True)
        if rest:
            yield rest

    def to_json(self) -> str:
        """As a tokenizer.json of Hugging Face's `tokenizers`."""
        from gradus.text.bpe_files import to_tokenizer_json

        return to_tokenizer_json(self)

    def _ordinary(self, text: str) -> Iterable[int]:
        pieces = split(text, self.pattern)
        short = isinstance(pieces, list) and max(map(len, pieces), default=0) < LONG
        return chain.from_iterable(map(self._remembered if short else self._ids, pieces))

    def _with_special(self, text: str, allowed: Collection[str]) -> Iterator[int]:
        unknown = sorted(set(allowed) - self.special.keys())
        if unknown:
            raise UserError(f"there is no special token {unknown[0]!r}; there are {', '.join(self.special) or 'none'}")
        longest_first = sorted(allowed, key=len, reverse=True)
        for part in re.split(f"({'|'.join(map(re.escape, longest_first))})", text):
            if part in allowed:
                yield self.special[part]
            else:
                yield from self._ordinary(part)

    def _ids(self, piece: str) -> Sequence[int]:
        return self._remembered(piece) if len(piece) < LONG else self._merged(piece)

    def _merged(self, piece: str) -> Sequence[int]:
        """The ids of a piece: as long as there is a pair to merge, the one that was learned first."""
        data = piece.encode("utf-8", "surrogateescape")
        if len(data) >= LONG:
            return apply_merges(
                np.array(self._byte_ids)[np.frombuffer(data, np.uint8)], self._ranks, self._made
            ).tolist()
        ids = [self._byte_ids[byte] for byte in data]
        ranks, never = self._ranks, len(self._ranks)
        while len(ids) > 1:
            pair = min(pairwise(ids), key=lambda pair: ranks.get(pair, never))
            rank = ranks.get(pair)
            if rank is None:
                break
            ids = merge(ids, pair, self._made[rank])
        return ids


def _whole(text: str) -> str:
    """The text with surrogate pairs joined, and halves of them replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
