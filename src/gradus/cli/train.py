"""`gradus train`: one model, one text, one budget. Puts together text, model, training and evaluation, and prints the
results."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Any

import click

from gradus import backend
from gradus.cli.losses import told
from gradus.cli.meant import ALIASES
from gradus.cli.options import SettingsCommand, given
from gradus.cli.output import say, work_goes_on
from gradus.cli.verb import RunArgument
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.files import saving
from gradus.models import MODELS
from gradus.report.answers import results
from gradus.report.examine import require_continues
from gradus.report.train import kept_loss, train_run, write_pages, write_samples
from gradus.text import CharTokenizer, PreparedText
from gradus.text.summary import WHAT
from gradus.training import (
    RECIPES,
    RUNS,
    Hardware,
    RunFolder,
    Setup,
    TrainConfig,
    TrainResult,
    create_run,
    find_learning_rate,
    is_counting,
    model_settings,
    read_toml,
    reopen_to_resume,
    set_up_new,
    settings_of,
    show_progress,
    slides,
    with_budget,
    write_beginning,
)

TRAINING = {name: setting for name, setting in settings_of(TrainConfig).items() if name != "corpus"}
EVERY_MODEL = {"block_size": model_settings("gpt")["block_size"]}
OF_A_MODEL = {
    f"The model {model}": {name: setting for name, setting in model_settings(model).items() if name not in EVERY_MODEL}
    for model in MODELS
}
NOTES = {"block_size": "default: 64 for a stream, the longest document and its end for documents"}


def _shown(name: str, value: object) -> str:
    """A setting of a recipe, as the help page has it: `batch-size 64`, `carry`."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return flag if value else f"no-{flag}"
    return f"{flag} {value:g}" if isinstance(value, float) else f"{flag} {value}"


OTHER_DEFAULTS = "; ".join(
    f"{model} on {'a stream' if kind == 'stream' else kind}: "
    + ", ".join(_shown(name, value) for name, value in recipe.items())
    for (model, kind), recipe in RECIPES.items()
)


@click.command(
    "train",
    cls=SettingsCommand,
    sections={"Training": TRAINING, "Every model": EVERY_MODEL, **{k: v for k, v in OF_A_MODEL.items() if v}},
    notes=NOTES,
    epilog=f"Other defaults hold for {OTHER_DEFAULTS}.\n\nA file for --config is TOML: flags without their dashes, as "
    "in n_layer = 6. A flag goes before the file.\n\nFlags may be written with underscores. Also understood: "
    + ", ".join(f"--{alias} as --{real}" for alias, real in ALIASES.items() if real.replace("-", "_") in TRAINING)
    + ".",
)
@click.argument("corpus", required=False)
@click.option(
    "--config",
    "file",
    type=click.Path(),
    metavar="FILE.toml",
    help="Read settings from a file, such as a run's config.toml.",
)
@click.option(
    "-o", "--out", "folder", metavar="DIR", help=f"The folder of the run.  [default: {RUNS}/CORPUS-MODEL-NUMBER]"
)
@click.option(
    "--resume",
    type=RunArgument(),
    metavar="RUN",
    help="Resume a run or finish its report; --steps or --minutes: a new budget. It may go on elsewhere: --device, "
    "--precision, --compile, --shard.",
)
@click.option(
    "--diagnose",
    is_flag=True,
    help="Collect at each evaluation what it looks like inside, draw it next to the run, and show it on its page.",
)
@click.option(
    "--find-lr", is_flag=True, help="Only suggest a learning rate: sweep it, and save the curve as learning-rate.svg."
)
@click.option("--page", is_flag=True, help="At the end, also write the run as one page: losses, curve, samples.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    corpus: str | None,
    file: str | None,
    folder: str | None,
    resume: str | None,
    diagnose: bool,
    find_lr: bool,
    page: bool,
    **flags: Any,
) -> None:
    """Train one model on CORPUS: a name from gradus data, or a file or folder of your own.  [default: pydocs]"""
    settings = given({"corpus": corpus, **flags})
    if resume is not None:
        changes = given({"config": file, "out": folder, "find_lr": find_lr or None, **settings})
        run = RunFolder.open(resume)
        with run.in_use(), work_goes_on():
            setup = reopen_to_resume(run, **changes)
            if page:
                require_continues(setup.model, str(run.path))  # before it is trained
            _train(ctx, run, setup, page, diagnose)
        return
    settings = with_budget(read_toml(file) if file is not None else {}, settings)
    if find_lr and (page or diagnose):
        raise UserError(f"--find-lr trains no run; leave out {'--page' if page else '--diagnose'}")
    setup = set_up_new(settings)
    if find_lr:
        _find_lr(setup, Path(folder or "."))
        return
    if page:
        require_continues(setup.model, setup.config.model)  # before anything is written
    run = create_run(setup, folder)
    with run.in_use(), work_goes_on():
        write_beginning(run, setup)
        _train(ctx, run, setup, page, diagnose)


