"""A prepared text: a folder of shards, the tokenizer that made them, and a manifest that says what they are. Here it is
opened as a corpus, and its sums are checked; `gradus.text.preparing` makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from gradus import files
from gradus.errors import UserError
from gradus.text.corpus import Corpus, Split, Splits
from gradus.text.load import OWN, tokenizer_from_json
from gradus.text.shards import HEADER, Shards
from gradus.text.tokenizer import Tokenizer

MANIFEST, FORMAT = "manifest.json", "gradus shards"
BEGINNING = 100  # bytes of a manifest that have its format in them
PARTS: tuple[Split, ...] = ("train", "dev", "test")


@dataclass(frozen=True)
class Shard:
    """A file of a prepared text."""

    file: str
    tokens: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A part of a prepared text: what its tokens stand for, ends of documents among it, and where they are."""

    tokens: int
    characters: int
    bytes: int  # UTF-8
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Manifest:
    """What is in the folder of a prepared text.

    Attributes:
        source: one line that says where the text comes from.
        documents: whether it is documents with a separator before, between and after them, or one running text.
        symbols: how many different characters it has.
        tokenizer: the SHA-256 of tokenizer.json.
        dtype: of the ids in the shards.
        shard_tokens: ids in each shard but the last of a part.
        made_with: what `prepare` was asked for, and a sum that changes when the source does.
    """

    source: str
    documents: bool
    symbols: int
    tokenizer: str
    vocab_size: int
    dtype: Literal["uint16", "uint32"]
    shard_tokens: int
    parts: Mapping[Split, Part]
    made_with: Mapping[str, Any]

    def to_json(self) -> str:
        """All of it, with its own sum."""
        fields = asdict(self)
        return files.to_json({"format": FORMAT, **fields, "seal": files.seal(fields)}, indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """One sum of the tokenizer and all shards."""
        return files.sha256("".join((self.tokenizer, *(shard.sha256 for shard in _shards(self)))).encode())

    @property
    def item_size(self) -> int:
        """Bytes of an id."""
        return 2 if self.dtype == "uint16" else 4


@dataclass(frozen=True, repr=False, kw_only=True)
class PreparedText(Corpus):
    """A stream whose ids are in shards. `text` is empty but for dev and test, which are small.

    Attributes:
        folder: where it is.
        tokenizer: what made the ids, and the only one that they mean something to.
        limit: only so many tokens of the part.
    """

    folder: Path
    manifest: Manifest
    tokenizer: Tokenizer
    limit: int | None = None

    def __repr__(self) -> str:
        part = "" if self.part == "whole" else f", {self.part}"
        tokens = sum(self.manifest.parts[name].tokens for name in self._parts)
        return f"PreparedText({self.name!r}{part}: {self.characters:,} characters in {tokens:,} tokens)"

    @property
    def characters(self) -> int:
        return len(self.text) if self.limit is not None else sum(self.manifest.parts[p].characters for p in self._parts)

    @property
    def texts(self) -> Iterable[str]:
        return (self.text or self.refuse(),)

    def lines(self) -> Iterator[str]:
        return iter(self.texts)

    def joined(self) -> str:
        return self.text or self.refuse()

    @property
    def ids(self) -> Shards:
        """The ids of a part."""
        part = self._told
        tokens = part.tokens if self.limit is None else self.limit
        paths = [self.folder / shard.file for shard in part.shards]
        return Shards(paths, tokens, self.manifest.shard_tokens, self.manifest.vocab_size)

    @property
    def scored(self) -> tuple[int, int]:
        """The characters and bytes that all tokens of the part but the first stand for."""
        # The first token of documents is a separator, and counts as a newline.
        first = "\n" if self.manifest.documents else self.tokenizer.decode(self.ids[:1])
        characters, size = self._told.characters, self._told.bytes
        if self.limit is not None:
            characters, size = len(self.text), len(self.text.encode("utf-8", "surrogatepass"))
        return characters - len(first), size - len(first.encode())

    def require(self, tokenizer: Tokenizer) -> None:
        """Raise UserError unless this is the tokenizer that the text was prepared with."""
        if tokenizer is not self.tokenizer and files.sha256(tokenizer.to_json().encode()) != self.manifest.tokenizer:
            raise UserError(
                f"{self.folder} was prepared with another tokenizer, {self.tokenizer!r}, than {tokenizer!r}; prepare "
                "the text with this one: gradus data prepare --tokenizer takes a run, too"
            )

    def beginning(self, characters: int) -> PreparedText:
        """As many first tokens as stand for about so many characters, and their text."""
        part = self._told
        tokens = max(2, part.tokens * characters // part.characters)
        if tokens >= part.tokens:
            return self
        text = self.tokenizer.decode(self.ids[:tokens])
        return replace(self, limit=tokens, text=text)

    def splits(self) -> Splits:
        """Train, dev and test as they were cut when the text was prepared."""
        train = replace(self, part="train")
        dev, test = (replace(self, part=part) for part in ("dev", "test"))
        return Splits(train, *(replace(part, text=self.tokenizer.decode(part.ids[:])) for part in (dev, test)))

    def refuse(self) -> NoReturn:
        """Raise UserError for what needs the text itself."""
        raise UserError(f"{self.folder} is a prepared text, of which the tokens alone are kept; give the text itself")

    @property
    def _told(self) -> Part:
        """What the manifest says of the part. The whole has no tokens of its own: between its parts they are cut."""
        return self.refuse() if self.part == "whole" else self.manifest.parts[self.part]

    @property
    def _parts(self) -> tuple[Split, ...]:
        return PARTS if self.part == "whole" else (self.part,)


def is_prepared(folder: Path) -> bool:
    """Whether there is a prepared text in a folder, be it a damaged one."""
    try:
        with open(folder / MANIFEST, "rb") as file:
            return _is_manifest(file.read(BEGINNING))
    except OSError:
        return False


def open_prepared(folder: str | Path, *, name: str = "") -> PreparedText:
    """A prepared text as a corpus. Looks at the size of every shard; `verify` reads them.

    Raises:
        UserError: if the manifest, the tokenizer or a shard is missing, damaged or foreign; it is named.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    tokenizer = folder / OWN
    try:
        data = tokenizer.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the tokenizer {tokenizer}: {error.strerror}") from error
    if files.sha256(data) != manifest.tokenizer:
        raise UserError(f"{tokenizer} is not the tokenizer that the shards in {folder} were made with; put that back")
    _complain(folder, {shard.file: _size_fault(folder / shard.file, shard, manifest) for shard in _shards(manifest)})
    foreign = foreign_shards(folder, manifest.tokenizer)
    if foreign:
        raise UserError(
            f"{folder} has shards of two tokenizers: {foreign[0]} is not of the one in {OWN}; keep each in a folder "
            "of its own"
        )
    return PreparedText(
        name or folder.name,
        "stream",
        manifest.source,
        folder=folder,
        manifest=manifest,
        tokenizer=tokenizer_from_json(data, tokenizer),
    )


def verify(folder: str | Path, progress: Callable[[int, int], object] = lambda done, total: None) -> Manifest:  # noqa: ARG005
    """Compare every shard with its sum.

    Args:
        progress: called with how many bytes were read, and of how many.

    Raises:
        UserError: as `open_prepared` does, and naming the shards that are damaged.
    """
    folder = Path(folder)
    manifest = open_prepared(folder).manifest
    shards = _shards(manifest)
    total, done = sum(HEADER + shard.tokens * manifest.item_size for shard in shards), 0
    faults: dict[str, str] = {}
    for shard in shards:
        try:
            if files.sha256_of(folder / shard.file) != shard.sha256:
                faults[shard.file] = "its sum is another"
        except OSError as error:
            faults[shard.file] = f"cannot be read: {error.strerror}"
        done += HEADER + shard.tokens * manifest.item_size
        progress(done, total)
    _complain(folder, faults)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a prepared text. UserError if it is missing or damaged."""
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{folder} is no prepared text: it has no {MANIFEST}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if not _is_manifest(data):
        raise UserError(f"{folder} is no prepared text: its {MANIFEST} is of something else")
    try:
        fields = files.from_json(data)
        del fields["format"]
        if fields.pop("seal") != files.seal(fields):
            raise ValueError("its sum is another")
        parts = {
            name: Part(**{**part, "shards": tuple(Shard(**shard) for shard in part["shards"])})
            for name, part in fields["parts"].items()
        }
        return Manifest(**{**fields, "parts": parts})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"the manifest {path} is damaged: {error}; copy it again, or remove the folder and prepare the text again"
        ) from error


def shard_name(part: Split, number: int, tokenizer: str) -> str:
    """The file of a shard, which names its tokenizer by the beginning of the sum: `train-00000-6b3f12aa.npy`."""
    return f"{part}-{number:05}-{tokenizer[:8]}.npy"


def foreign_shards(folder: Path, tokenizer: str) -> list[str]:
    """The shards in a folder that another tokenizer has made."""
    shards = (path.name for path in folder.glob("*-*-????????.npy") if path.name.split("-")[0] in PARTS)
    return sorted(name for name in shards if not name.endswith(f"-{tokenizer[:8]}.npy"))


def _is_manifest(data: bytes) -> bool:
    return FORMAT.encode() in data[:BEGINNING]


def _shards(manifest: Manifest) -> list[Shard]:
    return [shard for part in PARTS for shard in manifest.parts[part].shards]


def _size_fault(path: Path, shard: Shard, manifest: Manifest) -> str:
    """What is wrong with a shard's size; nothing, if nothing is."""
    expected = HEADER + shard.tokens * manifest.item_size
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if size == expected else f"has {size:,} bytes in place of {expected:,}"


def _complain(folder: Path, faults: Mapping[str, str]) -> None:
    """Raise UserError if there are faults, naming the first shards that have one."""
    wrong = [f"{file} {fault}" for file, fault in faults.items() if fault]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise UserError(
            f"{len(wrong)} of the shards in {folder} cannot be used: {', '.join(wrong[:3])}{more}; copy them again, or "
            "remove the folder and prepare the text again"
        )
