"""What a run is: the model's name and sizes, its parameters, its vocabulary, and how it reads a text."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gradus.explorer.opened import Opened
from gradus.explorer.view import TEXT, View

MOST_PIECES = 1000  # tokens of the vocabulary that are listed


def about(opened: Opened) -> dict[str, Any]:
    """What the page's header says of a run.

    Returns:
        name, kind (the model's name in the registry), text_kind, parameters, vocab_size, block_size, context, config
        (the model's settings), labels, pieces (the first 1,000 tokens of the vocabulary).
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
    }


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
