"""HellaSwag (Zellers et al., 2019): which of four endings continues a story? A language model chooses the one that it
finds the least surprising after the story: by the sum of the losses of its tokens, or by their mean, which does not
favour short endings. Chance is 1/4; the released GPT-2 reaches 0.29 with 124 million parameters and 0.49 with 1.5
billion, both by the sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.files import from_json
from gradus.models import NOT_SCORED, LanguageModel, device_of, inference, rows_at_once
from gradus.text import Tokenizer

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Item:
    """A story, its possible endings, and which is the right one."""

    context: str
    endings: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class Choices:
    """What a model found of N items with E endings each.

    Attributes:
        losses: (N, E) the sum of the losses of an ending's tokens, in nats.
        lengths: (N, E) how many tokens these are.
        labels: (N,) the right endings.
    """

    losses: Floats
    lengths: Ints
    labels: Ints

    def __repr__(self) -> str:
        return (
            f"Choices({len(self.labels)} items, accuracy {self.accuracy:.4f} ± {self.error(self.accuracy):.4f}, "
            f"length-normalised {self.accuracy_norm:.4f} ± {self.error(self.accuracy_norm):.4f})"
        )

    @property
    def chosen(self) -> Ints:
        """(N,) the endings with the lowest sum."""
        return self.losses.argmin(axis=1)

    @property
    def chosen_norm(self) -> Ints:
        """(N,) the endings with the lowest mean."""
        return (self.losses / self.lengths).argmin(axis=1)

    @property
    def accuracy(self) -> float:
        """The part of the items of which `chosen` is right."""
        return float((self.chosen == self.labels).mean())

    @property
    def accuracy_norm(self) -> float:
        """The part of the items of which `chosen_norm` is right."""
        return float((self.chosen_norm == self.labels).mean())

    def error(self, accuracy: float) -> float:
        """The standard error of an accuracy over so many items: sqrt(p (1 - p) / N)."""
        return math.sqrt(accuracy * (1 - accuracy) / len(self.labels))


def read_hellaswag(path: str | Path) -> list[Item]:
    """The items of a file of JSON lines, each with `ctx`, `endings` and `label`, as HellaSwag is published; what else a
    line says is not looked at.

    Raises:
        UserError: if the file cannot be read, or a line is no such item.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    items = [_item(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not items:
        raise UserError(f"there are no items in {path}")
    return items


def hellaswag(
    model: LanguageModel,
    tokenizer: Tokenizer,
    items: Sequence[Item],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Choices:
    """Let a model choose among the endings of all items, as the completions that they are: the ending, after a space,
    follows the story. Of a story longer than the model's block the end is read.

    Args:
        items: all with the same number of endings.
        progress: is told how many more endings are done.

    Raises:
        UserError: if an ending is longer than the block, or the tokenizer does not know a character.
    """
    rows, lengths = _rows(tokenizer, items, model.block_size)
    losses = np.zeros(len(rows))
    for which in _batches([len(row) - 1 for row in rows], model):
        x, y = _padded([rows[i] for i in which], lengths[which])
        with inference(model):
            logits = model(torch.from_numpy(x).to(device_of(model)))[0]  # (B, T, V)
            each = F.cross_entropy(
                logits.view(-1, logits.size(-1)),
                torch.from_numpy(y).to(device_of(model)).view(-1),
                ignore_index=NOT_SCORED,
                reduction="none",
            )  # (B * T,)
        losses[which] = each.double().view(*y.shape).sum(1).cpu().numpy()
        progress(len(which))
    shape = len(items), -1
    return Choices(losses.reshape(shape), lengths.reshape(shape), np.array([item.label for item in items]))


def _item(line: bytes, where: str) -> Item:
    try:
        fields = from_json(line)
        label = fields["label"]
        if isinstance(label, str) and label.isdecimal():  # as the data set is on the Hugging Face hub
            label = int(label)
        item = Item(fields["ctx"], tuple(fields["endings"]), label)
        if not isinstance(fields["endings"], list):
            raise TypeError("endings must be a list")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where} is no item of HellaSwag: {error!r}") from error
    if not all(isinstance(text, str) for text in (item.context, *item.endings)) or type(item.label) is not int:
        raise UserError(f"{where} is no item of HellaSwag: ctx and endings must be text, label a number")
    if not all(text.strip() for text in item.endings):
        raise UserError(f"{where} is no item of HellaSwag: an ending is empty")
    if len(item.endings) != 4 or not 0 <= item.label < 4:
        raise UserError(f"{where} has {len(item.endings)} endings and the label {item.label}; there must be 4, from 0")
    return item


def _rows(tokenizer: Tokenizer, items: Sequence[Item], block_size: int) -> tuple[list[Ints], Ints]:
    """The tokens of each story with each of its endings, no more than can be read, and the length of the ending."""
    rows, lengths = [], []
    for number, item in enumerate(items):
        story = tokenizer.encode(item.context)
        for text in item.endings:
            ending = tokenizer.encode(" " + text)
            if len(ending) > block_size:
                raise UserError(
                    f"an ending of item {number} has {len(ending)} tokens; a model of block_size {block_size} cannot "
                    "see it whole"
                )
            before = story if len(story) else np.array([tokenizer.separator])
            rows.append(np.concatenate([before, ending])[-block_size - 1 :])
            lengths.append(len(ending))
    return rows, np.array(lengths)


def _batches(lengths: Sequence[int], model: LanguageModel) -> Iterator[Ints]:
    """Rows of about the same length, as many at a time as are scored at once."""
    order = np.argsort(lengths, kind="stable")
    while len(order):
        number = rows_at_once(model.config.vocab_size, lengths[order[-1]])  # the longest row that is left
        yield order[-number:]
        order = order[:-number]


def _padded(rows: Sequence[Ints], lengths: Ints) -> tuple[Ints, Ints]:
    """x and y (B, T), of which the endings are scored."""
    x = np.zeros((len(rows), max(map(len, rows)) - 1), np.int64)
    y = np.full_like(x, NOT_SCORED)
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        x[i, : len(row) - 1] = row[:-1]
        y[i, len(row) - 1 - length : len(row) - 1] = row[-length:]
    return x, y
