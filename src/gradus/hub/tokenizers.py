"""Tokenizers as `transformers` loads them: tokenizer.json, and tokenizer_config.json beside it."""

from __future__ import annotations

from typing import Any

from gradus.errors import UserError
from gradus.files import to_json
from gradus.text import BPETokenizer, CharTokenizer, Tokenizer
from gradus.text.bpe import END_OF_TEXT


def tokenizer_files(tokenizer: Tokenizer, block_size: int) -> dict[str, str]:
    """File -> its text.

    Raises:
        UserError: for words, whose spaces `transformers` has no way to leave out and put back.
    """
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",  # it takes tokenizer.json as it is
        "model_max_length": block_size,
        "clean_up_tokenization_spaces": False,
    }
    if isinstance(tokenizer, BPETokenizer):
        text = tokenizer.to_json()
        if END_OF_TEXT in tokenizer.special:
            settings |= dict.fromkeys(("bos_token", "eos_token", "unk_token"), END_OF_TEXT)
    elif isinstance(tokenizer, CharTokenizer):
        text = to_json(_characters(tokenizer), indent=1) + "\n"
    else:
        raise UserError(
            "transformers has no tokenizer that does what ours for words does; characters and bpe can be exported"
        )
    return {"tokenizer.json": text, "tokenizer_config.json": to_json(settings, indent=1) + "\n"}


def end_of_text(tokenizer: Tokenizer, kind: object) -> int | None:
    """The id after which a text is over: that of <|endoftext|>, or what stands between documents; None for a stream
    without such a token."""
    special = isinstance(tokenizer, BPETokenizer) and END_OF_TEXT in tokenizer.special
    return tokenizer.separator if special or kind == "documents" else None


def _characters(tokenizer: CharTokenizer) -> dict[str, Any]:
    """Each character a word of its own; one that is not in the alphabet is an error there too."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Isolated", "invert": False},
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {
            "type": "WordLevel",
            "vocab": {character: id_ for id_, character in enumerate(tokenizer.alphabet)},
            "unk_token": "<unk>",
        },
    }
