"""A corpus described in a few lines: what `gradus data show` prints."""

from __future__ import annotations

import math
from collections import Counter

from gradus.errors import UserError
from gradus.text.characters import CharTokenizer
from gradus.text.corpus import Corpus
from gradus.text.prepared import PreparedText

WHAT = {"documents": "documents", "pairs": "sources", "labelled": "texts"}  # what there are so many of, by kind
WHAT_ENDS = {"documents": "document", "pairs": "source and target", "labelled": "text"}
SAMPLE_DOCUMENTS = 10
SAMPLE_CHARACTERS = 200


def summarize(corpus: Corpus) -> tuple[tuple[str, str], ...]:
    """Pairs of what is described and its description, each on one line."""
    if isinstance(corpus, PreparedText):
        return _summarize_prepared(corpus)
    tokenizer = CharTokenizer.train(corpus)
    lines = [("name", corpus.name), ("kind", corpus.kind), ("source", corpus.source)]
    if corpus.kind != "stream":
        lengths = [len(document) for document in corpus.documents]
        distinct = f"{len(set(corpus.documents)):,} distinct, " if corpus.kind != "pairs" else ""
        lines.append((WHAT[corpus.kind], f"{len(lengths):,}, {distinct}{min(lengths)} to {max(lengths)} characters"))
    if corpus.kind == "pairs":
        lengths = [len(target) for _, target in corpus.pairs()]
        several = sum(len(targets) > 1 for targets in corpus.targets)
        described = f"{len(lengths):,}, {min(lengths)} to {max(lengths)} characters"
        described += f"; {several:,} sources have several" if several else ""
        lines.append(("targets", described + ("; a sample, training draws others" if corpus.draw is not None else "")))
    if corpus.kind == "labelled":
        counts = Counter(corpus.labels).most_common()
        lines.append(("labels", f"{len(counts)}: " + ", ".join(f"{label} {count:,}" for label, count in counts)))
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


def _summarize_prepared(corpus: PreparedText) -> tuple[tuple[str, str], ...]:
    manifest, splits = corpus.manifest, corpus.splits()
    shards = sum(len(part.shards) for part in manifest.parts.values())
    return (
        ("name", corpus.name),
        ("kind", "stream, prepared" + (" from documents" if manifest.documents else "")),
        ("source", manifest.source),
        ("characters", f"{corpus.characters:,}"),
        ("alphabet", f"{manifest.symbols:,} characters"),
        ("tokenizer", repr(corpus.tokenizer)),
        ("shards", f"{shards:,}, of at most {manifest.shard_tokens:,} tokens, {manifest.dtype}"),
        *((name, f"{part.characters:,} characters, {part.tokens:,} tokens") for name, part in manifest.parts.items()),
        ("sample", repr(splits.dev.text[:SAMPLE_CHARACTERS])),
    )


def _with_ends(corpus: Corpus) -> str:
    return "" if corpus.kind == "stream" else f", counting the end of each {WHAT_ENDS[corpus.kind]}"


def _size(part: Corpus) -> str:
    characters = f"{part.characters:,} characters"
    return characters if part.kind == "stream" else f"{len(part.documents):,} {WHAT[part.kind]}, {characters}"


def _sample(corpus: Corpus) -> str:
    """Documents, pairs or labelled texts from all over the corpus, or the beginning of a stream."""
    if corpus.kind == "stream":
        return repr(corpus.text[:SAMPLE_CHARACTERS])
    lines = list(corpus.lines())
    chosen = lines[:: max(1, len(lines) // SAMPLE_DOCUMENTS)][:SAMPLE_DOCUMENTS]
    if corpus.kind == "documents":
        return ", ".join(chosen)
    arrow = " -> " if corpus.kind == "pairs" else ": "
    return "; ".join(line.replace("\t", arrow, 1) for line in chosen)
