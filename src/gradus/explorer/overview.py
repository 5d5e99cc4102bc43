"""What a run is: the model's name and sizes, its parameters, its vocabulary, and how it reads a text."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, View
from gradus.training.run import SAMPLES

STREAM = 48  # characters of a stream that are looked at first: its tokens fit in two lines
MOST_PIECES = 1000  # tokens of the vocabulary that are listed


def about(opened: Opened) -> dict[str, Any]:
    """What the page's header says of a run.

    Returns:
        name, kind (the model's name in the registry), text_kind, parameters, vocab_size, block_size, context, config
        (the model's settings), labels, pieces (the first 1,000 tokens of the vocabulary), text (one to look at first).
    """
    model = opened.model
    return {
        "name": opened.name,
        "kind": opened.kind,
        "text_kind": opened.text_kind,
        "parameters": model.num_parameters(),
        "vocab_size": model.config.vocab_size,
        "block_size": model.block_size,
        "context": model.context,
        "config": asdict(opened.config),
        "labels": opened.labels,
        "pieces": [opened.piece(id_) for id_ in range(min(MOST_PIECES, opened.tokenizer.vocab_size))],
        "text": first_text(opened),
    }


def first_text(opened: Opened) -> str:
    """A text to look at first; "" where there is none."""
    return next(iter(first_texts(opened, 1)), "")


def first_texts(opened: Opened, number: int) -> list[str]:
    """Texts to look at first, of what the run wrote at its end: the longest documents that the model can read whole, or
    pieces of a stream; sources of translations, texts of labels."""
    try:
        written = "" if opened.folder is None else (opened.folder.path / SAMPLES).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    lines = [line for line in written.splitlines() if line.strip()]
    if opened.text_kind == "pairs":
        lines = [line.split(" -> ")[0] for line in lines if " -> " in line]
    elif opened.labels:
        lines = [line.split(": ", 1)[1].rsplit("  (", 1)[0].rstrip("…") for line in lines if ": " in line]
    elif opened.text_kind != "documents":
        most = min(STREAM, opened.block_size)
        lines = [written.strip()[at : at + most].strip().rsplit(" ", 1)[0] for at in range(0, number * most, most)]
    found = []
    for line in sorted(lines, key=len, reverse=True) if opened.text_kind == "documents" else lines:
        with suppress(UserError):
            if 0 < len(opened.encode(line)) < max(2, opened.block_size - 1):
                found.append(line)
    return list(dict.fromkeys(found))[:number]


def tokens(opened: Opened, text: str) -> dict[str, Any]:
    """The tokens of a text, and which of them the model reads.

    Returns:
        ids and pieces of the row that the model reads; `left_out`, how many tokens of the text there is no room for:
        the first, of an encoder the last.
    """
    row, ids = opened.row(text), opened.encode(text)
    added = 2 if opened.kind == "encoder" else int(opened.text_kind == "documents" or not len(ids))
    return {
        "ids": row,
        "pieces": [opened.piece(id_) for id_ in row],
        "left_out": len(ids) + added - len(row),
    }


VIEWS = {
    "about": View(about),
    "tokens": View(tokens, {"text": TEXT}),
}
