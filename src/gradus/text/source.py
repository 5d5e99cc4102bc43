"""What a text of any size is prepared from, in pieces that can each be read by itself: a text file, a folder of them,
JSON lines, Parquet, a data set of Hugging Face's, or a corpus by name. A piece of one running text is a string, of
documents a list of strings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from gradus import files
from gradus.errors import UserError
from gradus.text.catalogue import catalogue, load_corpus, path_of
from gradus.text.user_files import below, note_left_out

Kind = Literal["text", "jsonl", "parquet", "dataset", "corpus"]
FILES = {"text": "UTF-8 text", "jsonl": "JSON lines", "parquet": "Parquet"}  # what is in files of a kind
ENDINGS: dict[str, Kind] = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
COMPRESSED = (".gz", ".zst", ".xz", ".bz2", ".zip")
DATASET = {"state.json", "dataset_info.json"}  # in a folder of `datasets`, as is dataset_dict.json in one of several
HUB = "hf:"  # begins the name of a data set on the Hugging Face hub
ROWS = 1000  # of a data set, in a piece of it


@dataclass(frozen=True)
class Piece:
    """A part of a file: bytes of text or of JSON lines, row groups of Parquet; rows of a data set, or characters or
    documents of a corpus, for which `path` is its name. `last` ends its file."""

    path: str
    start: int
    end: int
    last: bool


@dataclass(frozen=True)
class Source:
    """Where a text comes from. It is small: every process is given a copy.

    Attributes:
        place: the file, folder or name.
        field: the column of JSON lines, Parquet and data sets that holds the text.
        documents: whether it is documents or one running text.
        folder: whether it is a folder of text files, each of which ends with a newline, as `load_corpus` reads it.
    """

    kind: Kind
    place: str
    field: str = "text"
    documents: bool = False
    folder: bool = False

    @property
    def told(self) -> str:
        """Where it comes from, in a few words."""
        if self.kind in ("corpus", "dataset"):
            return f"the {'corpus' if self.kind == 'corpus' else 'data set'} {self.place}"
        return f"{'the text' if self.kind == 'text' else FILES[self.kind]} in {self.place}"

    def pieces(self, size: int) -> list[Piece]:
        """All of it in order, cut into pieces of about so many bytes."""
        return list(_PIECES[self.kind](self, size))

    def read(self, piece: Piece) -> str | list[str]:
        """A piece: a string, or for documents a list of strings; every kind of line end becomes a newline.

        Raises:
            UserError: if it cannot be read, is not UTF-8 (with the place of the first wrong byte), or is no JSON; if a
                row has no text in it.
        """
        try:
            return _READERS[self.kind](self, piece)
        except OSError as error:
            raise UserError(f"cannot read {piece.path}: {error.strerror or error}") from error

    def note_left_out(self, unread: Iterable[str]) -> None:
        """Tell the user what of a folder is not read: besides the files that turned out to be `unread`able, those of
        another kind, folders that cannot be opened, and those that gradus made."""
        if self.kind in FILES and os.path.isdir(self.place):
            paths, ours, closed = below(Path(self.place))
            others = [] if self.kind == "text" else [path for path in paths if not _is_of(self.kind, path)]
            note_left_out(Path(self.place), FILES[self.kind], sorted([*map(Path, unread), *closed, *others]), ours)

    def identity(self) -> str:
        """A sum of the names, sizes and times of the files: it changes when the text does."""
        if self.kind == "corpus":
            return files.sha256("\n".join(_corpus(self.place).lines()).encode("utf-8", "surrogatepass"))
        if self.kind == "dataset":
            return files.sha256(str(_dataset(self.place)._fingerprint).encode())
        lines = []
        for path in _files(self):
            status = os.stat(path)
            name = os.path.relpath(path, self.place)
            lines.append(f"{name} {status.st_size} {status.st_mtime_ns}")
        return files.sha256("\n".join(lines).encode("utf-8", "surrogateescape"))


def open_source(place: str, *, field: str = "text") -> Source:
    """Find out what a source is.

    Args:
        place: a file, a folder (of Parquet or JSON lines, if there are any in it, else of text), a data set that
            `datasets` has saved or, after "hf:", one on the hub, or a corpus by name, as in `load_corpus`.
        field: the column that holds the text, where there are columns.

    Raises:
        UserError: if there is nothing there, or no text.
    """
    if place in {entry.name for entry in catalogue()}:
        corpus = _corpus(place)
        if corpus.kind not in ("stream", "documents"):
            raise UserError(f"{place} is of kind {corpus.kind!r}; only running text and documents can be prepared")
        return Source("corpus", place, documents=corpus.kind == "documents")
    if place.startswith(HUB):
        return _with_column(Source("dataset", place, field, documents=True))
    path = path_of(place).resolve()
    if not path.exists():
        load_corpus(place)  # says what is there in its place
    if path.is_dir():
        names = set(os.listdir(path))
        if names >= DATASET or "dataset_dict.json" in names:
            return _with_column(Source("dataset", str(path), field, documents=True))
        endings = {file.suffix.lower() for file in below(path)[0]}
        kind: Kind = next((kind for ending, kind in ENDINGS.items() if ending in endings), "text")
    elif not path.is_file():
        raise UserError(f"{place} can be read only once; save it as a file first")
    else:
        if path.suffix.lower() in COMPRESSED:
            raise UserError(f"{place} is compressed, and cannot be read from the middle; unpack it first")
        kind = ENDINGS.get(path.suffix.lower(), "text")
    source = Source(kind, str(path), field, documents=kind != "text", folder=path.is_dir() and kind == "text")
    if not _files(source):
        raise UserError(f"{place} is empty: there is no text in it")
    return source


def _files(source: Source) -> list[str]:
    path = Path(source.place)
    paths = [path] if path.is_file() else below(path)[0]
    if path.is_dir() and source.kind != "text":
        paths = [path for path in paths if _is_of(source.kind, path)]
    return [str(path) for path in paths if path.stat().st_size]


def _is_of(kind: Kind, path: Path) -> bool:
    return ENDINGS.get(path.suffix.lower()) == kind


# Pieces, and how each kind is read


def _byte_pieces(source: Source, size: int) -> Iterator[Piece]:
    for path in _files(source):
        length = os.path.getsize(path)
        for start in range(0, length, size):
            yield Piece(path, start, min(start + size, length), start + size >= length)


def _read_text(source: Source, piece: Piece) -> str:
    with open(piece.path, "rb") as file:
        start, end = (_character(file, place) for place in (piece.start, piece.end))
        file.seek(start)
        data = file.read(end - start)
    if source.folder and b"\0" in data:
        raise UserError(f"{piece.path} holds a zero byte")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = start + error.start
        raise UserError(
            f"{piece.path} is not UTF-8: byte {place} is 0x{data[error.start]:02x} ({error.reason}); save it as UTF-8"
        ) from error
    text = (text.removeprefix("\ufeff") if start == 0 else text).replace("\r\n", "\n").replace("\r", "\n")
    return text + "\n" if source.folder and piece.last and text and not text.endswith("\n") else text


def _character(file: Any, place: int) -> int:
    """The first place from here on where a character begins; both bytes of CR LF are one."""
    if place == 0:
        return 0
    file.seek(place - 1)
    before, *data = file.read(5)
    if before == 0x0D and data[:1] == [0x0A]:
        return place + 1
    if len(data) < 4:
        data.append(0)  # the file ends here
    return place + next((i for i, byte in enumerate(data) if byte & 0xC0 != 0x80), 0)


def _read_lines(source: Source, piece: Piece) -> list[str]:
    """The documents of the lines that begin in a piece."""
    texts = []
    with open(piece.path, "rb") as file:
        if piece.start:
            file.seek(piece.start - 1)
            file.readline()  # the piece before has it; nothing, if a line begins here
        while (place := file.tell()) < piece.end and (line := file.readline()):
            if not line.strip():
                continue
            where = f"the line at byte {place} of {piece.path}"
            try:
                row = files.from_json(line)
            except ValueError as error:
                raise UserError(f"{where} is no JSON: {error}") from error
            texts.append(_text_of(row, source.field, where))
    return _documents(texts)


def _group_pieces(source: Source, size: int) -> Iterator[Piece]:  # noqa: ARG001
    for path in _files(source):
        with _parquet(path) as file:
            names, groups = file.schema_arrow.names, file.num_row_groups
        if source.field not in names:
            raise UserError(f"{path} has no column {source.field!r}; it has {', '.join(names)}; see --field")
        yield from (Piece(path, group, group + 1, group + 1 == groups) for group in range(groups))


def _read_group(source: Source, piece: Piece) -> list[str]:
    with _parquet(piece.path) as file:
        texts = file.read_row_group(piece.start, columns=[source.field]).column(0).to_pylist()
    where = f"row group {piece.start} of {piece.path}"
    return _documents([_text_of({source.field: text}, source.field, where) for text in texts if text])


def _row_pieces(source: Source, size: int) -> Iterator[Piece]:  # noqa: ARG001
    number = len(_dataset(source.place))
    for start in range(0, number, ROWS):
        yield Piece(source.place, start, min(start + ROWS, number), start + ROWS >= number)


def _read_rows(source: Source, piece: Piece) -> list[str]:
    texts = _dataset(source.place)[piece.start : piece.end][source.field]
    where = f"a row from {piece.start} on of {piece.path}"
    return _documents([_text_of({source.field: text}, source.field, where) for text in texts if text])


def _corpus_pieces(source: Source, size: int) -> Iterator[Piece]:
    corpus = _corpus(source.place)
    length = len(corpus.documents) if source.documents else len(corpus.text)
    for start in range(0, length, size):
        yield Piece(source.place, start, min(start + size, length), start + size >= length)


def _read_corpus(source: Source, piece: Piece) -> str | list[str]:
    corpus = _corpus(source.place)
    return list(corpus.documents[piece.start : piece.end]) if source.documents else corpus.text[piece.start : piece.end]


_PIECES: dict[Kind, Callable[[Source, int], Iterator[Piece]]] = {
    "text": _byte_pieces,
    "jsonl": _byte_pieces,
    "parquet": _group_pieces,
    "dataset": _row_pieces,
    "corpus": _corpus_pieces,
}
_READERS: dict[Kind, Callable[[Source, Piece], str | list[str]]] = {
    "text": _read_text,
    "jsonl": _read_lines,
    "parquet": _read_group,
    "dataset": _read_rows,
    "corpus": _read_corpus,
}


def _text_of(row: object, field: str, where: str) -> str:
    if not isinstance(row, dict) or field not in row:
        has = ", ".join(row) if isinstance(row, dict) else "none"
        raise UserError(f"{where} has no field {field!r}; it has {has}; --field names the one with the text")
    text = row[field]
    if text is None:
        return ""
    if not isinstance(text, str):
        raise UserError(f"{where} has no text in {field!r}, but {text!r:.40}")
    return text


def _documents(texts: list[str]) -> list[str]:
    return [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts if text]


def _with_column(source: Source) -> Source:
    columns = _dataset(source.place).column_names
    if source.field not in columns:
        raise UserError(f"{source.place} has no column {source.field!r}; it has {', '.join(columns)}; see --field")
    return source


@lru_cache(maxsize=1)
def _corpus(name: str) -> Any:
    return load_corpus(name)


@contextmanager
def _parquet(path: str) -> Iterator[Any]:
    """An open file. Within the block, what is wrong with it is a UserError."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UserError("Parquet needs pyarrow; install it by pip install gradus-lm[parquet]") from error
    try:
        with ParquetFile(path) as file:
            yield file
    except ArrowException as error:
        raise UserError(f"{path} is no whole Parquet file: {error}") from error


@lru_cache(maxsize=1)
def _dataset(place: str) -> Any:
    """The rows of a data set: those to train on, where it has several parts."""
    try:
        import datasets
    except ImportError as error:
        raise UserError("data sets need datasets; install it by pip install gradus-lm[datasets]") from error
    try:
        if place.startswith(HUB):
            return datasets.load_dataset(place.removeprefix(HUB), split="train")
        found = datasets.load_from_disk(place)
    except Exception as error:  # it raises many kinds, for a name that is not there as for no network
        raise UserError(f"the data set {place} cannot be loaded: {' '.join(str(error).split())[:200]}") from error
    return found["train"] if isinstance(found, datasets.DatasetDict) else found
