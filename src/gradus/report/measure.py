"""Runs measured: on a split of their own text, on another text, in units that do not depend on the tokenizer, and on
tasks of multiple choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gradus.errors import UserError
from gradus.evaluation import Choices, Item, Score, choose, evaluate
from gradus.models import LanguageModel
from gradus.text import Rows, Split, Tokenizer, load_corpus, scored_size
from gradus.training import RunFolder, load_model, reopen, sliding_stride, tokenizer_of
from gradus.training.prepare import rows_for


@dataclass(frozen=True)
class Measured:
    """The loss on a text, and how many characters and bytes (UTF-8) it is over."""

    score: Score
    characters: int
    size: int
    rows: Rows
    tokenizer: Tokenizer


def measure(
    run: RunFolder,
    text: str | Path | None = None,
    *,
    split: Split = "test",
    sliding: bool = False,
    stride: int | None = None,
    last: bool = False,
    model: LanguageModel | None = None,
    device: str = "cpu",
) -> Measured:
    """The loss of a run's model on a text, each character scored once but those of a stream's first token.

    Args:
        text: a file, a folder, or a corpus by name, all of it; it is documents or a stream as the run's own text was.
            None is the split of the run's own.
        sliding: overlap the windows, so that every prediction sees at least three quarters of a block.
        stride: how far each window is from the next, in tokens.
        last: the last weights, not those with the lowest dev loss.
        model: the run's model, where it is loaded already.
        device: otherwise, where to put it, as `load_model` takes it.

    Raises:
        UserError: if the run or the text cannot be read, the run's own text is no longer the same, or the text has a
            character that the model does not know.
    """
    model = _continuing(run, load_model(run, last=last, device=device) if model is None else model)
    if text is None:
        part = getattr(reopen(run).splits, split)
    else:
        part = load_corpus(str(text), kind="documents" if run.settings().get("kind") == "documents" else "stream")
    if sliding and stride is None:
        stride = sliding_stride(model)
    tokenizer = tokenizer_of(run, model)
    rows = rows_for(model, part, tokenizer, stride=stride, short=text is not None)
    return Measured(evaluate(model, rows), *scored_size(part, tokenizer), rows, tokenizer)


def measure_task(
    run: RunFolder,
    items: list[Item],
    *,
    last: bool = False,
    device: str = "cpu",
    progress: Callable[[int], None] = lambda _: None,
) -> Choices:
    """What a run's model chooses of a task's items, as `Prompts.task` puts them together: `gradus.evaluation.choose`.
    UserError as there, or if the run cannot be read."""
    model = _continuing(run, load_model(run, last=last, device=device))
    documents = run.settings().get("kind") == "documents"
    return choose(model, tokenizer_of(run, model), items, documents=documents, progress=progress)


def _continuing(run: RunFolder, model: LanguageModel) -> LanguageModel:
    if not model.continues:
        raise UserError(f"the model in {run.path} does not continue texts, so it has no loss on one")
    return model
