"""The corpora that every machine has: the language reference and the source code that come with Python itself, and
the words in them. They need no network, and are the same as long as the same Python is installed."""

from __future__ import annotations

import os
import platform
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gradus.errors import UserError
from gradus.text.corpus import Corpus

STDLIB_LIMIT = 10_000_000  # characters; bounds the memory that it takes
LEFT_OUT_FOLDERS = {
    *("site-packages", "dist-packages", "__pycache__"),  # not the library's own text
    *("test", "tests", "idle_test"),  # not installed everywhere
    *("encodings", "pydoc_data"),  # tables; `pydocs` has the second as text
}

# A docstring or other string literal, or a comment. Splitting source by it gives code and prose in turn.
LITERAL = re.compile(
    r'''("""[^"\\]*(?:(?:"{1,2}(?!")|\\.)[^"\\]*)*"""|\'\'\'[^'\\]*(?:(?:'{1,2}(?!')|\\.)[^'\\]*)*\'\'\''''
    r"""|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'|\#[^\n]*)""",
    re.DOTALL,
)
# A word that stands free, as words do in sentences: `os.path`, `f(x)`, `snake_case` and `camelCase` are none.
FREE_WORD = re.compile(r"""[("'“‘]*([a-z]{2,15}|[A-Z][a-z]{1,14})(?:['’]s)?[.,;:!?)"'”’]*""")
IDENTIFIER = re.compile(r"\w+", re.ASCII)
VOWEL = re.compile("[aeiouy]")
THREE_ALIKE = re.compile(r"(.)\1\1")
COMMON = 30  # files a word of two letters must be found in: keeps "of" and "to", not "fd" and "rc"


def words() -> Corpus:
    """The distinct words of Python's documentation and source, in lower case and alphabetical order.

    It reads the topics of the language reference and, of every module of the standard library, what is written for
    people: docstrings, comments, and string literals of three words or more. A word is 2 to 15 letters a-z that stand
    free between spaces and punctuation; it must be seen in lower case somewhere (which leaves out the names of people
    and places), have a vowel, and no letter three times in a row. It is kept if no code has it as an identifier, or
    else if it is found in at least two modules or topics, and in a third as many as have it as an identifier (which
    leaves out variables and functions that are spoken of). A word of two letters must instead be found in 30.
    """
    found: Counter[str] = Counter()  # in how many modules and topics
    used: Counter[str] = Counter()  # in how many modules as an identifier
    lower_case: set[str] = set()
    for prose, code in _prose_and_code():
        pieces = set(prose.replace("-", " ").split())
        here = {match[1] for match in map(FREE_WORD.fullmatch, pieces) if match}
        lower_case |= here
        found.update({word.lower() for word in here})
        used.update(set(IDENTIFIER.findall(code)))

    def is_kept(word: str) -> bool:
        if not VOWEL.search(word) or THREE_ALIKE.search(word):
            return False
        if len(word) == 2:
            return found[word] >= COMMON
        return not used[word] or (found[word] >= 2 and 3 * found[word] >= used[word])

    documents = tuple(sorted(word for word in found if word in lower_case and is_kept(word)))
    about = f"the words of {python_version()}'s documentation and source"
    return Corpus("words", "documents", about, documents=documents)


def pydocs() -> Corpus:
    """The language reference as `pydoc_data.topics` has it, topic after topic in alphabetical order.

    The topics quote each other at length; a paragraph is kept where it comes first, so that no test text was seen in
    training.
    """
    kept: dict[str, None] = {}  # a dict keeps the order
    for _, topic in sorted(_topics().items()):
        kept.update(dict.fromkeys(re.split(r"\n\s*\n", topic.strip("\n"))))
    text = "\n\n".join(kept) + "\n"
    return Corpus("pydocs", "stream", f"{python_version()}'s language reference (pydoc_data.topics)", text=text)


def stdlib() -> Corpus:
    """The standard library's Python source, file after file in the order of their paths, without its tests.

    Left out are the few files that are not plain ASCII, so that the alphabet stays below 100 characters, and whatever
    comes after the first 10,000,000 characters.
    """
    kept: list[str] = []
    size = 0
    for text in _library_sources():
        if text.isascii() and text:
            size += len(text)
            if size > STDLIB_LIMIT:
                break
            kept.append(text)
    if not kept:
        raise no_source()
    return Corpus("stdlib", "stream", f"the source code of {python_version()}'s standard library", text="".join(kept))


def _prose_and_code() -> Iterator[tuple[str, str]]:
    """Of each topic and each module: what is written for people, and what is written for the machine."""
    for topic in _topics().values():
        yield topic, ""
    for source in _library_sources():
        pieces = LITERAL.split(source)
        yield "\n".join(filter(_is_prose, pieces[1::2])), " ".join(pieces[::2])


def _is_prose(literal: str) -> bool:
    return literal.startswith(('"""', "'''", "#")) or literal.count(" ") >= 2


def _library_sources() -> Iterator[str]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(_library_files(root), key=lambda path: path.relative_to(root).as_posix()):
        try:
            yield path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # one unreadable module more or less is no reason to stop


def _library_files(root: Path) -> Iterator[Path]:
    for folder, subfolders, filenames in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in LEFT_OUT_FOLDERS and not name.startswith("config-")]
        # _sysconfigdata* describes how this machine's Python was built
        yield from (Path(folder, f) for f in filenames if f.endswith(".py") and not f.startswith("_sysconfigdata"))


def _topics() -> dict[str, str]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise UserError(f"{python_version()} was installed without pydoc_data; choose another corpus") from error
    return topics


def no_source() -> UserError:
    return UserError(
        f"{python_version()} was installed without the source of its standard library; choose another corpus"
    )


def python_version() -> str:
    return f"Python {platform.python_version()}"
