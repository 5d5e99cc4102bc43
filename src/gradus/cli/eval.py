"""`gradus eval`: a trained model's loss on a whole split, and where it is most surprised; its loss on another text;
HellaSwag, and other tasks of multiple choice; the same of several runs in a table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from gradus.cli.losses import in_words, told
from gradus.cli.output import say, show_table
from gradus.cli.prompts import changed, prompt_options
from gradus.cli.verb import RunArgument, Split, Verb, device_option
from gradus.cli.worst import lines_of
from gradus.errors import UserError
from gradus.evaluation import Choices, Item, Prompts, evaluate, read_hellaswag, read_task
from gradus.evaluation import worst as worst_positions
from gradus.files import note
from gradus.models import Transformer
from gradus.report.answers import results
from gradus.report.measure import measure, measure_task
from gradus.training import RunFolder, load_model, reopen, sliding_stride


class Positions(click.IntRange):
    """A number of positions. The flag stands without one too, and so takes a RUN that follows it for one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not value.removeprefix("-").isdecimal():
            raise click.UsageError(f"--worst takes a number of positions, got {value!r}; RUN goes before --worst", ctx)
        return super().convert(value, param, ctx)


@click.command("eval", cls=Verb)
@click.argument("runs", type=RunArgument(), nargs=-1, required=True, metavar="RUN...")
@click.option("--split", type=Split(), help="The split of the text to measure.  [default: test]")
@click.option("--text", metavar="FILE", help="Measure on this text instead: a file, a folder, or a corpus by name.")
@click.option(
    "--hellaswag",
    metavar="FILE.jsonl",
    help="Which of four endings does the model choose? By the sum and by the mean of the losses of their tokens.",
)
@click.option(
    "--task",
    metavar="FILE",
    help="Which of its choices does the model find the most likely answer to each question? A line is JSON with "
    "prompt, choices and answer, or the prompt, the right answer and wrong ones between tabs.",
)
@prompt_options
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), help="Random seed of which examples are shown.  [default: 1337]"
)
@click.option(
    "--sliding",
    is_flag=True,
    help="Sliding window: overlap the windows, so that every prediction sees at least three quarters of a block.",
)
@click.option(
    "--stride",
    type=click.IntRange(min=1),
    help="Stride of the sliding window, in tokens; 1 gives every prediction a full context.",
)
@click.option(
    "--worst",
    type=Positions(min=1),
    is_flag=False,
    flag_value=10,
    metavar="[N]",
    help="Also show the N positions, 10 by default, that it predicts worst, and what it expected there.",
)
@click.option(
    "--beams",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Of a model that translates: also search with a beam of this width.",
)
@click.option("--last", is_flag=True, help="Use the last weights, not those with the lowest dev loss.")
@device_option
def command(
    runs: tuple[str, ...],
    split: Any,
    text: str | None,
    hellaswag: str | None,
    task: str | None,
    examples: str | None,
    shots: int | None,
    prompts: Prompts,
    seed: int | None,
    sliding: bool,
    stride: int | None,
    worst: int | None,
    beams: int,
    last: bool,
    device: str,
) -> None:
    """Measure the loss of the model in the folder RUN on every character of a split, each scored once; of one that
    translates or labels also how much is right. Several RUNs make a table, in units that compare models with different
    tokenizers."""
    opened = [RunFolder.open(run) for run in runs]
    of_a_task = {"--examples": examples, "--shots": shots, "--seed": seed, **changed(prompts)}
    for flag, value in of_a_task.items():
        if task is None and value is not None:
            raise UserError(f"{flag} is for --task")
    if task is not None or hellaswag is not None:
        others = {"--split": split, "--text": text, "--sliding": sliding, "--stride": stride, "--worst": worst}
        others |= {"--beams": beams > 1, "--hellaswag": task and hellaswag}
        for flag, given in others.items():
            if given:
                raise UserError(f"{flag} has no place beside {'--hellaswag' if task is None else '--task'}")
        if task is None:
            items, title = Prompts().task(read_hellaswag(str(hellaswag))), "HellaSwag"
        else:
            items, title = _task(task, prompts, shots, examples, 1337 if seed is None else seed)
        _choices(opened, items, title, last, device)
    elif text is not None or len(opened) > 1:
        if worst is not None or beams > 1:
            raise UserError(f"{'--beams' if worst is None else '--worst'} is for one run and a split of its own text")
        if text is not None and split is not None:
            raise UserError("--text is measured whole; --split is for a run's own text")
        _losses(opened, text, split or "test", sliding, stride, last, device)
    else:
        _split(opened[0], split or "test", sliding, stride, worst, beams, last, device)


