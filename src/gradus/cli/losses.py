"""A loss in words: in nats and bits per character, or where tokens are something else per token, character and byte."""

from __future__ import annotations

from gradus.evaluation import Score
from gradus.text import CharTokenizer, Rows, Split, Tokenizer, WordTokenizer
from gradus.training import Setup


def told(score: Score, setup: Setup, part: Split, *, digits: int = 4, counts: bool = False) -> str:
    """The loss of a split; with `counts` also over how many tokens and characters it is the mean."""
    if not setup.model.continues:
        what = "label" if setup.labels else "token of a target" if setup.corpus.kind == "pairs" else "hidden token"
        said = f"{score.nats:.{digits}f} nats per {what}"
        said += "" if setup.labels else f", perplexity {score.perplexity:.4g}"
        return said + (f", over {score.count:,}" if counts else "")
    words = isinstance(setup.tokenizer, WordTokenizer)
    return in_words(
        score, setup.tokenizer, *setup.size(part), setup.rows(part) if words else None, digits=digits, counts=counts
    )


def in_words(
    score: Score,
    tokenizer: Tokenizer,
    characters: int,
    size: int,
    rows: Rows | None = None,
    *,
    digits: int = 4,
    counts: bool = False,
) -> str:
    """The loss of rows that are so many characters and bytes. Of words, the rows say how many are unknown."""
    per_character = f"{score.bits_per(characters):.{digits}f} bits per character"
    if isinstance(tokenizer, CharTokenizer):
        return f"{score.nats:.{digits}f} nats, {per_character}" + (
            f", over {characters:,} characters" if counts else ""
        )
    out = f"{score.nats:.{digits}f} nats per token, {per_character}, {score.bits_per(size):.{digits}f} per byte"
    if counts:
        out += f", over {score.count:,} tokens, {characters:,} characters, {size:,} bytes"
    if isinstance(tokenizer, WordTokenizer) and rows is not None:
        out += f"; {100 * (rows.ids[:] == tokenizer.unknown).mean():.1f} % of the words are unknown"
    return out
