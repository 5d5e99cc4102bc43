"""Preparing a text of any size: it is read once to count and cut it, and once more to write its tokens into shards, a
few pieces at a time, in several processes. A journal says which shards are whole, so that who is stopped goes on and
ends with the same bytes. `gradus.text.prepared` opens what is written here."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gradus import files
from gradus.errors import UserError
from gradus.text.bpe import END_OF_TEXT, BPETokenizer
from gradus.text.characters import CharTokenizer
from gradus.text.corpus import SEPARATOR, Corpus, Split
from gradus.text.load import OWN, load_tokenizer, tokenizer_from_json
from gradus.text.prepared import (
    MANIFEST,
    PARTS,
    Manifest,
    Part,
    Shard,
    is_prepared,
    open_prepared,
    read_manifest,
    shard_name,
)
from gradus.text.processes import Processes
from gradus.text.shards import HEADER, Stored
from gradus.text.source import Piece, Source, open_source
from gradus.text.tokenizer import Tokenizer
from gradus.text.user_files import JOURNAL
from gradus.text.words import WordTokenizer

MADE = "chars", "bpe", "words"  # tokenizers that are made for the text
VOCAB_SIZE = 8192  # of bpe
SHARD_TOKENS = 1 << 24  # a shard of 32 MB, or 64: in memory while it is written, and lost when it is interrupted
HELD_OUT = 1_000_000  # characters of dev, and of test, at most: as many as WikiText-103 has, and scored in minutes
PIECE = 1 << 22  # bytes that a process works on at a time
LEARNED_FROM = 1 << 25  # bytes of text that a tokenizer learns from at most, spread over all of it
SEARCHED = 1 << 16  # characters in which a place is looked for where text can be cut

# Where every splitting pattern ends a piece, so that both sides have the tokens they would have together: after the end
# of a line, or where there is none before a space, between visible characters.
_LINE_END = re.compile(r"(?<=[\w.,;:!?)\]}\"'])\n(?=\w)")
_SPACE = re.compile(r"(?<=\w)(?= \w)")

Stage = Literal["reading", "learning", "tokenizing"]


@dataclass(frozen=True)
class Slice:
    """Characters `first` to `end` of a piece, or the documents that begin there; so many in all, and bytes."""

    piece: Piece
    first: int
    end: int
    characters: int
    bytes: int


Item = tuple[Slice, ...]  # what a process tokenizes at a time


def prepare(
    source: str,
    folder: str | Path,
    *,
    tokenizer: str = "bpe",
    vocab_size: int | None = None,
    field: str = "text",
    shard_tokens: int = SHARD_TOKENS,
    held_out: int = HELD_OUT,
    workers: int = 1,
    progress: Callable[[Stage, float, int], object] = lambda stage, done, tokens: None,  # noqa: ARG005
    piece_bytes: int = PIECE,
) -> Manifest:
    """Tokenize a text into the shards of a folder; go on with one that was begun, to the same bytes.

    The text is cut as `Corpus.splits` cuts a stream, but dev and test have at most `held_out` characters. Documents
    are joined by the tokenizer's separator, and cut between two of them.

    Args:
        source: as in `open_source`.
        tokenizer: chars, bpe or words, which are made for this text (the latter two from a sample of the part to train
            on); or a file, folder or run, or gpt2, as in `load_tokenizer`.
        vocab_size: of bpe (8192 by default) and words (all).
        field: the column with the text.
        shard_tokens: ids in a shard.
        workers: processes.
        progress: called with what is being done, the part of it that is done, and how many tokens are written.
        piece_bytes: what is read at a time.

    Raises:
        UserError: if the source cannot be read or is too short, the folder holds something else, another process is
            at work in it, or the disk refuses; what is written by then is kept.
    """
    folder = Path(folder)
    made_with = {"tokenizer": tokenizer, "vocab_size": vocab_size, "field": field, "shard_tokens": shard_tokens}
    made_with |= {"held_out": held_out, "piece_bytes": piece_bytes}
    if tokenizer not in MADE:
        made_with["tokenizer"] = files.sha256(load_tokenizer(tokenizer).to_json().encode())
    if vocab_size is not None and tokenizer not in ("bpe", "words"):
        raise UserError(f"vocab_size is no setting of the tokenizer {tokenizer}")
    opened = open_source(source, field=field)
    made_with["source"] = opened.identity()
    if is_prepared(folder):
        manifest = read_manifest(folder)
        _require_same(folder, manifest.made_with, made_with, tokenizer)
        open_prepared(folder)  # which says if a shard is missing since
        with files.saving(folder):
            (folder / JOURNAL).unlink(missing_ok=True)
        return manifest
    with files.saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with files.locked(folder), Processes(workers) as processes:
        job = Job(opened, folder, processes, progress)
        if (folder / JOURNAL).exists():
            job.read_journal()
            _require_same(folder, job.made_with, made_with, tokenizer)
        else:
            try:
                job.begin(made_with, tokenizer, vocab_size)
            except UserError:
                with suppress(OSError):
                    folder.rmdir()  # where nothing was written
                raise
        return job.write()


class Job:
    """A text on its way into a folder.

    Attributes:
        slices: of each part, all of it in order.
        shards: of each part, those that are whole, and with each where the next one begins: an item, and a token of it.
    """

    def __init__(
        self,
        source: Source,
        folder: Path,
        processes: Processes,
        progress: Callable[[Stage, float, int], object],
    ) -> None:
        self.source, self.folder, self.processes, self.progress = source, folder, processes, progress
        self.made_with: dict[str, Any] = {}
        self.tokenizer_json, self.symbols = b"", 0
        self.slices: dict[Split, list[Slice]] = {}
        self.shards: dict[Split, list[tuple[Shard, int, int]]] = {part: [] for part in PARTS}

    # The journal: first all that was found by reading, then a line for each shard that is whole

    def begin(self, made_with: dict[str, Any], tokenizer: str, vocab_size: int | None) -> None:
        """Read all of the text once, cut it, and make or load the tokenizer."""
        with files.saving(self.folder):
            if any(not path.name.startswith(".") for path in self.folder.iterdir()):
                raise UserError(f"{self.folder} is not empty; choose another folder as out")
        self.made_with = made_with
        alphabet, counted = self._read()
        self.symbols = len(alphabet)
        self.slices = _cut(self.source, counted, made_with["held_out"])
        self.progress("learning", 0, 0)
        if tokenizer == "chars":
            found: Tokenizer = CharTokenizer(_alphabet(alphabet, documents=self.source.documents))
        elif tokenizer == "bpe":
            special = [END_OF_TEXT] if self.source.documents else []
            found = BPETokenizer.train(self._sample(), vocab_size or VOCAB_SIZE, special=special)
        elif tokenizer == "words":
            sample = Corpus("the sample", "stream", "", text="\n".join(self._sample()))
            found = WordTokenizer.train(sample, vocab_size)
        else:
            found = load_tokenizer(tokenizer)
        self.progress("learning", 1, 0)
        self.tokenizer_json = found.to_json().encode()
        head = {
            "made_with": made_with,
            "symbols": self.symbols,
            "tokenizer": self.tokenizer_json.decode(),
            "slices": {part: [_packed(slice_) for slice_ in slices] for part, slices in self.slices.items()},
        }
        with files.saving(self.folder):
            files.write(self.folder / JOURNAL, files.to_json(head).encode() + b"\n")

    def read_journal(self) -> None:
        """Find how far an earlier process came. A line that it did not finish is taken away, with its shard."""
        path = self.folder / JOURNAL
        try:
            head, *lines = path.read_bytes().splitlines(keepends=True)
            fields = files.from_json(head)
            self.made_with, self.symbols = fields["made_with"], fields["symbols"]
            self.tokenizer_json = fields["tokenizer"].encode()
            self.slices = {part: [_unpacked(s) for s in fields["slices"][part]] for part in PARTS}
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} is damaged: {error!r}; remove {self.folder}, and prepare it again") from error
        whole = [head]
        for line in lines:
            try:
                part, shard, item, token = files.from_json(line)
                found = Shard(**shard)
                size = HEADER + found.tokens * self.dtype.itemsize
                if not line.endswith(b"\n") or (self.folder / found.file).stat().st_size != size:
                    break
            except (ValueError, TypeError, OSError):
                break
            self.shards[part].append((found, item, token))
            whole.append(line)
        if len(whole) <= len(lines):
            with files.saving(self.folder):
                files.write(path, b"".join(whole))

    # Reading

    def _read(self) -> tuple[set[str], list[tuple[Piece, int, int]]]:
        """The alphabet, and every piece with its characters and bytes. Of a folder, files that are no text are left
        out as a whole, and the user is told."""
        pieces = self.source.pieces(self.made_with["piece_bytes"])
        looks = self.processes.in_order(partial(_look, self.source), ((piece,) for piece in pieces))
        alphabet: set[str] = set()
        of_file: set[str] = set()  # which counts only when all of the file turns out to be text
        left_out: set[str] = set()
        found = []
        for i, (piece, (characters, size, symbols)) in enumerate(zip(pieces, looks, strict=True)):
            if symbols is None:
                left_out.add(piece.path)
            else:
                of_file.update(symbols)
                found.append((piece, characters, size))
            if piece.last:
                alphabet |= set() if piece.path in left_out else of_file
                of_file = set()
            self.progress("reading", (i + 1) / len(pieces), 0)
        self.source.note_left_out(left_out)
        return alphabet, [(p, n, size) for p, n, size in found if p.path not in left_out and n]

    def _sample(self) -> Iterator[str]:
        """Text of the part to train on, all of it or as much as a tokenizer learns from."""
        items = self._items("train")
        size = sum(slice_.bytes for item in items for slice_ in item)
        number = max(1, min(len(items), len(items) * LEARNED_FROM // max(size, 1)))
        for i in range(number):
            place = i * len(items) // number
            text = _text(self.source, items[place], items[place + 1 : place + 2], first=place == 0)
            yield from [text] if isinstance(text, str) else text

    def _items(self, part: Split) -> list[Item]:
        """The slices of a part, so many together that a process has something to do."""
        items: list[list[Slice]] = []
        size = 0
        for slice_ in self.slices[part]:
            if not items or size >= self.made_with["piece_bytes"]:
                items.append([])
                size = 0
            items[-1].append(slice_)
            size += slice_.bytes
        return [tuple(item) for item in items]

    # Writing

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint16 if self.tokenizer.vocab_size <= 1 << 16 else np.uint32)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return tokenizer_from_json(self.tokenizer_json, self.folder / JOURNAL)

    def write(self) -> Manifest:
        """Write the shards that are missing, and the manifest, which makes the folder a prepared text."""
        with files.saving(self.folder, self._kept):
            for path in self.folder.glob(".*.????????"):  # what was being written when a process was killed
                path.unlink()
            files.write(self.folder / OWN, self.tokenizer_json)
            for part in PARTS:
                self._write_part(part)
            manifest = self._manifest()
            files.write(self.folder / MANIFEST, manifest.to_json().encode())
            (self.folder / JOURNAL).unlink()
        return manifest

    def _write_part(self, part: Split) -> None:
        items, size = self._items(part), int(self.made_with["shard_tokens"])
        first, skipped = self.shards[part][-1][1:] if self.shards[part] else (0, 0)
        tasks = ((items[i], items[i + 1 : i + 2], i == 0) for i in range(first, len(items)))
        encode = partial(
            _encode, self.source, str(self.folder / OWN), files.sha256(self.tokenizer_json), self.dtype.name
        )
        buffer, filled = np.empty(size, self.dtype), 0
        for i, ids in enumerate(self.processes.in_order(encode, tasks), start=first):
            at = skipped if i == first else 0
            while at < len(ids):
                taken = ids[at : at + size - filled]
                buffer[filled : filled + len(taken)] = taken
                filled, at = filled + len(taken), at + len(taken)
                if filled == size:
                    self._save(part, buffer, i, at)
                    filled = 0
            self._show(part, items, i + 1, filled)
        if filled:
            self._save(part, buffer[:filled], len(items), 0)

    def _save(self, part: Split, ids: Stored, item: int, token: int) -> None:
        """Write a shard and, when it is safely there, its line in the journal."""
        name = shard_name(part, len(self.shards[part]), files.sha256(self.tokenizer_json))
        sum_ = hashlib.sha256()
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(ids))
        with files.replacing(self.folder / name) as file:
            for data in (header.getvalue(), ids.data):
                file.write(data)
                sum_.update(data)
        shard = Shard(name, len(ids), sum_.hexdigest())
        line = files.to_json([part, asdict(shard), item, token]).encode() + b"\n"
        with open(self.folder / JOURNAL, "ab") as journal:
            journal.write(line)
        self.shards[part].append((shard, item, token))

    def _show(self, part: Split, items: list[Item], done: int, unsaved: int) -> None:
        """Tell how much of all text is tokenized, and how many tokens there are of it."""
        total = sum(s.bytes for slices in self.slices.values() for s in slices)
        before = sum(s.bytes for earlier in PARTS[: PARTS.index(part)] for s in self.slices[earlier])
        read = before + sum(s.bytes for item in items[:done] for s in item)
        tokens = sum(shard.tokens for shards in self.shards.values() for shard, _, _ in shards) + unsaved
        self.progress("tokenizing", read / total, tokens)

    def _manifest(self) -> Manifest:
        parts: dict[Split, Part] = {}
        for part in PARTS:
            shards = tuple(shard for shard, _, _ in self.shards[part])
            start = int(self.source.documents)  # the separator before the first document
            parts[part] = Part(
                sum(shard.tokens for shard in shards),
                start + sum(slice_.characters for slice_ in self.slices[part]),
                start + sum(slice_.bytes for slice_ in self.slices[part]),
                shards,
            )
        dtype: Literal["uint16", "uint32"] = "uint16" if self.dtype == np.uint16 else "uint32"
        return Manifest(
            source=self.source.told,
            documents=self.source.documents,
            symbols=self.symbols,
            tokenizer=files.sha256(self.tokenizer_json),
            vocab_size=self.tokenizer.vocab_size,
            dtype=dtype,
            shard_tokens=self.made_with["shard_tokens"],
            parts=parts,
            made_with=self.made_with,
        )

    def _kept(self) -> str:
        number = sum(map(len, self.shards.values()))
        return f"; {number} {'shard is' if number == 1 else 'shards are'} there, and the same command goes on from them"


# What a process does with a piece


def _look(source: Source, piece: Piece) -> tuple[int, int, str | None]:
    """The characters and bytes of a piece, and its alphabet: None if its file is no text, and one among others."""
    try:
        content = source.read(piece)
    except UserError:
        if source.folder:
            return 0, 0, None
        raise
    texts = [content] if isinstance(content, str) else [text + SEPARATOR for text in content]
    return *_size(texts), "".join(set().union(*texts))


def _encode(
    source: Source, tokenizer_path: str, tokenizer_sum: str, dtype: str, item: Item, following: list[Item], first: bool
) -> npt.NDArray[Any]:
    """The ids of an item. Running text is cut where it can be, so the beginning of the item that follows is looked
    for, too; documents have a separator behind each of them, and one before the first."""
    tokenizer, text = _tokenizer(tokenizer_path, tokenizer_sum), _text(source, item, following, first=first)
    if isinstance(text, str):
        return tokenizer.encode(text).astype(dtype)
    return tokenizer.encode_documents(text)[0 if first else 1 :].astype(dtype)


def _text(source: Source, item: Item, following: list[Item], *, first: bool) -> str | list[str]:
    """What is tokenized as an item: of running text from where it can be cut in this item to where it can in the
    next."""
    if source.documents:
        return [text for slice_ in item for text in _content(source, slice_)]
    text = "".join(str(_content(source, slice_)) for slice_ in item)
    text = text if first else text[_place_to_cut(text) :]
    for next_item in following:
        after = "".join(str(_content(source, slice_)) for slice_ in next_item)
        text += after[: _place_to_cut(after)]
    return text


def _place_to_cut(text: str) -> int:
    beginning = text[:SEARCHED]
    found = _LINE_END.search(beginning) or _SPACE.search(beginning)
    return found.end() if found else 0


def _content(source: Source, slice_: Slice) -> str | list[str]:
    content = source.read(slice_.piece)
    if isinstance(content, str):
        return content[slice_.first : slice_.end]
    starts = np.cumsum([0, *(len(text) + 1 for text in content)])[:-1]
    first, end = np.searchsorted(starts, [slice_.first, slice_.end])
    return content[first:end]


def _cut(source: Source, counted: list[tuple[Piece, int, int]], held_out: int) -> dict[Split, list[Slice]]:
    """The slices of each part: test is the end, dev lies before the middle, the rest is to train on."""
    total = sum(characters for _, characters, _ in counted)
    middle, dev, test = int(0.5 * total), int(0.5 * total) - int(0.45 * total), total - int(0.9 * total)
    a, c = middle - min(dev, held_out), total - min(test, held_out)
    ranges: list[tuple[Split, int, int]] = [
        ("train", 0, a), ("dev", a, middle), ("train", middle, c), ("test", c, total),
    ]  # fmt: skip
    slices: dict[Split, list[Slice]] = {part: [] for part in PARTS}
    place = 0
    for piece, characters, size in counted:
        for part, start, end in ranges:
            first, last = max(start - place, 0), min(end - place, characters)
            if (first, last) == (0, characters):
                slices[part].append(Slice(piece, first, last, characters, size))
            elif first < last:
                content = _content(source, Slice(piece, first, last, 0, 0))
                texts = [content] if isinstance(content, str) else [text + SEPARATOR for text in content]
                if texts:
                    slices[part].append(Slice(piece, first, last, *_size(texts)))
        place += characters
    for part in PARTS:
        if not slices[part]:
            raise UserError(
                f"{source.place} has only {total:,} characters, too few to cut a {part} part; give a longer text"
            )
    return slices


def _size(texts: list[str]) -> tuple[int, int]:
    """Characters and bytes."""
    return sum(map(len, texts)), sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _alphabet(symbols: set[str], *, documents: bool) -> list[str]:
    return [SEPARATOR, *sorted(symbols - {SEPARATOR})] if documents else sorted(symbols)


@lru_cache(maxsize=1)
def _tokenizer(path: str, sum_: str) -> Tokenizer:  # noqa: ARG001 (another sum is another tokenizer)
    return load_tokenizer(path)


def _packed(slice_: Slice) -> list[object]:
    piece = slice_.piece
    return [piece.path, piece.start, piece.end, piece.last, slice_.first, slice_.end, slice_.characters, slice_.bytes]


def _unpacked(fields: list[Any]) -> Slice:
    return Slice(Piece(*fields[:4]), *fields[4:])


def _require_same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], tokenizer: str) -> None:
    """Raise UserError unless a folder was begun with what is asked for now."""
    different = [name for name in now if before.get(name) != now[name]]
    if "source" in different:
        raise UserError(f"{folder} holds another text, or its source has changed since; choose another folder as out")
    if "tokenizer" in different:
        raise UserError(
            f"{folder} holds shards of another tokenizer than {tokenizer}; choose another folder as out: one holds "
            "those of one tokenizer"
        )
    if different:
        name = different[0]
        raise UserError(f"{folder} was begun with {name} {before.get(name)}, not {now[name]}; choose another folder")
