"""`gradus data`: the corpora there are, and what is in one (a table in a terminal; in a pipe, fields between tabs); a
large text prepared for training, and the sums of one that is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gradus.cli.output import say, show_table, work_goes_on
from gradus.cli.verb import Verb, VerbGroup
from gradus.text.preparing import HELD_OUT, SHARD_TOKENS, VOCAB_SIZE

HEAD = ("name", "kind", "place", "what it is")
LEAVING = ("place", "kind")  # what leaves a narrow terminal, in this order


class Data(VerbGroup):
    """The group of `list`, `show`, `prepare` and `verify`."""

    takes_name = "show"


@click.command("data", cls=Data, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the corpora, or show what is in one; prepare a text that is larger than the memory."""
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


@command.command("prepare", cls=Verb)
@click.argument("source", metavar="SOURCE")
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), metavar="FOLDER", required=True,
              help="The folder of the prepared text. One that was begun by the same command is finished.")  # fmt: skip
@click.option("--tokenizer", default="bpe", show_default=True, metavar="NAME|PATH",
              help="chars, bpe or words, made for this text; gpt2; or a file, folder or run.")  # fmt: skip
@click.option("--vocab-size", type=click.IntRange(min=1), metavar="N",
              help=f"The most tokens of bpe and words.  [default: {VOCAB_SIZE} of bpe, all words]")  # fmt: skip
@click.option("--field", default="text", show_default=True, metavar="NAME",
              help="The column of JSON lines, Parquet or a data set that holds the text.")  # fmt: skip
@click.option("--shard-tokens", type=click.IntRange(min=1), default=SHARD_TOKENS, show_default=True, metavar="N",
              help="Tokens in a shard.")  # fmt: skip
@click.option("--held-out", type=click.IntRange(min=1), default=HELD_OUT, show_default=True, metavar="N",
              help="Characters of dev and of test, at most: of a small text they are a 20th and a 10th.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: one a core]")
@click.pass_context
def prepare_source(
    context: click.Context,
    source: str,
    folder: Path,
    tokenizer: str,
    vocab_size: int | None,
    field: str,
    shard_tokens: int,
    held_out: int,
    workers: int | None,
) -> None:
    """Tokenize SOURCE once into the files of a folder, from which gradus train FOLDER reads what it needs.

    SOURCE is a text file, a folder of them, JSON lines (.jsonl), Parquet, a folder that datasets has saved,
    hf:OWNER/NAME for a data set on the Hugging Face hub, or a corpus by name. It may be larger than the memory.
    """
    from gradus.text import prepare

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with work_goes_on(), _bar() as show:
        try:
            manifest = prepare(
                source,
                folder,
                tokenizer=tokenizer,
                vocab_size=vocab_size,
                field=field,
                shard_tokens=shard_tokens,
                held_out=held_out,
                workers=workers or cores,
                progress=lambda stage, done, tokens: show(stage, done, f"{tokens:,} tokens" if tokens else ""),
            )
        except KeyboardInterrupt:
            click.echo("\nstopped; the same command goes on where it was", err=True)
            context.exit(130)
    for part, found in manifest.parts.items():
        say(
            f"{part:5} {found.tokens:,} tokens, {found.characters:,} characters, {found.bytes:,} bytes, in "
            f"{len(found.shards):,} {'shard' if len(found.shards) == 1 else 'shards'}"
        )
    say(f"train it by gradus train {folder}")


@command.command("verify", cls=Verb)
@click.argument("folder", metavar="PREPARED", type=click.Path(path_type=Path))
def verify_folder(folder: Path) -> None:
    """Compare every shard of the prepared text in the folder PREPARED with its sum, and name those that are damaged."""
    from gradus.text import verify

    with _bar() as show:
        manifest = verify(folder, lambda done, total: show("reading", done / total, f"{done:,} bytes"))
    number = sum(len(part.shards) for part in manifest.parts.values())
    say(f"{folder}: {number:,} {'shard is' if number == 1 else 'shards are'} as they were written")


@contextmanager
def _bar() -> Iterator[Callable[[str, float, str], None]]:
    """What is being done, the part of it that is done, and a remark, on standard error: a bar in a terminal, a line at
    every tenth in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        told: set[str] = set()

        def tell(what: str, done: float, remark: str) -> None:
            line = f"{what} {int(10 * done) * 10}%"
            if line not in told:
                told.add(line)
                print("  ".join(filter(None, (line, remark))), file=sys.stderr, flush=True)

        yield tell
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[remark]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, int] = {}

        def draw(what: str, done: float, remark: str) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0, remark="")
            progress.update(tasks[what], completed=done, remark=remark)  # type: ignore[arg-type]  # rich's TaskID

        yield draw