def _split(
    run: RunFolder,
    split: Any,
    sliding: bool,
    stride: int | None,
    worst: int | None,
    beams: int,
    last: bool,
    device: str,
) -> None:
    model = load_model(run, last=last, device=device)
    if sliding and stride is None:
        stride = sliding_stride(model)
    if worst is not None and not model.continues:
        raise UserError("--worst shows how a text goes on; this model does not continue texts")
    if beams > 1 and not isinstance(model, Transformer):
        raise UserError("--beams is for models that translate")
    setup = replace(reopen(run), model=model)
    examples = setup.examples(split, stride=stride)
    say(f"{split} loss {told(evaluate(model, examples), setup, split, digits=6, counts=True)}")
    for line in results(setup, split, beams=beams):
        click.echo(line)
    if worst is not None:
        click.echo()
        for line in lines_of(worst_positions(model, setup.rows(split, stride=stride), worst), setup):
            click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


def _losses(
    runs: Sequence[RunFolder], text: str | None, split: Any, sliding: bool, stride: int | None, last: bool, device: str
) -> None:
    """The loss of one run in words, of several as a table."""
    rows = []
    for run in runs:
        found = measure(run, text, split=split, sliding=sliding, stride=stride, last=last, device=device)
        score, characters, size = found.score, found.characters, found.size
        if len(runs) == 1:
            said = in_words(score, found.tokenizer, characters, size, found.rows, digits=6, counts=True)
            say(f"{text}: perplexity {score.perplexity:.4f}, {said}")
            return
        figures = score.nats, score.perplexity, score.bits_per(characters), score.bits_per(size)
        rows.append((str(run.path), *(f"{figure:.4f}" for figure in figures), f"{score.count:,}"))
    head = ("run", "nats/token", "perplexity", "bits/char", "bits/byte", "tokens")
    show_table(head, rows, leaving=("tokens", "nats/token", "perplexity"), left=("run",))


def _task(file: str, prompts: Prompts, shots: int | None, examples: str | None, seed: int) -> tuple[list[Item], str]:
    """A task's items, each after its examples, all those of a file where their number is not given; and its title."""
    shown = [] if examples is None else read_task(examples, least=1)
    number = len(shown) if shots is None else shots
    return prompts.task(read_task(file), number, shown, seed), f"{file}, {number} example{'' if number == 1 else 's'}"


def _choices(runs: Sequence[RunFolder], items: list[Item], title: str, last: bool, device: str) -> None:
    """Let each run choose, and show how often it was right: of one run in words, of several as a table."""
    endings = sum(len(item.endings) for item in items)
    with click.progressbar(length=len(runs) * endings, label=title, file=sys.stderr) as bar:
        found = [(run, measure_task(run, items, last=last, device=device, progress=bar.update)) for run in runs]
    for run, choices in found:
        if choices.cropped:
            note(f"{choices.cropped:,} texts are longer than the block of {run.path}: only their end was read")
    if len(runs) == 1:
        choices = found[0][1]
        say(
            f"{len(items):,} items: accuracy {_with_error(choices, choices.accuracy)}, length-normalised "
            f"{_with_error(choices, choices.accuracy_norm)}; by chance {choices.chance:.3g}"
        )
        return
    rows = [(str(run.path), _with_error(c, c.accuracy), _with_error(c, c.accuracy_norm)) for run, c in found]
    show_table(("run", "accuracy", "length-normalised"), rows, leaving=(), left=("run",))


def _with_error(choices: Choices, accuracy: float) -> str:
    return f"{accuracy:.4f} ± {choices.error(accuracy):.4f}"
