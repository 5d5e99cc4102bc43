"""`gradus data`: the corpora there are, and what is in one. A table in a terminal; in a pipe, fields between tabs."""

from __future__ import annotations

from collections.abc import Sequence

import click


@click.group("data", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the corpora, or show what is in one."""
    if context.invoked_subcommand is None:
        context.invoke(list_corpora)


@command.command("list")
def list_corpora() -> None:
    """List the corpora by name."""
    from gradus.text import catalogue

    lines = [(entry.name, entry.kind, entry.place, entry.about) for entry in catalogue()]
    _print_table(("name", "kind", "place", "what it is"), lines)


@command.command("show")
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice(["documents", "stream"]),
    help="How to read a file: one document a line, or one stream; detected by default.",
)
def show(name: str, kind: str | None) -> None:
    """Show what is in the corpus NAME, which may be a file or folder."""
    from gradus.text import load_corpus, summarize

    _print_table(None, summarize(load_corpus(name, kind=kind)))  # type: ignore[arg-type]  # Choice gives only kinds


def _print_table(header: Sequence[str] | None, lines: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        for line in lines:
            click.echo("\t".join(line))
        return
    table = Table(*(header or ("", "")), box=None, show_header=header is not None)
    table.columns[0].style = "bold"
    for column in table.columns:
        column.overflow = "fold"  # a path is of use only whole
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))  # a Text is shown as it is, brackets too
    console.print(table)
