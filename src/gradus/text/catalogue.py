"""The corpora by name, where each comes from, and `load_corpus`, which finds a name or a path."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gradus.errors import UserError
from gradus.text import download, made_pairs, python_corpora
from gradus.text.corpus import KINDS, Corpus, Kind
from gradus.text.docstrings import docstrings
from gradus.text.prepared import is_prepared, open_prepared
from gradus.text.toy import toy
from gradus.text.user_files import JOURNAL, corpus_from_path, corpus_from_text

FILE_ADDRESS = "file://"  # begins a path with bytes that are not UTF-8, each as %xx


@dataclass(frozen=True)
class CorpusEntry:
    """A line of the catalogue. `place` says whether the text is here, and if so where, without reading it."""

    name: str
    kind: Kind
    about: str
    place: str


@dataclass(frozen=True)
class _Named:
    kind: Kind
    about: str
    load: Callable[[], Corpus]
    file: download.RemoteFile | None = None
    place: str = "comes with Python"  # where it is, if it is no file
    other: tuple[Kind, Callable[[], Corpus]] | None = None  # a second kind that it is to be had in


def _downloaded(name: str, kind: Kind, file: download.RemoteFile, about: str) -> _Named:
    def load() -> Corpus:
        return corpus_from_text(download.text_of(file), name=name, kind=kind, source=f"{about}, {file.address}")

    return _Named(kind, about, load, file)


_CORPORA = {
    "words": _Named("documents", "the words of Python's own documentation and source", python_corpora.words),
    "pydocs": _Named("stream", "Python's language reference", python_corpora.pydocs),
    "stdlib": _Named("stream", "the standard library's source code", python_corpora.stdlib),
    "toy": _Named(
        "documents",
        "sentences of a small grammar, whose entropy rate is known",
        toy,
        place="made here",
        other=("stream", lambda: toy("stream")),
    ),
    "docstrings": _Named(
        "labelled",
        "paragraphs of the standard library's docstrings, by what the module is about",
        docstrings,
    ),
    "reverse": _Named(
        "pairs", "strings of letters, to be reversed; without end", made_pairs.reverse, place="made here"
    ),
    "sort": _Named("pairs", "strings of letters, to be sorted; without end", made_pairs.sort, place="made here"),
    "names": _downloaded("names", "documents", download.NAMES, "makemore's 32,033 first names"),
    "shakespeare": _downloaded("shakespeare", "stream", download.SHAKESPEARE, "tiny Shakespeare, from char-rnn"),
}


def catalogue() -> tuple[CorpusEntry, ...]:
    """Every corpus that has a name. Quick: nothing is loaded or downloaded."""
    return tuple(CorpusEntry(name, named.kind, named.about, _place(named)) for name, named in _CORPORA.items())


def as_name(name_or_path: str | Path) -> str:
    """What a corpus is asked for by, as text. A Path is never a name: it is written in full."""
    return os.path.abspath(name_or_path) if isinstance(name_or_path, Path) else name_or_path


def load_corpus(name_or_path: str | Path, *, kind: Kind | None = None) -> Corpus:
    """A corpus by its name in the catalogue, a file or folder of the user's own UTF-8 text, or the folder of a prepared
    text.

    Args:
        name_or_path: a corpus name takes precedence; write ./names, or Path("names"), for a file of the same name.
        kind: for a path, "documents" (one a line), "stream", "pairs" (source TAB target a line) or "labelled" (label
            TAB text); None detects it, see `user_files.detect_kind`. A corpus with a name has its own, except `toy`,
            which has both of the first two.

    Raises:
        UserError: if there is no such corpus or file, it is empty or not UTF-8, or it cannot be downloaded; for a
            table, as `user_files.corpus_from_text` does; for a prepared text, as `prepared.open_prepared` does.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    name_or_path = as_name(name_or_path)
    named = _CORPORA.get(name_or_path)
    if named is None:
        path = path_of(name_or_path)
        if not name_or_path or not os.path.exists(path):  # False, too, for what no path can be
            raise UserError(_not_found(name_or_path))
        if is_prepared(path):
            if kind not in (None, "stream"):
                raise UserError(f"{path} is a prepared text, a stream, and cannot be read as {kind!r}")
            return open_prepared(path, name=path.name)
        if (path / JOURNAL).exists():
            raise UserError(f"{path} is not prepared to its end; the same gradus data prepare goes on where it stopped")
        return corpus_from_path(path, name=path.name or str(path), kind=kind)
    if kind not in (None, named.kind):
        if named.other is not None and kind == named.other[0]:
            return named.other[1]()
        raise UserError(f"the corpus {name_or_path!r} is of kind {named.kind!r}, and cannot be read as {kind!r}")
    return named.load()


def path_of(written: str) -> Path:
    """The path that a user has written, or `as_name`."""
    if written.startswith(FILE_ADDRESS):
        from urllib.parse import unquote_to_bytes

        return Path(os.fsdecode(unquote_to_bytes(written.removeprefix(FILE_ADDRESS))))
    return Path(os.path.expanduser(written))


def _place(named: _Named) -> str:
    if named.file is None:
        return named.place
    path = download.local_path(named.file)
    return str(path) if path else f"to be downloaded, {named.file.size:,} bytes"


def _not_found(asked: str) -> str:
    import difflib

    near = difflib.get_close_matches(asked.lower(), _CORPORA, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"corpora are {', '.join(_CORPORA)}"
    return f"no corpus or file named {asked!r}; {advice}"
