"""`gradus bench`: our engine beside PyTorch and micrograd, in one table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gradus import files
from gradus.bench.contestant import Tell
from gradus.bench.machine import cores
from gradus.bench.rows import ROWS, choose_rows
from gradus.cli.output import work_goes_on
from gradus.cli.verb import Verb

NAMES = ", ".join(row.name for row in ROWS)
CLEAR = "\r\x1b[K"  # to the beginning of the line, and empty it


class Threads(click.ParamType[list[int]]):
    """Numbers of threads between commas."""

    name = "N,N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        try:
            numbers = sorted({int(part) for part in str(value).split(",")})
        except ValueError:
            numbers = []
        if not numbers or numbers[0] < 1:
            self.fail(f"{value!r} is not a list of numbers of threads, like 1,2", param, ctx)
        return numbers


@click.command("bench", cls=Verb)
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option(
    "--threads",
    type=Threads(),
    help="Numbers of threads, the same for all.  [default: 1, and 2 if there are cores; --quick: the most of these]",
)
@click.option("--quick", is_flag=True, help="Under a minute: fewer rounds and steps, without the slowest rows.")
@click.option(
    "--compile/--no-compile",
    default=None,
    help="Whether to measure compiled PyTorch; compiling takes minutes.  [default: yes, with --quick no]",
)
@click.option(
    "-o",
    "--out",
    "file",
    metavar="FILE.json",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write all figures here.",
)
@click.pass_context
def command(
    ctx: click.Context,
    rows: tuple[str, ...],
    threads: list[int] | None,
    quick: bool,
    compile: bool | None,
    file: Path | None,
) -> None:
    """Measure the engine side by side with PyTorch, compiled PyTorch and micrograd, as far as they are installed."""
    from rich.console import Console

    from gradus.bench.side_by_side import side_by_side
    from gradus.bench.table import plain_table, print_table

    chosen = choose_rows(rows, quick=quick)
    console = Console()
    with work_goes_on(), _telling() as tell:
        record = side_by_side(
            chosen,
            threads or [n for n in (1, 2) if n <= cores()][-1 if quick else 0 :],
            quick=quick,
            compile=not quick if compile is None else compile,
            tell=tell,
        )
    if file is not None:
        with files.saving(file):
            files.write(file, files.to_json(record.as_json(), indent=1).encode() + b"\n")
    if record.lines and console.is_terminal:
        print_table(record, console)
    elif record.lines:
        click.echo(plain_table(record))
    if record.interrupted:
        click.echo(
            "\nInterrupted: " + ("the table holds what was done by then." if record.lines else "nothing was done.")
        )
        ctx.exit(130)


command.help = f"{command.help}\n\nROWs are the works to measure, all by default: {NAMES}."


@contextmanager
def _telling() -> Iterator[Tell]:
    """Progress, on standard error: one line that changes on a terminal, a line each time elsewhere.

    Nothing moves by itself there: a spinner would take time from what is measured."""
    if not sys.stderr.isatty():
        yield lambda line: click.echo(line, err=True)
        return
    try:
        yield lambda line: click.echo(f"{CLEAR}{line}", err=True, nl=False)
    finally:
        click.echo(CLEAR, err=True, nl=False)
