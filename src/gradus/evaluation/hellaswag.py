"""HellaSwag (Zellers et al., 2019): which of four endings continues a story? Chance is 1/4; the released GPT-2 reaches
0.29 with 124 million parameters and 0.49 with 1.5 billion, both by the sum of the losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gradus.errors import UserError
from gradus.evaluation.choices import Choices, Item, choose
from gradus.evaluation.task import read_items
from gradus.files import from_json
from gradus.models import LanguageModel
from gradus.text import Tokenizer


def read_hellaswag(path: str | Path) -> list[Item]:
    """The items of a file of JSON lines, each with `ctx`, `endings` and `label`, as HellaSwag is published; what else a
    line says is not looked at.

    Raises:
        UserError: if the file cannot be read, or a line is no such item.
    """
    return read_items(path, _item)


def hellaswag(
    model: LanguageModel,
    tokenizer: Tokenizer,
    items: Sequence[Item],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Choices:
    """Let a model choose among the endings of all items, as the completions that they are: the ending, after a space,
    follows the story. UserError as in `choose`."""
    spaced = [replace(item, endings=tuple(" " + ending for ending in item.endings)) for item in items]
    return choose(model, tokenizer, spaced, progress=progress)


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
