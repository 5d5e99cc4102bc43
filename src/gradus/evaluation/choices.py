"""Multiple choice by likelihood: which of several endings continues a text? A language model chooses the one that it
finds the least surprising after it: by the sum of the losses of its tokens, or by their mean, which does not favour
short endings. The text may begin with examples of the same kind (few-shot prompting: Brown et al., 2020)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray

from gradus.backend import F, torch
from gradus.errors import UserError
from gradus.models import NOT_SCORED, LanguageModel, device_of, inference, rows_at_once
from gradus.text import Tokenizer

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Item:
    """A beginning, its possible endings, and which is the right one."""

    context: str
    endings: tuple[str, ...]
    label: int

    def __repr__(self) -> str:
        return f"Item({shorten(self.context, 60)!r}, {len(self.endings)} endings, label {self.label})"


@dataclass(frozen=True)
class Choices:
    """What a model found of N items with at most E endings each.

    Attributes:
        losses: (N, E) the sum of the losses of an ending's tokens, in nats; infinite where an item has fewer endings.
        lengths: (N, E) how many tokens these are.
        labels: (N,) the right endings.
        cropped: how many texts are longer than the model's block, so that only their end was read.
    """

    losses: Floats
    lengths: Ints
    labels: Ints
    cropped: int = 0

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

    @property
    def chance(self) -> float:
        """The accuracy of choosing blindly."""
        return float((1 / np.isfinite(self.losses).sum(axis=1)).mean())

    def error(self, accuracy: float) -> float:
        """The standard error of an accuracy over so many items: sqrt(p (1 - p) / N)."""
        return math.sqrt(accuracy * (1 - accuracy) / len(self.labels))


def choose(
    model: LanguageModel,
    tokenizer: Tokenizer,
    items: Sequence[Item],
    *,
    documents: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Choices:
    """Let a model choose among the endings of all items, each as it is after its context. Of a text longer than the
    model's block the end is read.

    >>> text = Corpus("tale", "stream", source="an example", text="abcd" * 50)
    >>> tokenizer = CharTokenizer.train(text)
    >>> model = build_model("ngram", vocab_size=4, block_size=8, order=2)
    >>> ids = torch.tensor(tokenizer.encode(text.text))[None]
    >>> model.count(ids[:, :-1].numpy(), ids[:, 1:].numpy())
    >>> choose(model, tokenizer, [Item("ab", ("ca", "cd"), 1), Item("b", ("cd", "aa", "a"), 0)]).chosen
    array([1, 0])

    Args:
        documents: begin each text as a document begins, with the separator.
        progress: is told how many more endings are done.

    Raises:
        UserError: if an ending is longer than the block, or the tokenizer does not know a character.
    """
    rows, lengths = _rows(tokenizer, items, model.block_size, documents)
    read = [row[-model.block_size - 1 :] for row in rows]
    losses = np.zeros(len(rows))
    for which in _batches([len(row) - 1 for row in read], model):
        x, y = _padded([read[i] for i in which], lengths[which])
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
    endings = np.array([len(item.endings) for item in items])
    there = np.arange(endings.max()) < endings[:, None]  # (N, E)
    sums, counts = np.full(there.shape, np.inf), np.ones(there.shape, np.int64)
    sums[there], counts[there] = losses, lengths
    cropped = sum(len(row) > model.block_size + 1 for row in rows)
    return Choices(sums, counts, np.array([item.label for item in items]), cropped)


def _rows(tokenizer: Tokenizer, items: Sequence[Item], block_size: int, documents: bool) -> tuple[list[Ints], Ints]:
    """The tokens of each context with each of its endings, and the length of the ending."""
    rows, lengths = [], []
    for number, item in enumerate(items):
        context = tokenizer.encode(item.context)
        if documents or not len(context):
            context = np.concatenate([[tokenizer.separator], context])
        for text in item.endings:
            ending = tokenizer.encode(text)
            if len(ending) > block_size:
                raise UserError(
                    f"an ending of item {number} has {len(ending)} tokens; a model of block_size {block_size} cannot "
                    "see it whole"
                )
            rows.append(np.concatenate([context, ending]).astype(np.int64))
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
