"""The files of byte-level BPE tokenizers: GPT-2's encoder.json and vocab.bpe, which Hugging Face calls vocab.json and
merges.txt, and the tokenizer.json of its library `tokenizers`, which is also how a run keeps its own.

In all of them a token is written as text, each byte as one printable character: a space is Ġ, a newline Ċ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gradus import files
from gradus.text.bpe import BYTE_ORDER, BPETokenizer
from gradus.text.split import GPT2

# The printable bytes are themselves; the others, in order, are the characters from U+0100 on.
_PRINTABLE = 188
LETTERS = {byte: chr(byte if i < _PRINTABLE else 256 + i - _PRINTABLE) for i, byte in enumerate(BYTE_ORDER)}
_BYTES = {letter: byte for byte, letter in LETTERS.items()}
_SPECIAL = re.compile(r"<.+>|\[[A-Z]+\]", re.DOTALL)  # how special tokens look


def from_vocab_and_merges(vocab: str | bytes, merges: str) -> BPETokenizer:
    """The tokenizer of vocab.json (encoder.json) and merges.txt (vocab.bpe), which splits as GPT-2 does. An entry that
    no merge makes, such as <|endoftext|>, is a special token.

    Raises:
        ValueError: if they are damaged, cut short, or do not belong together.
    """
    ids = checked_vocab(files.from_json(vocab))
    lines = [line for line in merges.split("\n") if line and not line.startswith("#version")]
    pairs = _pairs(lines, ids)
    reached = {*LETTERS.values(), *(first + second for first, second in map(_two, lines))}
    special = {token: id_ for token, id_ in ids.items() if token not in reached}
    strange = [token for token in special if not _SPECIAL.fullmatch(token)]
    if strange:
        raise ValueError(
            f"the merges are cut short, or another vocabulary's: none of them makes {strange[0]!r}"
            + (f" and {len(strange) - 1:,} others" if strange[1:] else "")
        )
    return BPETokenizer(_vocab(ids, special), pairs, pattern=GPT2, special=special)


def from_tokenizer_json(fields: Mapping[str, Any]) -> BPETokenizer:
    """The tokenizer of a parsed tokenizer.json.

    Raises:
        ValueError: if it is damaged, or asks for what a byte-level BPE does not do.
        KeyError: if something is missing.
    """
    model = fields["model"]
    if model.get("type", "BPE") != "BPE":
        raise ValueError(f"its model is {model['type']}, and only byte-level BPE is known")
    affixes = ("continuing_subword_prefix", "end_of_word_suffix")
    for name in ("dropout", "unk_token", *affixes, "byte_fallback", "ignore_merges"):
        if model.get(name):
            raise ValueError(f"its model has {name} {model[name]!r}, which is not supported")
    if fields.get("normalizer"):
        raise ValueError(f"it has the normalizer {fields['normalizer'].get('type')}, and none is known")
    if (fields.get("post_processor") or {}).get("type", "ByteLevel") != "ByteLevel":
        raise ValueError(f"it has the post-processor {fields['post_processor']['type']}, and none is known")
    pattern = _pattern(fields["pre_tokenizer"])
    added = fields.get("added_tokens") or []
    for token in added:
        if not token.get("special", True):
            raise ValueError(f"its added token {token['content']!r} is found in plain text, which is not supported")
        for name in ("single_word", "lstrip", "rstrip"):
            if token.get(name):
                raise ValueError(f"its added token {token['content']!r} has {name}, which is not supported")
    special = {token["content"]: token["id"] for token in added}
    ids = checked_vocab({**model["vocab"], **special})
    return BPETokenizer(_vocab(ids, special), _pairs(model["merges"], ids), pattern=pattern, special=special)


def to_tokenizer_json(tokenizer: BPETokenizer) -> str:
    """The text of a tokenizer.json that `tokenizers` loads to the same ids.

    There plain text gives special tokens too; `encode_special_tokens = True` makes it treat them as text."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    splitting: dict[str, Any] = byte_level
    if tokenizer.pattern != GPT2:
        splitting = byte_level | {"use_regex": False}
        if tokenizer.pattern is not None:
            split = {"type": "Split", "pattern": {"Regex": tokenizer.pattern}, "behavior": "Isolated", "invert": False}
            splitting = {"type": "Sequence", "pretokenizers": [split, splitting]}
    texts = {id_: text for text, id_ in tokenizer.special.items()}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokens = [texts[id_] if id_ in texts else _spelled(token) for id_, token in enumerate(tokenizer.vocab)]
    fields = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": id_, "content": text, **flags} for id_, text in sorted(texts.items())],
        "normalizer": None,
        "pre_tokenizer": splitting,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: id_ for id_, token in enumerate(tokens)},
            "merges": [f"{tokens[first]} {tokens[second]}" for first, second in tokenizer.merges],
        },
    }
    return files.to_json(fields, indent=1) + "\n"


