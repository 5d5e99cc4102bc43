"""`gradus runs`: the runs in a folder. A table in a terminal; in a pipe, fields between tabs. Several runs are
compared."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from gradus.cli.compare import command as compare
from gradus.cli.output import show_table
from gradus.cli.verb import Verb
from gradus.report.trained import is_old, summaries
from gradus.training import RUNS

HEAD = ("run", "model", "text", "budget", "steps", "dev", "test", "when")
LEAVING = ("when", "budget", "steps", "text", "model")  # what leaves a narrow terminal, in this order


@click.command("runs", cls=Verb)
@click.argument("folders", metavar="[DIR] | RUN RUN...", nargs=-1)
@click.pass_context
def command(ctx: click.Context, folders: tuple[str, ...]) -> None:
    """List the runs in the folder DIR and in the climbs there, the latest first.  [default: runs]

    The losses are nats per character: dev the lowest of the run, test that of its best weights when it ended. Two RUNs
    or more are compared in one table and one page, their curves together, as gradus compare does.
    """
    if len(folders) > 1:
        ctx.invoke(compare, runs=folders, out=None)
        return
    folder = folders[0] if folders else RUNS
    found = summaries(Path(folder))
    rows = [
        (
            str(run.path),
            run.model,
            run.text,
            run.budget,
            f"{run.steps:,}",
            *("" if loss is None else f"{loss:.4f}" for loss in (run.dev, run.test)),
            f"{run.when:%Y-%m-%d %H:%M}",
        )
        for run in found
    ]
    show_table(HEAD, rows, leaving=LEAVING, left=("run", "model", "text"))
    if not found:
        click.echo(f"there are no runs in {folder}; gradus train makes the first one", err=True)
    for path in dict.fromkeys(place for run in found for place in (run.path, run.path.parent)):
        if is_old(path):
            command = shlex.join(["gradus", "page", str(path)])
            click.echo(f"the page of {path} is older than its run; {command} writes it anew", err=True)
