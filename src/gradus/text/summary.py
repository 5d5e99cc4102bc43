"""A corpus described in a few lines: what `gradus data show` prints."""

from __future__ import annotations

import math

from gradus.errors import UserError
from gradus.text.characters import CharTokenizer
from gradus.text.corpus import Corpus

SAMPLE_DOCUMENTS = 10
SAMPLE_CHARACTERS = 200


def summarize(corpus: Corpus) -> tuple[tuple[str, str], ...]:
    """Pairs of what is described and its description, each on one line."""
    tokenizer = CharTokenizer.train(corpus)
    lines = [("name", corpus.name), ("kind", corpus.kind), ("source", corpus.source)]
    if corpus.kind == "documents":
        lengths = [len(document) for document in corpus.documents]
        distinct = len(set(corpus.documents))
        lines.append(
            ("documents", f"{len(lengths):,}, {distinct:,} distinct, {min(lengths)} to {max(lengths)} characters")
        )
    lines.append(("characters", f"{corpus.characters:,}{_with_ends(corpus)}"))
    lines.append(("alphabet", f"{tokenizer.vocab_size}: {tokenizer.alphabet!r}"))
    if corpus.floor is not None:
        bits = corpus.floor / math.log(2)
        lines.append(
            ("floor", f"{corpus.floor:.4f} nats, {bits:.4f} bits per character: no model can be expected below")
        )
    try:
        parts = corpus.splits()
    except UserError as error:
        lines.append(("splits", str(error)))
    else:
        lines += [(part.part, _size(part)) for part in (parts.train, parts.dev, parts.test)]
    lines.append(("sample", _sample(corpus)))
    return tuple(lines)


def _with_ends(corpus: Corpus) -> str:
    return ", counting the end of each document" if corpus.kind == "documents" else ""


def _size(part: Corpus) -> str:
    characters = f"{part.characters:,} characters"
    return f"{len(part.documents):,} documents, {characters}" if part.kind == "documents" else characters


def _sample(corpus: Corpus) -> str:
    """Documents from all over the corpus, or the beginning of a stream."""
    if corpus.kind == "stream":
        return repr(corpus.text[:SAMPLE_CHARACTERS])
    step = max(1, len(corpus.documents) // SAMPLE_DOCUMENTS)
    return ", ".join(corpus.documents[::step][:SAMPLE_DOCUMENTS])
