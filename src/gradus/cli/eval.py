"""`gradus eval`: a trained model's loss on a whole split, and where it is most surprised."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from gradus.cli.losses import told
from gradus.cli.output import say
from gradus.cli.verb import RunArgument, Split, Verb
from gradus.cli.worst import lines_of
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.evaluation import worst as worst_positions
from gradus.models import Transformer
from gradus.report.answers import results
from gradus.training import RunFolder, load_model, reopen, sliding_stride


class Positions(click.IntRange):
    """A number of positions. The flag stands without one too, and so takes a RUN that follows it for one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not value.removeprefix("-").isdecimal():
            raise click.UsageError(f"--worst takes a number of positions, got {value!r}; RUN goes before --worst", ctx)
        return super().convert(value, param, ctx)


@click.command("eval", cls=Verb)
@click.argument("run", type=RunArgument())
@click.option(
    "--split",
    type=Split(),
    default="test",
    show_default=True,
    help="The split of the text to measure.",
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
def command(run: str, split: Any, sliding: bool, stride: int | None, worst: int | None, beams: int, last: bool) -> None:
    """Measure the loss of the model in the folder RUN on every character of a split, each scored once; of one that
    translates or labels also how much is right."""
    opened = RunFolder.open(run)
    model = load_model(opened, last=last)
    if sliding and stride is None:
        stride = sliding_stride(model)
    if worst is not None and not model.continues:
        raise UserError("--worst shows how a text goes on; this model does not continue texts")
    if beams > 1 and not isinstance(model, Transformer):
        raise UserError("--beams is for models that translate")
    setup = replace(reopen(opened), model=model)
    examples = setup.examples(split, stride=stride)
    say(f"{split} loss {told(evaluate(model, examples), setup, split, digits=6, counts=True)}")
    for line in results(setup, split, beams=beams):
        click.echo(line)
    if worst is not None:
        click.echo()
        for line in lines_of(worst_positions(model, setup.rows(split, stride=stride), worst), setup):
            click.echo(line, color=False if os.environ.get("NO_COLOR") else None)
