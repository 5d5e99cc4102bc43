"""HellaSwag (Zellers et al., 2019): which of four endings continues a story? Chance is 1/4; the released GPT-2 reaches
0.29 with 124 million parameters and 0.49 with 1.5 billion, both by the sum of the losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gradus.evaluation.choices import Choices, Item, choose
from gradus.evaluation.task import Prompts, read_task
from gradus.models import LanguageModel
from gradus.text import Tokenizer


def read_hellaswag(path: str | Path) -> list[Item]:
    """The items of a file of JSON lines, each with `ctx`, `endings` and `label`, as HellaSwag is published: a task with
    four choices. UserError as in `read_task`."""
    return read_task(path, least=4)


def hellaswag(
    model: LanguageModel,
    tokenizer: Tokenizer,
    items: Sequence[Item],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Choices:
    """Let a model choose among the endings of all items, as the completions that they are: the ending, after a space,
    follows the story. UserError as in `choose`."""
    return choose(model, tokenizer, Prompts().task(items), progress=progress)
