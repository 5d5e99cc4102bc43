"""Splitting: a text is cut into pieces, roughly words, before any pairs are merged, so that no token reaches from one
word into the next. Here are the patterns of GPT-2 and GPT-4, and what makes an expression of Python's of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from gradus.errors import UserError
from gradus.text.unicode_classes import LETTERS, NUMBERS, SPACES, Ranges

# A word takes the space before it along; of several spaces the last one goes with the word.
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# Also: contractions in capitals, numbers by three digits, line ends as pieces of their own or with marks before them.
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)

AT_ONCE = (
    1 << 23
)  # characters up to which all pieces are found at once: quicker, but they take a dozen times as much memory
BMP, ALL = 0xFFFF, 0x10FFFF  # the last code point of the basic plane, in which almost all text is written, and of all
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
_CLASSES = {r"\p{L}": LETTERS, r"\p{N}": NUMBERS, r"\s": SPACES}
_PARTS = re.compile(r"\\p\{\w+\}|\\.|.", re.DOTALL)


def split(text: str, pattern: str | None) -> Iterable[str]:
    """The pieces of a text, which joined give it back; what the pattern does not match is a piece too.

    >>> list(split("Hello've world123  how's", GPT2))
    ['Hello', "'ve", ' world', '123', ' ', ' how', "'s"]

    Args:
        pattern: with the classes \\p{L}, \\p{N}, \\s and \\S of Unicode 16; None leaves the text whole.

    Raises:
        UserError: if the pattern has a class or an escape not known here, is no expression at all, or loses text, as
            one does that matches nothing where a piece could begin.
    """
    if pattern is None:
        return [text] if text else []
    expression = _compiled(pattern, ALL if _BEYOND_BMP.search(text) else BMP)
    if len(text) > AT_ONCE or expression.groups:
        return _pieces(expression, text, pattern)
    pieces: list[str] = expression.findall(text)
    _require_all(sum(map(len, pieces)), text, pattern)
    return pieces


def _pieces(expression: re.Pattern[str], text: str, pattern: str) -> Iterator[str]:
    size = 0
    for match in expression.finditer(text):
        piece = match[0]
        size += len(piece)
        yield piece
    _require_all(size, text, pattern)


def _require_all(size: int, text: str, pattern: str) -> None:
    if size != len(text):
        raise UserError(f"the splitting pattern {pattern!r} loses {len(text) - size} of the {len(text)} characters")


@cache
def _compiled(pattern: str, last: int) -> re.Pattern[str]:
    """The pattern for texts whose code points go up to `last`. `re` looks a character up in a table of the basic plane,
    but goes through ranges beyond it one by one, which makes it five times slower: hence one for texts without them."""
    inner = _translate(pattern, last)
    try:
        expression = re.compile(rf"(?:{inner})|(?:(?!{inner})[\s\S])+")  # the second part: what the first leaves out
    except re.error as error:
        raise UserError(f"the splitting pattern {pattern!r} cannot be used: {error}") from error
    if expression.match(""):
        raise UserError(f"the splitting pattern {pattern!r} cannot be used: it also matches nothing; put + for *")
    return expression


def _translate(pattern: str, last: int) -> str:
    out, inside = [], False  # inside [ ]
    for part in _PARTS.findall(pattern):
        if part in ("[", "]"):
            inside = part == "["
        if part in _CLASSES:
            ranges = _spelled(_CLASSES[part], last)
            out.append(ranges if inside else f"[{ranges}]")
        elif part == r"\S" and not inside:
            out.append(f"[^{_spelled(SPACES, last)}]")
        elif part == "$" and not inside:
            out.append(r"\Z")  # Python's $ also matches before a newline at the end
        elif part[0] == "\\" and part[1].isalnum() and part[1] not in "rnt":
            raise UserError(f"the splitting pattern {pattern!r} has {part}; known are \\p{{L}}, \\p{{N}}, \\s and \\S")
        else:
            out.append(part)
    return "".join(out)


def _spelled(ranges: Ranges, last: int) -> str:
    return "".join(f"\\U{a:08x}-\\U{min(b, last):08x}" for a, b in ranges if a <= last)
