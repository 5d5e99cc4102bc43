"""The flags of prompts with examples, which `sample` and `eval` have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

import click

from gradus.evaluation import Prompts

F = TypeVar("F", bound=Callable[..., Any])
ESCAPES = {r"\n": "\n", r"\t": "\t"}


def prompt_options(command: F) -> F:
    """Give a command --examples, --shots, and the two that become its argument `prompts`."""

    @wraps(command)
    def with_prompts(*args: Any, delimiter: str, separator: str, **kwargs: Any) -> Any:
        return command(*args, prompts=Prompts(_plain(delimiter), _plain(separator)), **kwargs)

    options = (
        click.option(
            "--examples",
            metavar="FILE",
            help="Show examples from this file first: a line is a question and its answer between a tab, or JSON with "
            "prompt, choices and answer.",
        ),
        click.option(
            "--shots",
            type=click.IntRange(min=0),
            metavar="K",
            help="How many examples to show.  [default: all of --examples]",
        ),
        click.option(
            "--delimiter", default=" ", help="What stands between a question and its answer.  [default: a space]"
        ),
        click.option(
            "--separator", default="\n", help=r"What stands after an example; \n is a new line.  [default: \n]"
        ),
    )
    out: Any = with_prompts
    for option in reversed(options):
        out = option(out)
    typed: F = out
    return typed


def changed(prompts: Prompts) -> dict[str, str]:
    """The flags of `prompts` that were given, with what they say."""
    said = {f"--{field.name}": (getattr(prompts, field.name), field.default) for field in fields(prompts)}
    return {flag: value for flag, (value, default) in said.items() if value != default}


def _plain(text: str) -> str:
    for written, meant in ESCAPES.items():
        text = text.replace(written, meant)
    return text
