"""The user's own text: a UTF-8 file, or a folder of them, read as documents, as a stream, or as a table of two columns:
pairs or labelled texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gradus.errors import UserError
from gradus.files import note
from gradus.text.corpus import Corpus, Kind, pairs_corpus

MANY_LINES = 20  # fewer lines than this are a short text, not a list
SHORT_LINE = 64  # characters; running text is wrapped at 70 to 80, or not at all
TABLE = 0.9  # of the lines have a TAB with text before it: the lines that have none are mistakes
USES = 5  # lines a label has at least, on average; a source has fewer targets
BEGINNING = 1 << 16  # bytes looked at to tell a text file from a binary one

# What gradus writes into the folder of a run, of which three make one, and beside the runs of a climb.
RUN = {"state.json", "config.toml", "tokenizer.json", "metrics.jsonl", "model.safetensors", "samples.txt"}
CLIMB = {"table.json", "index.html"}
JOURNAL = "preparing.jsonl"  # ... and into that of a prepared text, until it is prepared to its end
PREPARED = {"manifest.json", "tokenizer.json"}


def corpus_from_path(path: Path, *, name: str, kind: Kind | None = None) -> Corpus:
    """Read a file or folder as a corpus.

    A file has the kind that `detect_kind` says; a folder is a stream of all its text files in the order of their paths,
    without the runs that gradus has put there. `kind` overrides both: with "documents" every line that is not blank is
    one.

    Raises:
        UserError: if there is no text, or it is not UTF-8, or it cannot be read; for pairs and labelled texts also as
            `corpus_from_text` does.
    """
    if path.is_dir():
        text = _read_folder(path)
        source, kind = f"the text files in {path}", kind or "stream"
    else:
        text = read_text(path)
        source, kind = f"the file {path}", kind or detect_kind(text)
    return corpus_from_text(text, name=name, kind=kind, source=source)


def corpus_from_text(text: str, *, name: str, kind: Kind, source: str) -> Corpus:
    """A stream of `text`, or its lines as documents: stripped of the spaces around them, blank ones left out.

    Lines of pairs are source TAB target, and what follows a second TAB is left out; lines of labelled texts are label
    TAB text.

    Raises:
        UserError: if there is no text; for pairs and labelled texts, if a line has no TAB or nothing on a side of it,
            or all labels are the same.
    """
    if not text.strip():
        raise UserError(f"{name} is empty: there is no text in {source}")
    if kind == "stream":
        return Corpus(name, "stream", source, text=text)
    if kind == "pairs":
        return pairs_corpus(name, source, _table(text, source, "source", "target", columns=3))
    if kind == "labelled":
        labels, texts = zip(*_table(text, source, "label", "text", columns=2), strict=True)
        if len(set(labels)) == 1:
            raise UserError(f"{source} has one label only, {labels[0]!r}; to tell texts apart takes at least two")
        return Corpus(name, "labelled", source, documents=texts, labels=labels)
    return Corpus(name, "documents", source, documents=tuple(line for line in map(str.strip, text.split("\n")) if line))


def detect_kind(text: str) -> Kind:
    """What kind of text a file's is.

    A table has at least 20 lines that are not blank, nine in ten of them with text and a TAB after it: labelled texts
    if there are five times as many lines as different first columns, else pairs. Documents are at least 20 lines, none
    of them blank and none longer than 64 characters; all else is a stream.
    """
    lines = text.removesuffix("\n").split("\n")
    filled = [line for line in lines if line.strip()]
    firsts = [first for first, tab, _ in (line.partition("\t") for line in filled) if tab and first.strip()]
    if len(filled) >= MANY_LINES and len(firsts) >= TABLE * len(filled):
        return "labelled" if USES * len(set(firsts)) <= len(firsts) else "pairs"
    is_list = len(lines) >= MANY_LINES and len(filled) == len(lines) and all(len(line) <= SHORT_LINE for line in lines)
    return "documents" if is_list else "stream"


def read_text(path: Path) -> str:
    """A file's text: UTF-8 with or without a byte order mark; every kind of line end becomes a newline.

    Raises:
        UserError: if it is not UTF-8 (with the position of the first wrong byte), or cannot be read.
    """
    return decode_text(_read_bytes(path), path)


def decode_text(data: bytes, path: Path) -> str:
    """`read_text` for bytes already read from `path`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x} ({error.reason}); save it as UTF-8"
        ) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _table(text: str, source: str, first: str, second: str, *, columns: int) -> Iterator[tuple[str, str]]:
    """The first two of so many columns of each line that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        sides = [side.strip() for side in line.split("\t", columns - 1)]
        shown = repr(line if len(line) <= SHORT_LINE else line[: SHORT_LINE - 1] + "…")
        if len(sides) < 2:
            raise UserError(f"line {number} of {source} has no TAB between {first} and {second}: {shown}")
        for side, what in zip(sides, (first, second), strict=False):
            if not side:
                raise UserError(f"line {number} of {source} has an empty {what}: {shown}")
        yield sides[0], sides[1]


def _read_folder(folder: Path) -> str:
    """All text files below `folder`. Hidden files are left out silently; files that are not text, cannot be read, or
    were written by gradus (a run, a climb) are left out too, and the user is told."""
    texts = []
    paths, ours, left_out = below(folder)
    for path in paths:
        try:
            with open(path, "rb") as file:
                data = file.read(BEGINNING)
                if b"\0" in data:
                    raise UserError("it holds a zero byte")  # a picture, an archive
                data += file.read()
            if b"\0" not in data:
                texts.append(decode_text(data, path))
                continue
        except (UserError, OSError):
            pass
        left_out.append(path)
    note_left_out(folder, "UTF-8 text", left_out, ours)
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts if text)


def below(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """What is below a folder: the files in the order of their paths, the folders that gradus made, and those that
    cannot be read."""
    paths, ours, closed = [], [], []
    for place, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        climbed = set(names) >= CLIMB and any(_is_run(os.listdir(Path(place, sub))) for sub in folders)
        if climbed or _is_run(names) or set(names) >= PREPARED or JOURNAL in names:
            ours.append(Path(place))
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(path for path in paths if path.is_file()), sorted(ours), closed


def note_left_out(folder: Path, wanted: str, others: Sequence[Path], ours: Sequence[Path]) -> None:
    """Tell the user what below a folder is not read, as it is not what is wanted, or was made by gradus."""
    for what, which in ((f"what is no {wanted}", others), ("runs and prepared texts", ours)):
        if which:
            named = ", ".join(str(path.relative_to(folder)) for path in which[:3]) + (", ..." if len(which) > 3 else "")
            note(f"left out of {folder}: {what} ({len(which)}: {named})")


def _is_run(names: Iterable[str]) -> bool:
    """Whether a folder with these names in it is a run's."""
    return len(RUN.intersection(names)) >= 3


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
