"""`gradus sample`: generate text with a trained model."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from gradus import files
from gradus.cli.prompts import changed, prompt_options
from gradus.cli.verb import RunArgument, Verb, device_option
from gradus.cli.writing import show_samples
from gradus.errors import UserError
from gradus.evaluation import Prompts, read_task
from gradus.generation import SamplingRule, half_precision, samples
from gradus.report.answers import answers
from gradus.report.attention import draw_attention
from gradus.training import RunFolder, load_model, tokenizer_of

PICTURES = (".svg", ".png", ".pdf")


@click.command("sample", cls=Verb)
@click.argument("run", type=RunArgument())
@click.option(
    "--prompt",
    default="",
    help="The prompt: what the text begins with. - reads standard input, without the newline at its end.",
)
@prompt_options
@click.option("-i", "--interactive", is_flag=True, help="Ask for one prompt after the other; Ctrl-D ends.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    help="Divides the logits: 0 is greedy, always the most likely token; above 1 is more random.  [default: 1, of "
    "translations 0]",
)
@click.option("--top-k", type=click.IntRange(min=1), help="Top-k sampling: draw from the K most likely tokens only.")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1),
    help="Top-p (nucleus) sampling: draw from the most likely tokens that have this probability together.",
)
@click.option(
    "--min-p",
    type=click.FloatRange(0, 1),
    help="Min-p sampling: leave out tokens that are less likely than this times the most likely one.",
)
@click.option(
    "--repetition-penalty",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Above 1, tokens that are in the text already become less likely.",
)
@click.option("--stop", multiple=True, help="End the text before this string; may be given several times.")
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
@click.option(
    "--attention",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw what the model looked at in the prompt, as .svg, .png or .pdf: for each word of a translation the words "
    "of its source; of other models, all heads.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="How a gpt's matrices are stored: as float16 they are rounded, to a part in 2,048, and read sooner.",
)
@click.option("--last", is_flag=True, help="Use the last weights, not those with the lowest dev loss.")
@device_option
def command(
    run: str,
    prompt: str,
    examples: str | None,
    shots: int | None,
    prompts: Prompts,
    interactive: bool,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    min_p: float | None,
    repetition_penalty: float,
    stop: tuple[str, ...],
    seed: int,
    num: int | None,
    length: int | None,
    beams: int,
    attention: Path | None,
    dtype: str,
    last: bool,
    device: str,
) -> None:
    """Generate text with the model in the folder RUN. It appears as it is drawn.

    With --examples FILE the model is shown the examples in FILE before the prompt, a line each, and writes an answer up
    to the end of the line. A model of pairs translates the prompt. One of labels names those of the prompt; one that
    finds hidden tokens says what each [MASK] in it may be.
    """
    if interactive and prompt:
        raise UserError("--interactive asks for the prompts, so --prompt has no use")
    if attention is not None and (interactive or attention.suffix not in PICTURES):
        what = "is of one --prompt" if interactive else f"writes {', '.join(PICTURES)}, not {attention.name}"
        raise UserError(f"--attention {what}")
    for flag, value in {"--shots": shots, **changed(prompts)}.items():
        if examples is None and value is not None:
            raise UserError(f"{flag} is for --examples")
    shown = [] if examples is None else read_task(examples, least=1)
    if shots is not None and shots > len(shown):
        raise UserError(f"there are {len(shown)} examples in {examples}, fewer than --shots {shots}")
    shown = shown[:shots]
    if shown and attention is not None:
        raise UserError("--attention draws a prompt without examples")
    opened = RunFolder.open(run)
    model = load_model(opened, last=last, device=device)
    if dtype == "float16":
        half_precision(model)
    default = 1.0 if model.continues else 0.0
    rule = SamplingRule(default if temperature is None else temperature, top_k, top_p, min_p, repetition_penalty)
    if model.continues:
        if beams > 1:
            raise UserError("--beams is for models that translate")
        tokenizer, kind = tokenizer_of(opened, model), str(opened.settings().get("kind"))
        if shown:
            stop = (*stop, prompts.separator)

        def texts(*, prompt: str, number: int | None, seed: int) -> Iterable[Iterable[str]]:
            whole = prompts.prompt(prompt, shown)
            found = samples(
                model, tokenizer, kind, prompt=whole, number=number, length=length, rule=rule, stop=stop, seed=seed
            )
            return (_without(text, len(whole) - len(prompt)) for text in found)

    else:
        if stop or shown:
            raise UserError(f"{'--stop' if stop else '--examples'} is for models that continue a text")
        texts = partial(answers, opened, model, beams=beams, length=length, rule=rule)
    if not interactive:
        prompt = _standard_input() if prompt == "-" else prompt
        found = texts(prompt=prompt, number=num, seed=seed)
        if attention is None:
            show_samples(found)
            return
        written = [list(pieces) for pieces in found]
        figure = draw_attention(model, tokenizer_of(opened, model), prompt, "".join(written[0]))
        show_samples(written)
        with files.saving(attention):
            figure.savefig(attention)
        click.echo(f"wrote {attention}", err=True)
        return
    for turn, line in enumerate(_lines()):
        try:
            number = num or (1 if model.continues else None)
            show_samples(texts(prompt=line, number=number, seed=(seed + turn) % 2**32))
        except KeyboardInterrupt:  # ends the text, not the conversation
            click.echo()
        except UserError as error:  # such as a character that the model does not know
            click.echo(f"gradus: {error}", err=True)


def _without(text: Iterable[str], number: int) -> Iterator[str]:
    """The pieces of a text but for its first characters, which are the examples."""
    for piece in text:
        yield piece[number:]
        number = max(0, number - len(piece))


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        what = f"byte {error.start} is 0x{data[error.start]:02x}"
        raise UserError(f"the prompt on standard input is not UTF-8: {what}") from error


def _lines() -> Iterator[str]:
    """The lines that are typed, with the editing and the history of readline, where Python has it."""
    with suppress(ImportError):
        import readline  # noqa: F401 (input() uses it from now on)
    while True:
        try:
            yield input("> ")
        except EOFError:
            click.echo()
            return
        except UnicodeDecodeError as error:
            click.echo(f"gradus: the line is not UTF-8: {error}", err=True)
