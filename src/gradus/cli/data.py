"""`gradus data`: the corpora there are, and what is in one. A table in a terminal; in a pipe, fields between tabs."""

from __future__ import annotations

import click

from gradus.cli.output import show_table
from gradus.cli.verb import Verb, VerbGroup

HEAD = ("name", "kind", "place", "what it is")
LEAVING = ("place", "kind")  # what leaves a narrow terminal, in this order


class Data(VerbGroup):
    """The group of `list` and `show`."""

    takes_name = "show"


@click.command("data", cls=Data, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the corpora, or show what is in one."""
    if context.invoked_subcommand is None:
        context.invoke(list_corpora)


@command.command("list", cls=Verb)
def list_corpora() -> None:
    """List the corpora by name."""
    from gradus.text import catalogue

    lines = [(entry.name, entry.kind, entry.place, entry.about) for entry in catalogue()]
    show_table(HEAD, lines, leaving=LEAVING, wrapping="what it is", left=HEAD)


@command.command("show", cls=Verb)
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice(["documents", "stream", "pairs", "labelled"]),
    help="How to read a file: one document a line, one stream, or lines of source TAB target or of label TAB text; "
    "detected by default.",
)
def show(name: str, kind: str | None) -> None:
    """Show what is in the corpus NAME, which may be a file or folder."""
    from gradus.text import load_corpus, summarize

    rows = summarize(load_corpus(name, kind=kind))  # type: ignore[arg-type]  # Choice gives only kinds
    show_table(("", "what is in it"), rows, leaving=(), wrapping="what is in it", left=("", "what is in it"))
