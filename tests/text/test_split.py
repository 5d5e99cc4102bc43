"""Splitting into pieces: the classes of Unicode, the patterns, and what is asked of a pattern from a file."""

from __future__ import annotations

import sys
import unicodedata

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

from gradus.errors import UserError
from gradus.text.split import GPT2, GPT4, split
from gradus.text.unicode_classes import LETTERS, NUMBERS, SPACES, Ranges

EVERY = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
BYTES = {bytes([byte]): byte for byte in range(256)}


def expand(ranges: Ranges) -> set[int]:
    return {code for first, last in ranges for code in range(first, last + 1)}


@pytest.mark.parametrize(("name", "ranges"), [(r"\p{L}", LETTERS), (r"\p{N}", NUMBERS), (r"\s", SPACES)])
def test_classes_are_those_of_tiktoken_for_every_character(name: str, ranges: Ranges) -> None:
    """With this pattern tiktoken drops what is not of the class."""
    encoding = tiktoken.Encoding("class", pat_str=name, mergeable_ranks=BYTES, special_tokens={})
    assert set(map(ord, encoding.decode(encoding.encode_ordinary(EVERY)))) == expand(ranges)


@pytest.mark.parametrize(("category", "ranges"), [("L", LETTERS), ("N", NUMBERS)])
def test_classes_agree_with_python_on_the_characters_it_knows(category: str, ranges: Ranges) -> None:
    ours, known = expand(ranges), {ord(c) for c in EVERY if unicodedata.category(c) != "Cn"}
    theirs = {code for code in known if unicodedata.category(chr(code))[0] == category}
    newer = sys.version_info >= (3, 15)  # Unicode 17
    assert newer or ours & known == theirs


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello've world123 how's are you!?", ["Hello", "'ve", " world", "123", " how", "'s", " are", " you", "!?"]),
        ("  two  spaces ", [" ", " two", " ", " spaces", " "]),
        ("a\n\nb", ["a", "\n", "\n", "b"]),
        ("\x1c\x1f a", ["\x1c\x1f", " a"]),  # Python takes these two for spaces, Unicode does not
        ("½² 𝟘𝟙𐒠", ["½²", " 𝟘𝟙𐒠"]),
        ("naïve 名前 𝒳𝒴😀", ["naïve", " 名前", " 𝒳𝒴", "😀"]),
        ("", []),
    ],
)
def test_gpt2_splits(text: str, pieces: list[str]) -> None:
    assert list(split(text, GPT2)) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("HOW'S 12345 ok", ["HOW", "'S", " ", "123", "45", " ok"]),
        ("end.\n\n  next(x)", ["end", ".\n\n", " ", " next", "(x", ")"]),
        ("tail \n ", ["tail", " \n "]),
        ("tail \n", ["tail", " \n"]),
    ],
)
def test_gpt4_splits(text: str, pieces: list[str]) -> None:
    assert list(split(text, GPT4)) == pieces


strings = st.text() | st.text("aB é名𝒳😀'sStTlLvVeErRdDmM 0½𝟘.!\n\r\t\u2028\x1c\u00a0ſ", max_size=30)


@given(strings)
def test_pieces_joined_are_the_text(text: str) -> None:
    for pattern in (GPT2, GPT4, r"\p{L}+", None):
        assert "".join(split(text, pattern)) == text


@pytest.mark.parametrize("pattern", [GPT2, GPT4])
@given(text=strings)
def test_pieces_are_those_of_tokenizers(pattern: str, text: str) -> None:
    theirs = Split(Regex(pattern), "isolated").pre_tokenize_str(text)
    assert list(split(text, pattern)) == [piece for piece, _ in theirs]


# As tiktoken 0.14 writes the patterns of r50k_base and cl100k_base.
R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


@pytest.mark.parametrize(("ours", "theirs"), [(GPT2, R50K), (GPT4, CL100K)])
@given(text=strings)
def test_pieces_are_those_of_tiktoken(ours: str, theirs: str, text: str) -> None:
    """Of an encoding that has each of our pieces as a token."""
    pieces = [piece.encode() for piece in split(text, ours)]
    ranks = {**BYTES, **{piece: 256 + i for i, piece in enumerate(dict.fromkeys(pieces)) if len(piece) > 1}}
    encoding = tiktoken.Encoding("pieces", pat_str=theirs, mergeable_ranks=ranks, special_tokens={})
    assert encoding.decode_tokens_bytes(encoding.encode_ordinary(text)) == pieces


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"\p{Lu}+", r"has \\p\{Lu\}; known are"),
        (r"\w+", r"has \\w"),
        (r"[\S]", r"has \\S"),
        (r"(a", "cannot be used: missing"),
        (r"\s*", "cannot be used: it also matches nothing"),
    ],
)
def test_a_pattern_that_is_not_known_is_the_users_error(pattern: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(split("a", pattern))


def test_a_pattern_that_would_lose_text_is_the_users_error() -> None:
    with pytest.raises(UserError, match="loses 1 of the 3 characters"):
        list(split("abc", "b*(?=c)"))
