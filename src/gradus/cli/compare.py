"""`gradus compare`: runs of one text in one table and one page."""

from __future__ import annotations

from pathlib import Path

import click

from gradus.cli.verb import RunArgument, Verb
from gradus.report.table import plain_table, print_table
from gradus.report.trained import compare


@click.command("compare", cls=Verb)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=RunArgument())
@click.option("-o", "--out", metavar="DIR", help="The folder of table and page.  [default: runs/compare-NUMBER]")
def command(runs: tuple[str, ...], out: str | None) -> None:
    """Compare the runs in the folders RUN, which must have learned the same text: their losses, measured in the same
    way, in one table, and one page with their curves together. A climb's folder stands for all of its runs."""
    from rich.console import Console

    record, folder = compare([Path(run) for run in runs], None if out is None else Path(out))
    console = Console()
    if console.is_terminal:
        print_table(record, console)
    else:
        click.echo(plain_table(record))
    click.echo(f"\n{folder / 'index.html'}")
