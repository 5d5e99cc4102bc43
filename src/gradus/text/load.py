"""Tokenizers by name and from files, whoever wrote them: a run, Hugging Face's `tokenizers`, or OpenAI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradus import files
from gradus.errors import UserError
from gradus.text import download
from gradus.text.bpe import BPETokenizer
from gradus.text.bpe_files import from_tokenizer_json, from_vocab_and_merges
from gradus.text.characters import CharTokenizer
from gradus.text.tokenizer import FORMAT, Tokenizer
from gradus.text.user_files import read_text
from gradus.text.wordpiece import WordPieceTokenizer
from gradus.text.words import WordTokenizer

OWN, VOCAB = "tokenizer.json", "vocab.txt"
PAIRS = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))  # Hugging Face's names, and OpenAI's

_KINDS: dict[str, type[CharTokenizer | WordTokenizer]] = {
    CharTokenizer.kind: CharTokenizer,
    WordTokenizer.kind: WordTokenizer,
}


def load_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer in a folder, such as a run's or one from Hugging Face, or in a file of it.

    Args:
        path: "gpt2" is GPT-2's, downloaded once. A folder holds tokenizer.json, or vocab.json and merges.txt, or
            encoder.json and vocab.bpe, of which either file will do; or BERT's vocab.txt.

    Raises:
        UserError: if there is none, or it is damaged, or is of a kind not known here.
    """
    if str(path) == "gpt2":
        return gpt2_tokenizer()
    path = Path(path)
    if path.is_dir():
        return _from_folder(path)
    pair = next((pair for pair in PAIRS if path.name in pair), None)
    return _from_pair(path.parent, *pair) if pair else tokenizer_from_json(_read(path), path)


def gpt2_tokenizer() -> BPETokenizer:
    """GPT-2's: from GRADUS_DATA, the cache, or its public address.

    Raises:
        UserError: if it cannot be downloaded.
    """
    return from_vocab_and_merges(download.text_of(download.GPT2_VOCAB), download.text_of(download.GPT2_MERGES))


def tokenizer_from_json(data: str | bytes, path: object) -> Tokenizer:
    """The tokenizer that `to_json` wrote; `path` is named in errors, which are those of `load_tokenizer`."""
    try:
        fields = files.from_json(data)
    except ValueError as error:  # broken JSON or UTF-8
        raise UserError(f"the tokenizer {path} is damaged: {error}") from error
    read: Callable[[dict[str, Any]], Tokenizer]
    if isinstance(fields, dict) and isinstance(fields.get("model"), dict):
        read = (
            WordPieceTokenizer.from_tokenizer_json
            if fields["model"].get("type") == "WordPiece"
            else from_tokenizer_json
        )
    elif not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise UserError(f"{path} is JSON, but neither a tokenizer that gradus saved nor one of Hugging Face's")
    else:
        kind = fields.get("kind")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise UserError(f"the tokenizer {path} is of the unknown kind {kind!r}; known: {', '.join(_KINDS)}")
        read = _KINDS[kind].from_fields
    try:
        return read(fields)
    except KeyError as error:
        raise UserError(f"the tokenizer {path} is damaged: it has no {error.args[0]}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"the tokenizer {path} cannot be used: {error}") from error


def _from_folder(folder: Path) -> Tokenizer:
    if (folder / OWN).is_file():
        return tokenizer_from_json(_read(folder / OWN), folder / OWN)
    for pair in PAIRS:
        if all((folder / name).is_file() for name in pair):
            return _from_pair(folder, *pair)
    if (folder / VOCAB).is_file():
        return _from_vocab(folder)
    known = [OWN, *(" with ".join(pair) for pair in PAIRS), VOCAB]
    raise UserError(f"there is no tokenizer in {folder}: neither {' nor '.join(known)}")


def _from_pair(folder: Path, vocab: str, merges: str) -> BPETokenizer:
    try:
        return from_vocab_and_merges(_read(folder / vocab), read_text(folder / merges))
    except (ValueError, TypeError) as error:
        raise UserError(f"the tokenizer of {vocab} and {merges} in {folder} cannot be used: {error}") from error


def _from_vocab(folder: Path) -> WordPieceTokenizer:
    """BERT's, whose tokenizer_config.json says whether capitals count."""
    path = folder / "tokenizer_config.json"
    try:
        settings = files.from_json(_read(path)) if path.is_file() else {}
        return WordPieceTokenizer(
            read_text(folder / VOCAB).rstrip("\n").split("\n"),
            lower=settings.get("do_lower_case", True),
            strip_accents=settings.get("strip_accents"),
        )
    except (ValueError, AttributeError) as error:
        raise UserError(f"the tokenizer of {VOCAB} in {folder} cannot be used: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the tokenizer {path}: {error.strerror or error}") from error
