"""`gradus sample`: generate text with a trained model."""

from __future__ import annotations

import click

from gradus.cli.writing import samples, show_samples
from gradus.errors import UserError
from gradus.generation import SamplingRule
from gradus.text import tokenizer_from_json
from gradus.training import TOKENIZER, Run, load_model


@click.command("sample")
@click.argument("run")
@click.option("--prompt", default="", help="What the text begins with.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="0 takes the likeliest token; above 1 is bolder.",
)
@click.option("--top-k", type=click.IntRange(min=1), help="Draw from the K likeliest tokens only.")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    help="Draw from the likeliest tokens that have this probability together.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1337,
    show_default=True,
    help="The same seed writes the same text.",
)
@click.option("-n", "--num", type=click.IntRange(min=1), help="How many texts.  [default: 10 documents, 1 of a stream]")
@click.option(
    "--length",
    type=click.IntRange(min=1),
    help="Characters to add.  [default: documents until they end, 500 of a stream]",
)
@click.option("--last", is_flag=True, help="Use the last weights, not those with the lowest dev loss.")
def command(
    run: str,
    prompt: str,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    seed: int,
    num: int | None,
    length: int | None,
    last: bool,
) -> None:
    """Generate text with the model in the folder RUN. It appears as it is drawn."""
    try:
        rule = SamplingRule(temperature, top_k, top_p)
    except ValueError as error:
        raise UserError(str(error)) from error
    opened = Run.open(run)
    texts = samples(
        load_model(opened, last=last),
        tokenizer_from_json(opened.read(TOKENIZER), opened.path / TOKENIZER),
        str(opened.settings().get("kind")),
        prompt=prompt,
        number=num,
        length=length,
        rule=rule,
        seed=seed,
    )
    show_samples(texts)
