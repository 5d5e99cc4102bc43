"""Tasks in files, and prompts with examples: a question a line, with its choices and the right one. A task is measured
by `choose`, or its lines are the examples of a prompt that a model goes on with (Brown et al., 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gradus.errors import UserError
from gradus.evaluation.choices import Item
from gradus.files import from_json

# What published data sets call the parts of a line of JSON.
PROMPT, CHOICES, ANSWER = ("prompt", "question", "ctx", "query"), ("choices", "endings", "options"), ("answer", "label")


@dataclass(frozen=True)
class Prompts:
    """How a prompt is put together: `sea mer`, a line each, are questions and answers with these two between them."""

    delimiter: str = " "  # between a question and its answer
    separator: str = "\n"  # after an example

    def prompt(self, question: str, examples: Sequence[Item] = ()) -> str:
        """Examples with their right answers, and a question without.

        >>> print(Prompts().prompt("sun", [Item("sea", ("mer", "Meer"), 0), Item("moon", ("lune", "Mond"), 0)]))
        sea mer
        moon lune
        sun
        """
        shown = (item.context + self.delimiter + item.endings[item.label] for item in examples)
        return self.separator.join([*shown, question])

    def task(
        self, items: Sequence[Item], shots: int = 0, examples: Sequence[Item] = (), seed: int = 1337
    ) -> list[Item]:
        """The items as they are scored: each after so many examples, and its choices after the delimiter.

        Args:
            shots: how many examples, drawn for each item by itself.
            examples: what they are drawn from; of none, from the other items.
            seed: of the draws.

        Raises:
            UserError: if there are not so many examples.
        """
        pool, most = examples or items, len(examples) or len(items) - 1
        if not 0 <= shots <= most:
            raise UserError(f"shots must be between 0 and {most}, as many examples as there are, got {shots}")
        out = []
        for number, item in enumerate(items):
            drawn = np.random.default_rng([seed, number]).permutation(len(pool)) if shots else ()
            own = list(islice((pool[i] for i in drawn if examples or i != number), shots))
            endings = tuple(self.delimiter + ending for ending in item.endings)
            out.append(Item(self.prompt(item.context, own), endings, item.label))
        return out


def read_task(path: str | Path, *, least: int = 2) -> list[Item]:
    """The items of a file, one a line.

    A line is JSON, `{"prompt": "2 + 3 =", "choices": ["4", "5"], "answer": 1}`, where the answer is the number of the
    right choice, from 0, or its text, and the names may be those that published data sets have; or it is text between
    tabs: the prompt, the right choice, then the wrong ones.

    Args:
        least: how many choices an item must have; 1 for examples of a prompt.

    Raises:
        UserError: if the file cannot be read, or a line is no such item.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    items = [_item(line, f"{path}, line {number}", least) for number, line in enumerate(lines, 1) if line.strip()]
    if not items:
        raise UserError(f"there are no items in {path}")
    return items


def _item(line: bytes, where: str, least: int) -> Item:
    try:
        item = _from_json(from_json(line)) if line.lstrip().startswith(b"{") else _from_tabs(line.decode("utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where} is no question with choices: {error}") from error
    if not all(isinstance(text, str) for text in (item.context, *item.endings)):
        raise UserError(f"{where} is no question with choices: they must be text")
    if len(item.endings) < least:
        raise UserError(f"{where} has {len(item.endings)} choices; there must be at least {least}")
    if not all(text.strip() for text in item.endings):
        raise UserError(f"{where} has a choice that is empty")
    if type(item.label) is not int or not 0 <= item.label < len(item.endings):
        raise UserError(f"{where} has the answer {item.label!r}, which is none of its {len(item.endings)} choices")
    if item.endings.count(item.endings[item.label]) > 1:
        raise UserError(f"{where} has the right choice twice")
    return item


def _from_json(fields: Any) -> Item:
    prompt, choices, answer = (_field(fields, names) for names in (PROMPT, CHOICES, ANSWER))
    if not isinstance(choices, list):
        raise TypeError("choices must be a list")
    if answer in choices:
        answer = choices.index(answer)
    elif isinstance(answer, str) and answer.isdecimal():
        answer = int(answer)
    return Item(prompt, tuple(choices), answer)


def _field(fields: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        if name in fields:
            return fields[name]
    raise ValueError(f"it has no {' or '.join(names)}")


def _from_tabs(line: str) -> Item:
    prompt, *choices = line.rstrip("\r").split("\t")
    if not choices:
        raise ValueError("it has no tab between a prompt and its choices")
    return Item(prompt, tuple(choices), 0)
