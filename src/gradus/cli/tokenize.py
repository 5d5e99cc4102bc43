"""`gradus tokenize`: the tokens of a text. In a terminal the text in pieces, the id under each; in a pipe one token a
line, id and piece between tabs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

import click

from gradus.cli.verb import Verb

COLOURS = ("black on cyan", "black on yellow", "black on green", "black on magenta")
MARKS = {" ": "·", "\n": "↵", "\t": "→"}  # what cannot be seen, where the terminal has these characters


@click.command("tokenize", cls=Verb)
@click.argument("text", metavar="TEXT")
@click.option(
    "--tokenizer",
    "name",
    default="gpt2",
    show_default=True,
    help="Whose: GPT-2's, downloaded once; that of a run; or a file or folder with tokenizer.json, vocab.json and "
    "merges.txt, or encoder.json and vocab.bpe.",
)
@click.option("--special", is_flag=True, help="Take special tokens, such as <|endoftext|>, from the text.")
def command(text: str, name: str, special: bool) -> None:
    """Show the tokens of TEXT with their ids. The text - stands for standard input."""
    from gradus.text import BPETokenizer, load_tokenizer

    data = sys.stdin.buffer.read() if text == "-" else os.fsencode(text)
    tokenizer = load_tokenizer(name)
    if isinstance(tokenizer, BPETokenizer):
        ids = tokenizer.encode(_decoded(data), allowed_special="all") if special else tokenizer.encode_bytes(data)
        pieces = [tokenizer.vocab[id_] for id_ in ids.tolist()]
    else:
        ids = tokenizer.encode(_decoded(data))
        pieces = [tokenizer.decode([id_]).encode("utf-8", "surrogatepass") for id_ in ids.tolist()]
    _show(list(zip(ids.tolist(), pieces, strict=True)), len(data))


def _decoded(data: bytes) -> str:
    from gradus.errors import UserError

    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"the text is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from error


def _show(tokens: list[tuple[int, bytes]], size: int) -> None:
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        for id_, piece in tokens:
            click.echo(f"{id_}\t{_legible(piece, {})}")
        return
    marks = MARKS if console.encoding.startswith("utf") else {}
    for line in _lines(((str(id_), _legible(piece, marks)) for id_, piece in tokens), console.width):
        above, below = Text(), Text(style="dim")
        for number, wide, under, shown in line:
            above.append(shown, COLOURS[number % len(COLOURS)]).append(" " * (1 + wide - cell_len(shown)))
            below.append(under.ljust(wide + 1))
        console.print(above, below, sep="\n", no_wrap=True)
    console.print(f"{len(tokens):,} tokens for {size:,} bytes", style="bold")


def _lines(cells: Iterable[tuple[str, str]], width: int) -> Iterator[list[tuple[int, int, str, str]]]:
    """The cells of each line of a terminal: the token's number, the cell's width, the id, and the piece. A piece wider
    than a line goes on in the next."""
    from rich.cells import cell_len, chop_cells

    line: list[tuple[int, int, str, str]] = []
    used = 0
    for number, (id_, whole) in enumerate(cells):
        for part, shown in enumerate(chop_cells(whole, width - 1) or [""]):
            below = "" if part else id_
            wide = max(cell_len(shown), len(below))
            if line and used + wide + 1 > width:
                yield line
                line, used = [], 0
            line.append((number, wide, below, shown))
            used += wide + 1
    if line:
        yield line


def _legible(piece: bytes, marks: dict[str, str]) -> str:
    """A piece on one line: what is no character, or cannot be printed, as an escape."""
    text = piece.decode("utf-8", "backslashreplace")
    shown = [c if c.isprintable() else c.encode("unicode_escape").decode() for c in text]
    return "".join(marks.get(c, s) for c, s in zip(text, shown, strict=True))
