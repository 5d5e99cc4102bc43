"""What a training step is taken on: a text, made into rows as training makes them, or rows of a batch that the run was
trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.backend import torch
from gradus.errors import UserError
from gradus.explorer.opened import Opened
from gradus.explorer.walk import source_row
from gradus.generation import translate
from gradus.models import NOT_SCORED, Encoder, Transformer
from gradus.text import Corpus
from gradus.text.corpus import Kind
from gradus.training.examples import examples_for
from gradus.training.prepare import rows_for
from gradus.training.reopen import reopen
from gradus.training.state import progress_of

MOST_TOKENS = 1024  # of a batch: every operation's gradient is kept to be looked at

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """What the model is given.

    Attributes:
        x, y: as the model takes them in training.
        said: where it comes from, in a sentence.
    """

    x: Ids = field(repr=False)
    y: Ids = field(repr=False)
    said: str


def batch_of(opened: Opened, text: str = "", target: str = "", source: str = "text", number: int = -1) -> Batch:
    """The batch that a step is taken on.

    Args:
        text: what is learned; of a model of pairs, the source.
        target: of a model of pairs, what the source becomes, empty for what the model itself writes; of a classifier,
            the label, empty for the first.
        source: "text", or "batch" for a batch of the run's training text, which `text` is then not.
        number: which batch; -1 for the one that comes next.

    Raises:
        UserError: if the text is too short, has a character that the model does not know, or the training text is gone.
    """
    return _from_training(opened, number) if source == "batch" else _from_text(opened, text, target)


def _from_text(opened: Opened, text: str, target: str) -> Batch:
    model, tokenizer = opened.model, opened.tokenizer
    if not text.strip() and opened.text_kind != "documents":
        raise UserError("type a text: a step needs at least one token and the one that follows it")
    kind: Kind = "documents" if opened.text_kind == "documents" else "stream"
    labels: tuple[str, ...] = opened.labels
    corpus = Corpus("the text", kind, "typed", text=text, documents=(text.replace("\n", " "),))
    said = "the text, as a batch of one row"
    if isinstance(model, Transformer):
        if not target:
            target = _own_target(opened, model, text)
            said = "the text, with what the model itself makes of it as the target"
        corpus = Corpus("the text", "pairs", "typed", documents=(text,), targets=((target,),))
    elif isinstance(model, Encoder) and labels:
        label = target or labels[0]
        corpus = Corpus("the text", "labelled", "typed", documents=(text,), labels=(label,))
    elif isinstance(model, Encoder):
        corpus = Corpus("the text", "documents", "typed", documents=(text,))
    examples = examples_for(model, corpus, tokenizer, labels)
    if examples is not None:
        x, y = next(iter(examples.batches(64)))
        return Batch(x, y, said)
    rows = rows_for(model, corpus, tokenizer, short=True)
    last = slice(len(rows) - 1, len(rows))
    x, y = rows.take(last)
    if len(rows) > 1:
        said = f"the last {x.shape[1]:,} tokens of the text: more does not fit in a row of the model"
    return Batch(x, y, said)


def _own_target(opened: Opened, model: Transformer, text: str) -> str:
    """What the model writes for a source."""
    stop, source = opened.tokenizer.separator, source_row(opened, text)
    written = translate(model, torch.from_numpy(source[None]), model.block_size - 2, stop=stop)
    return opened.tokenizer.decode(written[0].ids)


def _from_training(opened: Opened, number: int) -> Batch:
    if opened.folder is None:
        raise UserError("a model in memory has no training text; type a text")
    batches = _batches(opened)
    here = progress_of(opened.folder).step if opened.moment in (None, "last") else int(str(opened.moment))
    which = here if number < 0 else number
    x, y = batches.batch(which)
    few = max(1, MOST_TOKENS // max(1, x.shape[1]))
    said = f"batch {which:,} of the training text"
    if few < len(x):
        said += f": {few:,} of its {len(x):,} rows"
    return Batch(x[:few], y[:few], said)


def _batches(opened: Opened) -> Any:
    """The run's batches, read once."""
    found = opened.__dict__.get("training_batches")
    if found is None:
        assert opened.folder is not None
        found = opened.__dict__["training_batches"] = reopen(opened.folder).batches
    return found


def tokens_of(opened: Opened, batch: Batch) -> list[dict[str, Any]]:
    """The rows of a batch as text: what is read, and what is to be predicted at each place (None: nothing)."""
    labels = opened.labels

    def piece(id_: int) -> str | None:
        if id_ == NOT_SCORED:
            return None
        return "[mask]" if id_ >= opened.tokenizer.vocab_size else opened.piece(id_)

    rows = []
    for x, y in zip(batch.x, batch.y, strict=True):
        asked = [labels[int(y)]] if y.ndim == 0 else [piece(int(id_)) for id_ in y]
        rows.append({"read": [piece(int(id_)) for id_ in x], "asked": asked})
    return rows
