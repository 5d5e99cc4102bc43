"""What a model of pairs, of labels or of hidden tokens is trained and scored on. A model of the next token has rows,
which are in `prepare.py`."""

from __future__ import annotations

from collections.abc import Sequence

from gradus.errors import UserError
from gradus.files import note
from gradus.models import MODELS, Encoder, LanguageModel, Transformer
from gradus.text import (
    Corpus,
    EndlessPairs,
    ExampleBatches,
    Labelled,
    Masked,
    Pairs,
    Tokenizer,
    make_labelled,
    make_masked,
    make_pairs,
)
from gradus.training.config import TrainConfig
from gradus.training.feed import BatchSource

LONGEST_TEXT = 256  # tokens: the default block size is what the longest text needs, but not more than this
ADVICE = {  # how a text has to look for a model that is not one of its kind
    "pairs": "a file of lines source TAB target, or reverse",
    "labelled": "a file of lines label TAB text, or docstrings",
}


def require_kind(config: TrainConfig, corpus: Corpus) -> None:
    """Raise UserError unless the model is one of the corpus's kind, and the settings are for it."""
    kinds = _kinds(config.model)
    if corpus.kind not in kinds:
        for_it = [name for name in MODELS if corpus.kind in _kinds(name)]
        needs = ADVICE.get(kinds[0], "text")
        raise UserError(
            f"{config.model} learns from {needs}; {corpus.name} is {_what(corpus.kind)}, for --model "
            f"{' or '.join(for_it[:3])}"
        )
    if config.masked and config.model != "encoder":
        raise UserError(f"masked is for the encoder; {config.model} hides no tokens")


def labels_to_learn(config: TrainConfig, corpus: Corpus) -> tuple[str, ...]:
    """The labels that a model has to tell apart, in alphabetical order; none where it is not to classify."""
    return () if config.masked or corpus.kind != "labelled" else tuple(sorted(set(corpus.labels)))


def longest_example(corpus: Corpus, tokenizer: Tokenizer, model: str) -> int | None:
    """The block size that the examples of a corpus need; None where a model has rows, or the corpus is a stream."""
    if corpus.kind == "pairs":
        return max(int(side.lengths.max()) for side in make_pairs(corpus, tokenizer).parts)
    if corpus.kind == "stream" or model != "encoder":
        return None
    return min(LONGEST_TEXT, 2 + max(len(tokenizer.encode(text)) for text in corpus.documents))


def examples_for(
    model: LanguageModel, part: Corpus, tokenizer: Tokenizer, labels: Sequence[str]
) -> Pairs | Labelled | Masked | None:
    """What such a model is scored on; None for a model that has rows.

    Raises:
        UserError: if a source or a target is longer than the model's block.
    """
    if isinstance(model, Transformer):
        return make_pairs(part, tokenizer, model.block_size)
    if not isinstance(model, Encoder):
        return None
    if labels:
        return make_labelled(part, tokenizer, model.block_size, labels)
    if model.block_size < 3:
        raise UserError(f"block_size must be at least 3, for a token and its two ends, got {model.block_size}")
    return make_masked(part, tokenizer, model.block_size)


def example_batches(
    model: LanguageModel, part: Corpus, tokenizer: Tokenizer, config: TrainConfig, labels: Sequence[str]
) -> BatchSource | None:
    """What such a model is trained on; None for a model that has rows. Notes how many texts are too long to be read
    whole.

    Raises:
        UserError: as `examples_for` does.
    """
    examples = examples_for(model, part, tokenizer, labels)
    if examples is None:
        if config.batch_tokens is not None:
            raise UserError(f"batch_tokens is for pairs, labels and hidden tokens, not for {config.model}")
        return None
    if config.positions:
        raise UserError(f"positions are for models of a short context; {config.model} reads whole texts")
    if isinstance(examples, Labelled):
        cut = int((examples.texts.lengths == model.block_size).sum())
        if cut > 0.01 * len(examples):
            note(f"{cut:,} texts reach block_size {model.block_size}: of longer ones only the beginning is read")
    if part.draw is not None:
        return EndlessPairs(part, tokenizer, config.batch_size, config.seed, batch_tokens=config.batch_tokens)
    return ExampleBatches(examples, config.batch_size, config.seed, batch_tokens=config.batch_tokens)


def _kinds(model: str) -> tuple[str, ...]:
    kinds: tuple[str, ...] = getattr(MODELS[model][1], "kinds", LanguageModel.kinds)  # a function makes some of them
    return kinds


def _what(kind: str) -> str:
    return {"stream": "a stream of text", "labelled": "labelled texts"}.get(kind, kind)
