"""The user's own text: a UTF-8 file, or a folder of them, read with care and taken as documents or as a stream."""

from __future__ import annotations

from pathlib import Path

from gradus.errors import UserError
from gradus.text.corpus import Corpus, Kind

MANY_LINES = 20  # fewer lines than this are a short text, not a list
SHORT_LINE = 64  # characters; running text is wrapped at 70 to 80, or not at all


def corpus_from_path(path: Path, *, name: str, kind: Kind | None = None) -> Corpus:
    """Read a file or folder as a corpus.

    A file is documents, one a line, if `detect_kind` says so; a folder is a stream of all its text files in the order
    of their paths. `kind` overrides both: with "documents" every line that is not blank is one.

    Raises:
        UserError: if there is no text, or it is not UTF-8, or it cannot be read.
    """
    if path.is_dir():
        text = _read_folder(path)
        source, kind = f"the text files in {path}", kind or "stream"
    else:
        text = read_text(path)
        source, kind = f"the file {path}", kind or detect_kind(text)
    return corpus_from_text(text, name=name, kind=kind, source=source)


def corpus_from_text(text: str, *, name: str, kind: Kind, source: str) -> Corpus:
    """A stream of `text`, or its lines as documents: stripped of the spaces around them, blank ones left out."""
    if not text.strip():
        raise UserError(f"{name} is empty: there is no text in {source}")
    if kind == "stream":
        return Corpus(name, "stream", source, text=text)
    return Corpus(name, "documents", source, documents=tuple(line for line in map(str.strip, text.split("\n")) if line))


def detect_kind(text: str) -> Kind:
    """Documents are at least 20 lines, none of them blank and none longer than 64 characters; all else is a stream."""
    lines = text.removesuffix("\n").split("\n")
    is_list = len(lines) >= MANY_LINES and all(line.strip() and len(line) <= SHORT_LINE for line in lines)
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


def _read_folder(folder: Path) -> str:
    """All text files below `folder`, but hidden ones; a file with a zero byte is no text (pictures, archives)."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder)))
    contents = ((path, _read_bytes(path)) for path in paths)
    texts = [decode_text(data, path) for path, data in contents if b"\0" not in data]
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts if text)


def _is_hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
