"""A run that is being looked at: its model, its tokenizer, and how it reads a text. What is read from disk is read when
it is first asked for, so that curves need no weights."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.generation.answers import MASK, encode_masked
from gradus.models import MODELS, Encoder, LanguageModel
from gradus.text import Tokenizer, framed
from gradus.text.tokenizer import Ids
from gradus.training import RunFolder, labels_of, load_model, tokenizer_of
from gradus.training.moments import moment_steps


class Opened:
    """A run, or a model in memory, that is being looked at.

        opened = open_run("runs/names-gpt-1")
        opened.model(torch.from_numpy(opened.row("ma")[None]))

    Attributes:
        name: what it is called on the page.
        folder: where it lies; None for a model in memory.
        moment: which of its weights these are: None for those of the lowest dev loss, "last", or those after so many
            steps, such as "64".
        lock: held while a view looks at the model, which is watched by hooks: two at once would see each other's.
    """

    def __init__(self, folder: RunFolder | None, name: str, moment: str | None = None) -> None:
        self.folder, self.name, self.moment = folder, name, moment
        self.lock = threading.Lock()

    @classmethod
    def of(
        cls, model: LanguageModel, tokenizer: Tokenizer, name: str = "in memory", *, text_kind: str = "stream"
    ) -> Opened:
        """A model that needs no folder, with its tokenizer.

        Args:
            text_kind: what it was trained on: "documents", "stream", "pairs", "labelled".
        """
        opened = cls(None, name)
        opened.__dict__.update(model=model.eval(), tokenizer=tokenizer, text_kind=text_kind, labels=())
        return opened

    @cached_property
    def model(self) -> LanguageModel:
        """The model, in eval mode."""
        step = int(self.moment) if self.moment not in (None, "last") else None
        return load_model(self._on_disk, last=self.moment == "last", moment=step)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What turns text into ids and back."""
        return tokenizer_of(self._on_disk, self.model)

    @cached_property
    def text_kind(self) -> str:
        """What it was trained on: "documents", each beginning and ending with the separator, "stream", ..."""
        return str(self._on_disk.settings().get("kind"))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The names of a classifier's labels, in their order."""
        return labels_of(self._on_disk)

    @cached_property
    def kind(self) -> str:
        """The model's name in the registry: "gpt", "nplm", ..."""
        return next(name for name, (config, _) in MODELS.items() if type(self.model.config) is config)

    @property
    def config(self) -> Any:
        """The settings that the model was built from."""
        return self.model.config

    @property
    def block_size(self) -> int:
        """The longest row that the model is given, in tokens."""
        return self.model.block_size

    def encode(self, text: str) -> Ids:
        """(n,) int64; of a model that says what is hidden, with its mask for each [MASK]. UserError at a character that
        the model does not know."""
        if isinstance(self.model, Encoder) and not self.model.config.n_labels:
            return encode_masked(self.tokenizer, text)
        return self.tokenizer.encode(text)

    def row(self, text: str) -> Ids:
        """(T,) int64, T from 1 to block_size: what the model reads before it predicts what follows the text. Documents,
        and an empty text, begin with the separator; of a longer text, the last tokens. An encoder reads a text between
        its two separators; of a longer one, the first tokens."""
        ids = self.encode(text)
        if isinstance(self.model, Encoder):
            return framed(ids, self.tokenizer, self.block_size)
        if self.text_kind == "documents" or not len(ids):
            ids = np.concatenate([[self.tokenizer.separator], ids])
        return ids[-self.block_size :]

    def piece(self, id_: int) -> str:
        """The text of one token."""
        if isinstance(self.model, Encoder) and id_ == self.tokenizer.vocab_size:
            return MASK
        return self.tokenizer.decode([int(id_)])

    @property
    def _on_disk(self) -> RunFolder:
        assert self.folder is not None
        return self.folder


def open_run(path: str | Path, moment: str | None = None) -> Opened:
    """Open a run to look at it.

    Args:
        path: the run's folder.
        moment: which weights: None for those with the lowest dev loss, "last" for the last ones, or the number of steps
            after which they were kept, such as "64".

    Raises:
        UserError: if there is no run at the path, or no such moment.
    """
    folder = RunFolder.open(path)
    if moment not in (None, "last"):
        steps = [str(step) for step in moment_steps(folder)]
        if moment not in steps:
            raise UserError(f"{folder.path} has no moment {moment!r}; there is {', '.join(['last', *steps])}")
    return Opened(folder, str(path), moment)
