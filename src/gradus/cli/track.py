"""`gradus track`: a run's measurements for TensorBoard or Weights & Biases."""

from __future__ import annotations

import click

from gradus.cli.output import say
from gradus.cli.verb import RunArgument, Verb


@click.command("track", cls=Verb)
@click.argument("runs", type=RunArgument(), nargs=-1, required=True, metavar="RUN...")
@click.option("--to", "program", type=click.Choice(["tensorboard", "wandb"]), default="tensorboard", show_default=True)
@click.option("--project", default="gradus", show_default=True, help="The project in Weights & Biases.")
def command(runs: tuple[str, ...], program: str, project: str) -> None:
    """Write the measurements of each RUN for TensorBoard, into its folder, or log them to Weights & Biases (the extra
    wandb). They are read from its metrics.jsonl, while it trains or afterwards."""
    from gradus.report.track import to_tensorboard, to_wandb
    from gradus.training import RunFolder

    for run in runs:
        folder = RunFolder.open(run)
        say(str(to_tensorboard(folder) if program == "tensorboard" else to_wandb(folder, project)))
