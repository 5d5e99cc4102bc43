"""`gradus merge`: a run that was fine-tuned by LoRA as a plain run."""

from __future__ import annotations

import shlex

import click

from gradus.cli.verb import RunArgument, Verb


@click.command("merge", cls=Verb)
@click.argument("run", type=RunArgument())
@click.option(
    "-o", "--out", "folder", metavar="DIR", help="The folder of the merged run.  [default: runs/NAME-merged-NUMBER]"
)
@click.option("--last", is_flag=True, help="The last weights, not those with the lowest dev loss.")
def command(run: str, folder: str | None, last: bool) -> None:
    """Write RUN, which was trained with --lora-rank and holds only what that adds, as a run of its own: it needs the
    run that was adapted no longer, and its logits are the same."""
    from gradus.training import RunFolder, merge_run

    place = shlex.quote(str(merge_run(RunFolder.open(run), folder, last=last).path))
    click.echo(f"run      {place}")
    click.echo(f"generate gradus sample {place}")