def to_vocab_and_merges(tokenizer: BPETokenizer) -> tuple[str, str]:
    """The texts of vocab.json and merges.txt, in which the pattern has no place: readers take it to be GPT-2's."""
    model = files.from_json(to_tokenizer_json(tokenizer))["model"]
    return files.to_json(model["vocab"]), "\n".join(["#version: 0.2", *model["merges"], ""])


def checked_vocab(vocab: object) -> dict[str, int]:
    """The tokens of a file and their ids. Raises ValueError unless these are the numbers from 0 on, each once."""
    if not isinstance(vocab, dict) or not all(type(id_) is int for id_ in vocab.values()):
        raise ValueError("its vocabulary is not an object of tokens and their ids")
    missing = min(set(range(len(vocab))).difference(vocab.values()), default=None)
    if missing is not None:
        raise ValueError(f"its {len(vocab):,} tokens do not have the ids from 0 on, each once: no token has {missing}")
    return vocab


def _vocab(ids: Mapping[str, int], special: Mapping[str, int]) -> list[bytes]:
    """id -> bytes."""
    tokens = sorted(ids, key=ids.__getitem__)
    try:
        return [token.encode() if token in special else bytes(map(_BYTES.__getitem__, token)) for token in tokens]
    except KeyError as error:
        raise ValueError(f"it is not byte-level: a token has the character {error.args[0]!r}") from None


def _pairs(merges: object, ids: Mapping[str, int]) -> list[tuple[int, int]]:
    if not isinstance(merges, list):
        raise ValueError("its merges are not a list")
    pairs = []
    for merge in merges:
        first, second = _two(merge)
        if first not in ids or second not in ids:
            raise ValueError(f"the merge {merge!r} is of a token that is not in the vocabulary")
        pairs.append((ids[first], ids[second]))
    return pairs


def _two(merge: object) -> tuple[str, str]:
    """A merge is "a b", or ["a", "b"] in newer files."""
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) and part for part in parts)):
        raise ValueError(f"the merge {merge!r} is not two tokens")
    return parts[0], parts[1]


def _pattern(splitting: Any) -> str | None:
    """The splitting pattern of a pre_tokenizer: ByteLevel with GPT-2's or none, or a Split and then ByteLevel."""
    steps = splitting["pretokenizers"] if splitting["type"] == "Sequence" else [splitting]
    *splits, last = steps
    if last["type"] != "ByteLevel" or len(splits) > 1 or any(split["type"] != "Split" for split in splits):
        raise ValueError(f"its pre-tokenizer is {' and '.join(str(step['type']) for step in steps)}, not ByteLevel")
    if last.get("add_prefix_space", True):
        raise ValueError("it puts a space before each text (add_prefix_space), which is not supported")
    uses_own = last.get("use_regex", True)
    if not splits:
        return GPT2 if uses_own else None
    pattern = splits[0]["pattern"].get("Regex")
    if uses_own or splits[0].get("invert") or splits[0].get("behavior") != "Isolated" or not isinstance(pattern, str):
        raise ValueError("its way of splitting is not one pattern whose matches are isolated")
    return pattern


def _spelled(token: bytes) -> str:
    return "".join(map(LETTERS.__getitem__, token))
