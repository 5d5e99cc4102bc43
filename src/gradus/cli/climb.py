"""`gradus climb`: every model of the ladder, one table, one page."""

from __future__ import annotations

import shlex

import click

from gradus.cli.output import say, work_goes_on
from gradus.cli.verb import Verb
from gradus.report.climb import climb
from gradus.report.ladder import LADDER
from gradus.report.onlooker import Onlooker
from gradus.report.table import plain_table, print_table

MODELS = ", ".join(dict.fromkeys(step.model for step in LADDER))


@click.command("climb", cls=Verb)
@click.argument("corpus", default="words")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Time budget for all models together, approximate.  [default: each model's own number of steps, about 5 "
    "minutes in all on two idle cores]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1337,
    show_default=True,
    help="Random seed of weights, batches and samples.",
)
@click.option("-o", "--out", metavar="DIR", help="The folder of the climb.  [default: runs/climb-CORPUS-NUMBER]")
@click.option("--model", "models", multiple=True, metavar="NAME", help=f"Only this model; may be repeated: {MODELS}.")
@click.option("--diagnose", is_flag=True, help="Also look inside the models, and show pictures of that on the page.")
@click.pass_context
def command(
    ctx: click.Context,
    corpus: str,
    minutes: float | None,
    seed: int,
    out: str | None,
    models: tuple[str, ...],
    diagnose: bool,
) -> None:
    """Train every model of the ladder on a text and compare them, in a table and a page whose path comes last.

    CORPUS is a name from gradus data, or a file or folder of your own.  [default: words]
    """
    from rich.console import Console

    console = Console()
    onlooker = Onlooker(console)
    with work_goes_on():
        try:
            record, folder = climb(
                corpus, minutes, seed=seed, out=out, only=models, diagnose=diagnose, watcher=onlooker
            )
        finally:
            onlooker.close()
    click.echo()
    if console.is_terminal:
        print_table(record, console)
    else:
        click.echo(plain_table(record))
    if record.interrupted:
        say("\nInterrupted: the table and the page hold what was done by then.")
    best = record.best_network or record.rungs[-1]
    say("\ngenerate text:", f"gradus sample {shlex.quote(best.folder)}")
    # The GPT's attention is the first thing to be seen; from its page, every other rung's.
    inside = next((rung for rung in record.rungs if rung.model == "gpt"), best)
    say("look inside:", f"gradus explore {shlex.quote(inside.folder)}")
    click.echo(folder / "index.html")
    if record.interrupted:
        ctx.exit(130)