def _find_lr(setup: Setup, folder: Path) -> None:
    """Sweep the learning rate, save the curve and print a suggestion."""
    if is_counting(setup.model):
        raise UserError(f"{setup.config.model} counts; it has no learning rate")
    from gradus.plots import plot_sweep

    sweep = find_learning_rate(setup.model, setup.batches, setup.config)
    path = folder / "learning-rate.svg"
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
        plot_sweep(sweep.rates, sweep.losses, sweep.suggestion).savefig(path)
    at = sweep.losses.index(min(sweep.losses))
    click.echo(f"lowest loss {sweep.losses[at]:.3f} at {sweep.rates[at]:.2g}, after {len(sweep.rates)} steps; {path}")
    click.echo(f"suggestion: --learning-rate {sweep.suggestion:.2g}")


def _train(ctx: click.Context, run: RunFolder, setup: Setup, page: bool, diagnose: bool) -> None:
    """Train from where the run stands, and print the results."""
    say(_introduction(setup))
    with show_progress(setup.config.model) as progress:
        result = train_run(run, setup, progress, diagnose=diagnose)
    if not run.writes:  # the process that leads makes the report
        ctx.exit(130 if result.stopped == "interrupted" else 0)
    if result.stopped == "interrupted":
        say(f"stopped and saved at step {result.step:,}; resume with:", _resume(run))
        ctx.exit(130)
    try:
        test_loss = _report(run, setup, result)
        for what, where in write_pages(run, setup, page=page, diagnose=diagnose):
            click.echo(f"{what:8} {where}")
    except KeyboardInterrupt:
        click.echo(f"\nstopped; the run is saved. Finish its report by: {_resume(run)}", err=True)
        ctx.exit(130)
    run.update(reported=True, test_loss=test_loss)


def _resume(run: RunFolder) -> str:
    chosen = [] if backend.name() == "engine" else ["--backend", backend.name()]
    return shlex.join(["gradus", *chosen, "train", "--resume", str(run.path)])


def _introduction(setup: Setup) -> str:
    corpus, config, model = setup.corpus, setup.config, setup.model
    size = "" if corpus.kind == "stream" else f"{len(corpus.documents):,} {WHAT[corpus.kind]}, "
    if setup.labels:
        size += f"{len(setup.labels)} labels, "
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    parameters = f"{model.num_parameters():,} parameters"
    if trained < model.num_parameters():
        parameters = f"trains {trained:,} of {parameters}"
    work = "counts the text once" if is_counting(model) else f"{parameters}, {config.budget}"
    reads = "sees" if model.continues else "reads at most"
    hardware = str(Hardware(config, counts=is_counting(model)))
    return (
        f"{corpus.name}: {size}{corpus.characters:,} characters, {_vocabulary(setup)}\n"
        f"{config.model}: {reads} {min(model.context, model.block_size)} tokens; {work}"
        + (f"\non {hardware}" if hardware else "")
    )


def _vocabulary(setup: Setup) -> str:
    number = setup.tokenizer.vocab_size
    if isinstance(setup.tokenizer, CharTokenizer):
        return f"{number} different ones"
    if not setup.model.continues:
        return f"a vocabulary of {number:,} tokens"
    train = setup.splits.train
    tokens = len(train.ids) - 1 if isinstance(train, PreparedText) else setup.rows("train").scored
    characters, _ = setup.size("train")
    return f"a vocabulary of {number:,} tokens, {characters / tokens:.2f} characters in each"


def _report(run: RunFolder, setup: Setup, result: TrainResult) -> float:
    """Print the results and write the samples. Returns the test loss, as `kept_loss` gives it."""
    if result.stopped == "patience":
        say(f"stopped early, after {setup.config.patience} evaluations without a better dev loss")
    best = "" if result.best_step in (None, result.step) else f", the best of the run, at step {result.best_step:,}"
    tested = evaluate(setup.model, setup.examples("test"))
    say(f"dev loss  {told(evaluate(setup.model, setup.examples('dev')), setup, 'dev')}{best}")
    say(f"test loss {told(tested, setup, 'test')}")
    for line in results(setup, "test"):
        click.echo(line)
    unit = "labels" if setup.labels else "tokens"
    rate = f", {result.tokens_per_second:,.0f} {unit}/s" if result.tokens_per_second else ""
    if result.utilization is not None:
        rate += f", {result.utilization:.0%} of the peak"
    say(f"{result.tokens:,} {unit} in {result.seconds:.0f} s{rate}\n")
    write_samples(run, setup, show=partial(click.echo, nl=False))
    sliding = " --sliding" if slides(setup.model, setup.corpus.kind) else ""
    click.echo(f"\nrun      {run.path}")
    place = shlex.quote(str(run.path))
    click.echo(f"generate gradus sample {place}")
    click.echo(f"evaluate gradus eval {place}{sliding}")
    return kept_loss(setup, tested)
