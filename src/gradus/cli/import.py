"""`gradus import`: a run of weights that others have trained."""

from __future__ import annotations

import shlex

import click

from gradus.cli.output import say
from gradus.cli.verb import Verb


@click.command("import", cls=Verb)
@click.argument("source", metavar="FOLDER|gpt2|OWNER/NAME")
@click.option("-o", "--out", "folder", metavar="DIR", help="The folder of the run.  [default: runs/NAME-NUMBER]")
def command(source: str, folder: str | None) -> None:
    """Make a run of GPT-2's weights, to sample from, measure and train further; or of BERT's, to fine-tune.

    They are in a FOLDER as Hugging Face's transformers writes it, with config.json, model.safetensors (or shards of it)
    and a tokenizer; or they are downloaded from its hub, which needs the extra hub: gpt2, gpt2-medium, gpt2-large,
    gpt2-xl, or any OWNER/NAME of the same architecture.
    """
    from gradus.hub import import_run
    from gradus.training import load_model

    run = import_run(source, folder)
    model = load_model(run)
    say(
        f"{run.path.name}: {model.num_parameters():,} parameters, sees {model.block_size:,} tokens, a vocabulary of "
        f"{model.config.vocab_size:,} tokens"
    )
    place = shlex.quote(str(run.path))
    click.echo(f"run       {run.path}")
    if "labelled" not in model.kinds:
        click.echo(f"generate  gradus sample {place}")
        click.echo(f"evaluate  gradus eval {place} --text FILE")
    click.echo(f"fine-tune gradus train FILE --init-from {place}")
