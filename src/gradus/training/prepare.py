"""From settings to all that training needs: the corpus and its splits, a tokenizer, a new model and its batches.
Everything that happens before the first step is here; the way back from a run's folder is in `reopen.py`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.backend import torch
from gradus.errors import UserError
from gradus.files import is_text
from gradus.models import MODELS, LanguageModel, Mixture, build_model
from gradus.text import (
    FILE_ADDRESS,
    Batches,
    BPETokenizer,
    CharTokenizer,
    Corpus,
    Labelled,
    Masked,
    Pairs,
    Positions,
    PreparedText,
    Rows,
    Split,
    Splits,
    Tokenizer,
    TrackBatches,
    WordTokenizer,
    catalogue,
    load_corpus,
    load_tokenizer,
    make_rows,
    make_tracks,
    scored_size,
)
from gradus.text.batches import ALL
from gradus.text.catalogue import as_name
from gradus.training.config import TrainConfig
from gradus.training.examples import example_batches, examples_for, labels_to_learn, longest_example, require_kind
from gradus.training.feed import BatchSource
from gradus.training.hardware import Hardware
from gradus.training.loop import is_counting
from gradus.training.memory import require_memory
from gradus.training.presets import with_preset
from gradus.training.recipes import recipe
from gradus.training.settings import Setting, build, settings_of, unknown

CHARS, BPE, WORDS, GPT2 = "chars", "bpe", "words", "gpt2"  # the tokenizers by name; another one is a path
BPE_VOCAB_SIZE = 512

LEARNED = ("vocab_size", "min_count", "lower")  # what a tokenizer was made with

STREAM_BLOCK_SIZE = 64  # the default for a stream
DOCUMENTS_BLOCK_SIZE = 256  # for documents the default is what the longest needs, but not more than this
COUNTED_ROWS = 256  # rows that a counting model is given at a time
FOUND = ("vocab_size", "n_labels", "network", "separator")  # settings of models that the text or another run decides


@dataclass(frozen=True)
class Setup:
    """All that training needs, and how it was asked for."""

    config: TrainConfig
    corpus: Corpus
    splits: Splits
    tokenizer: Tokenizer
    model: LanguageModel
    batches: BatchSource
    labels: tuple[str, ...] = ()  # of a classifier
    keeps_text: bool = False  # the text came from a pipe, so that the run has to save it
    seconds_before: float = 0.0  # what it took to train what the model begins with
    base: Mapping[str, str] = field(
        default_factory=dict
    )  # of LoRA: the run that is adapted, and the sum of its weights

    def __repr__(self) -> str:
        model = f"{self.config.model} of {self.model.num_parameters():,} parameters"
        return f"Setup({model}, {self.config.budget}, {self.corpus!r}, {self.tokenizer!r})"

    def rows(self, part: Split, *, stride: int | None = None) -> Rows:
        """All rows of a split for a model of the next token, every character scored once. A model with a short context
        sees all of it; one that sees a whole block sees what its window contains: windows side by side, or sliding by
        `stride`, where 1 gives every prediction a full context."""
        return rows_for(self.model, getattr(self.splits, part), self.tokenizer, stride=stride)

    def examples(self, part: Split, *, stride: int | None = None) -> Rows | Pairs | Labelled | Masked:
        """All that the loss on a split is over: its rows, or for a model of pairs, of labels or of hidden tokens what
        that has in their place, which does not slide."""
        found = examples_for(self.model, getattr(self.splits, part), self.tokenizer, self.labels)
        if found is not None and stride is not None:
            raise UserError(f"{self.config.model} reads whole texts: no window has to slide")
        return found if found is not None else self.rows(part, stride=stride)

    def size(self, part: Split) -> tuple[int, int]:
        """The characters and bytes that the rows of a split are scored on."""
        return scored_size(getattr(self.splits, part), self.tokenizer)

    def data(self) -> dict[str, Any]:
        """What identifies the text, its name, its size and its SHA-256; and of LoRA the run that it adapts."""
        if isinstance(self.corpus, PreparedText):
            sum_ = self.corpus.manifest.sha256
        else:
            text = "\n".join((self.corpus.text, *(() if self.corpus.kind == "stream" else self.corpus.lines())))
            sum_ = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        found = {"corpus": self.corpus.name, "characters": self.corpus.characters, "sha256": sum_}
        return {**found, "base": dict(self.base)} if self.base else found


class _RowBatches:
    """Rows in order as a source of batches: the one pass of a counting model."""

    def __init__(self, rows: Rows, batch_size: int) -> None:
        self.rows, self.batch_size = rows, batch_size
        self.steps_per_epoch = -(-len(rows) // batch_size)

    def batch(self, step: int, rows: slice = ALL) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        x, y = self.rows.take(slice(step * self.batch_size, (step + 1) * self.batch_size))
        return x[rows], y[rows]


def model_settings(model: str) -> dict[str, Setting]:
    """The settings of a model that are the user's to choose.

    Raises:
        UserError: if there is no such model.
    """
    if model not in MODELS:
        raise UserError(f"there is no model {model!r}; there are {', '.join(MODELS)}")
    return {name: setting for name, setting in settings_of(MODELS[model][0]).items() if name not in FOUND}


def set_up(
    values: Mapping[str, object],
    *,
    corpus: Corpus | None = None,
    tokenizer: Tokenizer | None = None,
    to_train: bool = True,
) -> Setup:
    """Build everything from settings by name, training's and the model's together; what is not given takes its default.

    Args:
        values: for instance {"corpus": "names", "model": "gpt", "steps": 300, "n_layer": 2}.
        corpus: the text that the settings name, where it is loaded already; None loads it.
        tokenizer: None makes or loads the one that the settings name.
        to_train: whether the device and the memory that training needs must be there.

    Raises:
        UserError: for a setting that is unknown, another model's, of the wrong type or out of range, for a corpus
            that cannot be loaded or is too short, and for a training that needs more memory than is free, or a device
            that is not there.
    """
    if isinstance(path := values.get("corpus"), Path):
        values = {**values, "corpus": as_name(path)}
    values = with_preset(values)
    config, settings = _sort(values)
    counts = hasattr(MODELS[config.model][1], "count")
    hardware = Hardware(config, counts=counts) if to_train else None
    piped = vanishes(config.corpus)
    corpus = corpus or load_corpus(config.corpus, kind=config.kind)
    if isinstance(corpus, PreparedText):
        values, config = _with_its_tokenizer(values, config, corpus, given=tokenizer)
        tokenizer = tokenizer or corpus.tokenizer
    corpus = corpus.swapped() if config.swap else corpus
    require_kind(config, corpus)
    start = {k: v for k, v in recipe(config.model, config.corpus, corpus.kind).items() if k not in values}
    if "tokenizer" in values:  # another one than the recipe's, whose size is not for it
        start.pop("vocab_size", None)
    own = settings_of(TrainConfig)
    config = replace(
        config,
        kind=corpus.kind,
        corpus=lasting(config.corpus),
        **{"tokenizer": config.tokenizer, **{k: v for k, v in start.items() if k in own}},
    )
    config = replace(config, tokenizer=lasting_tokenizer(config.tokenizer))
    settings = {**{k: v for k, v in start.items() if k not in own}, **settings}
    splits = corpus.splits()
    tokenizer = tokenizer or _make_tokenizer(config, corpus, splits.train)
    if "block_size" not in settings:
        longest = longest_example(corpus, tokenizer, config.model)
        settings["block_size"] = longest or _block_size(corpus, tokenizer)
    labels = labels_to_learn(config, corpus)
    if labels:
        settings["n_labels"] = len(labels)
    if hardware is not None and hardware.device.type == "cpu":
        require_memory(config, MODELS[config.model][0](vocab_size=tokenizer.vocab_size, **settings))
    torch.manual_seed(config.seed)
    model = build_model(config.model, vocab_size=tokenizer.vocab_size, **settings)
    batches = example_batches(model, splits.train, tokenizer, config, labels)
    batches = batches or batches_for(model, splits.train, tokenizer, config)
    return Setup(config, corpus, splits, tokenizer, model, batches, labels, keeps_text=piped)


def _with_its_tokenizer(
    values: Mapping[str, object], config: TrainConfig, corpus: PreparedText, *, given: Tokenizer | None
) -> tuple[Mapping[str, object], TrainConfig]:
    """Settings that name the tokenizer that a text was prepared with, which is the only one for it. One that is `given`
    has a name of its own, and is compared when the text is read."""
    if given is not None:
        return values, config
    own = lasting(str(corpus.folder))
    asked = values.get("tokenizer", own)
    if asked != own and lasting_tokenizer(str(asked)) != own:
        raise UserError(f"{corpus.folder} is tokenized already, by {corpus.tokenizer!r}; leave out tokenizer {asked}")
    for name in LEARNED:
        if values.get(name) not in (None, settings_of(TrainConfig)[name].default):
            raise UserError(f"{corpus.folder} is tokenized already; leave out {name}")
    return {**values, "tokenizer": own}, replace(config, tokenizer=own)


def with_budget(values: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Settings updated with changes; a budget in minutes replaces one in steps, and the other way round."""
    over = {name: value for name, value in over.items() if value is not None}
    budgets = {"steps", "minutes"}
    others = {name: value for name, value in values.items() if not (name in budgets and budgets & over.keys())}
    return {**others, **over}


