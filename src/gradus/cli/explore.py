"""`gradus explore`: look inside a model, on a page of this machine."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from gradus.cli.output import say
from gradus.cli.verb import RunArgument, Verb
from gradus.errors import UserError
from gradus.explorer.runs import Runs
from gradus.report.trained import summaries
from gradus.training import RUNS, RunFolder, runs_in


@click.command("explore", cls=Verb)
@click.argument("runs", metavar="[RUN]...", type=RunArgument(), nargs=-1)
@click.option("--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1.  [default: a free one]")
@click.option("--no-open", is_flag=True, help="Print the address, and leave the browser closed.")
@click.pass_context
def command(ctx: click.Context, runs: tuple[str, ...], port: int | None, no_open: bool) -> None:
    """Look inside a model: what it does with a text, how it samples, its backward pass, how it learned.

    RUN is the folder of a run or of a climb; the page opens on the first, and offers those beside it, too. Without one,
    it offers those in the folder runs, and to train a small one. It is served on this machine only, until Ctrl-C.
    """
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise UserError("explore needs Starlette and uvicorn, which are not installed: pip install 'gradus-lm[web]'")
    from gradus.explorer.serve import serve

    for run in runs:
        if not runs_in(run):
            RunFolder.open(run)

    def started(address: str) -> None:
        say("the page is at", address)
        say("Ctrl-C ends it")
        if not no_open:
            webbrowser.open(address)

    debug = getattr(ctx.find_root().command, "debug", False)
    first = runs[0] if runs and not runs_in(runs[0]) else None
    serve(Runs(lambda: _offered(runs), first), port=port, started=started, debug=debug)


def _offered(runs: Sequence[str]) -> list[Path]:
    """The runs that were named, and those beside them; or those in the folder runs, the latest first."""
    if not runs:
        return [run.path for run in summaries(RUNS)] if Path(RUNS).is_dir() else []
    named = [path for run in runs for path in runs_in(run) or [Path(run)]]
    return list(dict.fromkeys([*named, *(beside for path in named for beside in runs_in(path.parent))]))
