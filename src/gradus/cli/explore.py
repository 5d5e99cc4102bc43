"""`gradus explore`: look inside a model, on a page of this machine."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import click

from gradus.cli.output import say
from gradus.cli.verb import RunArgument, Verb
from gradus.errors import UserError
from gradus.explorer.headless import find_browser, opened_out_of_sight
from gradus.explorer.runs import Runs
from gradus.files import saving, write
from gradus.report.trained import summaries
from gradus.training import RUNS, RunFolder, runs_in


@click.command("explore", cls=Verb)
@click.argument("runs", metavar="[RUN]...", type=RunArgument(), nargs=-1)
@click.option("--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1.  [default: a free one]")
@click.option("--no-open", is_flag=True, help="Print the address, and leave the browser closed.")
@click.option("--state", default="", metavar="LINK", help="What to show: a link from the page, or what it has after #.")
@click.option(
    "--export",
    "out",
    metavar="FILE.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what that shows as one page, which needs no server, and end. A browser does it, out of sight.",
)
@click.pass_context
def command(
    ctx: click.Context, runs: tuple[str, ...], port: int | None, no_open: bool, state: str, out: Path | None
) -> None:
    """Look inside a model: what it does with a text, how it samples, its backward pass, how it learned.

    RUN is the folder of a run or of a climb; the page opens on the first, and offers those beside it, too. Without one,
    it offers those in the folder runs, and to train a small one. It is served on this machine only, until Ctrl-C.
    """
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise UserError("explore needs Starlette and uvicorn, which are not installed: pip install 'gradus-lm[web]'")
    from gradus.explorer.serve import exported, serve

    for run in runs:
        if not runs_in(run):
            RunFolder.open(run)
    first = runs[0] if runs and not runs_in(runs[0]) else None
    offered, fragment = Runs(lambda: _offered(runs), first), state.rpartition("#")[2]
    if out is not None:
        if first is None and "run=" not in fragment:
            raise UserError("--export needs the RUN that it shows")
        page = exported(offered, fragment, _browser(no_open))
        with saving(out):
            write(out, page.encode())
        say("wrote", str(out))
        return

    def started(address: str) -> None:
        address += f"#{fragment}" if fragment else ""
        say("the page is at", address)
        say("Ctrl-C ends it")
        if not no_open:
            webbrowser.open(address)

    debug = getattr(ctx.find_root().command, "debug", False)
    serve(offered, port=port, started=started, debug=debug)


def _browser(no_open: bool) -> Callable[[str], AbstractContextManager[None]]:
    """What opens an address in a browser: out of sight where that is possible, else in the user's own."""
    program = find_browser()
    if program is not None:
        return partial(opened_out_of_sight, program)
    if no_open:
        raise UserError("--export needs a browser: install Chromium or Chrome, or leave out --no-open")

    @contextmanager
    def in_sight(address: str) -> Iterator[None]:
        if not webbrowser.open(address):
            raise UserError("--export needs a browser, and there is none; install Chromium or Chrome")
        yield

    return in_sight


def _offered(runs: Sequence[str]) -> list[Path]:
    """The runs that were named, and those beside them; or those in the folder runs, the latest first."""
    if not runs:
        return [run.path for run in summaries(RUNS)] if Path(RUNS).is_dir() else []
    named = [path for run in runs for path in runs_in(run) or [Path(run)]]
    return list(dict.fromkeys([*named, *(beside for path in named for beside in runs_in(path.parent))]))
