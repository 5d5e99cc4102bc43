"""`gradus export`: a run as a folder that `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import click

from gradus.cli.output import say
from gradus.cli.verb import RunArgument, Verb


@click.command("export", cls=Verb)
@click.argument("run", type=RunArgument())
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--last", is_flag=True, help="The last weights, not those with the lowest dev loss.")
def command(run: str, folder: Path, last: bool) -> None:
    """Write the model and tokenizer of RUN into the new folder FOLDER, for Hugging Face's transformers."""
    from gradus.hub import export_run
    from gradus.training import RunFolder

    name = export_run(RunFolder.open(run), folder, last=last)
    say(f"{folder}: transformers.{name}.from_pretrained({str(folder)!r}), AutoTokenizer.from_pretrained(...)")