def rows_for(
    model: LanguageModel, part: Corpus, tokenizer: Tokenizer, *, stride: int | None = None, short: bool = False
) -> Rows:
    """The rows of a part that a model is scored on, as `Setup.rows` says; `short` as in `make_rows`.

    Raises:
        UserError: if the text is shorter than a row, or the stride is out of range or for a model that carries a state.
    """
    if stride is not None and not 1 <= stride <= model.block_size:
        raise UserError(f"stride must be between 1 and the block size {model.block_size}, got {stride}")
    if model.carry:
        if stride is not None:
            raise UserError("the model carries its state over all of the text: no window has to slide")
        return make_tracks(part, tokenizer, model.block_size)
    context = row_context(model)
    stride = stride if context is None else None
    return make_rows(part, tokenizer, model.block_size, context=context, stride=stride, short=short)


def slides(model: LanguageModel, kind: str | None) -> bool:
    """Whether scoring a text of this kind with a sliding window would say something that windows do not."""
    return kind == "stream" and row_context(model) is None and not model.carry


def sliding_stride(model: LanguageModel) -> int:
    """The stride of a sliding window unless told otherwise: every prediction sees at least three quarters of a
    block."""
    return max(1, model.block_size // 4)


def row_context(model: LanguageModel) -> int | None:
    """How many tokens each prediction must see, for `make_rows` and `Batches`: all of a short context; None, whatever
    its window contains, for a model that sees a whole block."""
    return max(1, model.context) if model.context < model.block_size else None


def batches_for(model: LanguageModel, part: Corpus, tokenizer: Tokenizer, config: TrainConfig) -> BatchSource:
    """The batches that a model is trained on, or counts.

    Raises:
        UserError: if the text is too short, or its kind or the settings do not suit the model.
    """
    context = row_context(model)
    if model.context > model.block_size and part.kind == "stream":
        raise UserError(
            f"{config.model} sees {model.context} tokens, so block_size must be at least that, got {model.block_size}"
        )
    if is_counting(model):
        if isinstance(model, Mixture):  # what is counted needs the n-gram's context, whatever the network sees
            context = row_context(model.ngram)
        return _RowBatches(make_rows(part, tokenizer, model.block_size, context=context), COUNTED_ROWS)
    if config.positions:
        if context is None:
            raise UserError(f"positions are for models of a short context; {config.model} sees a whole block")
        return Positions(part, tokenizer, context, config.batch_size, config.seed)
    if model.carry:
        if part.kind != "stream":
            raise UserError("carry is for a stream: a document has nothing to do with the one before")
        return TrackBatches(part, tokenizer, model.block_size, config.batch_size, config.seed)
    return Batches(part, tokenizer, model.block_size, config.batch_size, config.seed, context=context)


def _sort(values: Mapping[str, object]) -> tuple[TrainConfig, dict[str, Any]]:
    """Training's settings and the model's, checked."""
    own = settings_of(TrainConfig)
    model = own["model"].check(values.get("model", own["model"].default))
    choices = model_settings(model)
    of_model = {name: setting for name, setting in settings_of(MODELS[model][0]).items() if name not in own}
    for name in values:
        if name not in own and name not in of_model:
            others = [other for other in MODELS if name in model_settings(other)]
            if others:
                raise UserError(
                    f"{name} is a setting of {', '.join(others)}, not of {model}, which has {', '.join(choices)}"
                )
            raise unknown(name, [*own, *choices])
    config = build(TrainConfig, {name: value for name, value in values.items() if name in own})
    return config, {name: of_model[name].check(value) for name, value in values.items() if name in of_model}


def _make_tokenizer(config: TrainConfig, corpus: Corpus, train: Corpus) -> Tokenizer:
    """Characters are known from the whole text, what is learned only from the part to train on."""
    made = config.tokenizer in (BPE, WORDS)
    for name, of, given in (
        ("vocab_size", made, config.vocab_size is not None),
        ("min_count", config.tokenizer == WORDS, config.min_count != 1),
        ("lower", config.tokenizer == WORDS, config.lower),
    ):
        if given and not of:
            raise UserError(f"{name} is no setting of the tokenizer {config.tokenizer}")
    if config.tokenizer == CHARS:
        return CharTokenizer.train(corpus)
    if config.tokenizer == BPE:
        return BPETokenizer.train(train, config.vocab_size or BPE_VOCAB_SIZE)
    if config.tokenizer == WORDS:
        return WordTokenizer.train(train, config.vocab_size, min_count=config.min_count, lower=config.lower)
    return load_tokenizer(config.tokenizer)


def _block_size(corpus: Corpus, tokenizer: Tokenizer) -> int:
    if corpus.kind == "stream":
        return STREAM_BLOCK_SIZE
    ids = tokenizer.encode_documents(corpus.documents)
    longest = int(np.diff(np.flatnonzero(ids == tokenizer.separator)).max())
    return min(DOCUMENTS_BLOCK_SIZE, longest)


def lasting(corpus: str) -> str:
    """The name of a corpus, or its absolute path in a form that TOML can hold: as a file:// address where its bytes are
    not UTF-8."""
    if corpus in {entry.name for entry in catalogue()} or corpus.startswith(FILE_ADDRESS):
        return corpus
    path = Path(os.path.realpath(os.path.expanduser(corpus)))
    return str(path) if is_text(str(path)) else path.as_uri()


def lasting_tokenizer(name: str) -> str:
    """The name of a tokenizer, or its absolute path, as `lasting` gives that of a corpus."""
    return name if name in (CHARS, BPE, WORDS, GPT2) else lasting(name)


def vanishes(corpus: str) -> bool:
    """Whether a text can be read only once: it comes from a pipe, a terminal, or a file that has no name."""
    path = os.path.expanduser(corpus)
    if corpus in {entry.name for entry in catalogue()} or not os.path.exists(path):
        return False
    place = os.path.realpath(path)
    return not (os.path.isfile(place) or os.path.isdir(place))
