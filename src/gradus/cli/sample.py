"""`gradus sample`: generate text with a trained model."""

from __future__ import annotations

import click

from gradus.cli.verb import RunArgument, Verb
from gradus.cli.writing import show_samples
from gradus.errors import UserError
from gradus.generation import SamplingRule, samples
from gradus.report.answers import answers
from gradus.training import RunFolder, load_model, tokenizer_of


@click.command("sample", cls=Verb)
@click.argument("run", type=RunArgument())
@click.option("--prompt", default="", help="The prompt: what the text begins with.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    help="Divides the logits: 0 is greedy, always the most likely token; above 1 is more random.  [default: 1, of "
    "translations 0]",
)
@click.option("--top-k", type=click.IntRange(min=1), help="Top-k sampling: draw from the K most likely tokens only.")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    help="Top-p (nucleus) sampling: draw from the most likely tokens that have this probability together.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1337,
    show_default=True,
    help="Random seed: the same seed generates the same text.",
)
@click.option("-n", "--num", type=click.IntRange(min=1), help="How many texts.  [default: 10 documents, 1 of a stream]")
@click.option(
    "--length",
    type=click.IntRange(min=1),
    help="Tokens to add, which are characters unless the run has another tokenizer.  [default: documents until they "
    "end, 500 of a stream]",
)
@click.option(
    "--beams",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Beam search of this width, for a model that translates.",
)
@click.option("--last", is_flag=True, help="Use the last weights, not those with the lowest dev loss.")
def command(
    run: str,
    prompt: str,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    seed: int,
    num: int | None,
    length: int | None,
    beams: int,
    last: bool,
) -> None:
    """Generate text with the model in the folder RUN. It appears as it is drawn.

    A model of pairs translates the prompt. One of labels names those of the prompt; one that finds hidden tokens says
    what each [MASK] in it may be.
    """
    opened = RunFolder.open(run)
    model = load_model(opened, last=last)
    default = 1.0 if model.continues else 0.0
    rule = SamplingRule(default if temperature is None else temperature, top_k, top_p)
    if not model.continues:
        for line in answers(opened, model, prompt, number=num, beams=beams, length=length, rule=rule, seed=seed):
            click.echo(line)
        return
    if beams > 1:
        raise UserError("--beams is for models that translate")
    texts = samples(
        model,
        tokenizer_of(opened, model),
        str(opened.settings().get("kind")),
        prompt=prompt,
        number=num,
        length=length,
        rule=rule,
        seed=seed,
    )
    show_samples(texts)
