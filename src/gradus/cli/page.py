"""`gradus page`: a run, or a climb, as one page."""

from __future__ import annotations

from pathlib import Path

import click

from gradus.cli.verb import RunArgument, Verb
from gradus.report.trained import is_old, write_page_of


@click.command("page", cls=Verb)
@click.argument("run", type=RunArgument())
def command(run: str) -> None:
    """Write the page of RUN, the folder of a run, a climb or a comparison, from what is in it now: losses, curves,
    samples. A page that is there is replaced. In a climb, a run that was trained further is measured again."""
    folder = Path(run)
    old = is_old(folder)
    page = write_page_of(folder)
    click.echo(f"{page}{', which was older than its run, is written anew' if old else ''}")
