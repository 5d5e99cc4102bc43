"""Evaluating a trained model for the report: its losses, samples, predictions and loss curve."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.models import LanguageModel
from gradus.models.config import NGramConfig, RecurrentConfig
from gradus.plots.curve import LossCurve
from gradus.report.ladder import LADDER
from gradus.report.machine import machine
from gradus.report.page import write_page
from gradus.report.record import Record, Rung, Setting, Subject, Yardstick
from gradus.report.task import Task
from gradus.report.yardsticks import floor, yardsticks
from gradus.text import CharTokenizer, PreparedText
from gradus.training import SAMPLES, RunFolder, Setup, is_counting, load_model, progress_of, reopen

_SHOWN = ("batch_size", "optimizer", "learning_rate", "schedule", "warmup", "weight_decay", "grad_clip")


def begin_record(task: Task, seed: int, command: str, subject: Subject, *, timed: bool = False) -> Record:
    """A record without rungs: the text, the question, the machine. All is told per character, whatever the tokens. A
    single run has no yardsticks: compressing its text would take longer than the rest of its page."""
    found: tuple[Yardstick, ...] = ()
    if isinstance(task.corpus, PreparedText):  # which has no yardsticks either: its text is not at hand
        alphabet = task.corpus.manifest.symbols
    else:
        characters = CharTokenizer.train(task.corpus)
        alphabet = characters.vocab_size
        if subject != "a run":
            found = yardsticks(task.splits.train, *task.scored[1:], characters)
    return Record(
        corpus=task.corpus.name,
        kind=task.corpus.kind,
        source=task.corpus.source,
        vocab_size=alphabet,
        parts=task.parts,
        rungs=(),
        seed=seed,
        command=command,
        subject=subject,
        timed=timed,
        captions=task.captions(),
        questions=task.questions,
        yardsticks=found,
        floor=floor(task.scored[1], task.scored[2]),
        machine=machine(),
        date=datetime.now(UTC).date().isoformat(),
    )


def examine(
    task: Task, setup: Setup, run: RunFolder, name: str, title: str, steps: int, seconds: float, seed: int
) -> Rung:
    """Score a model as it is, sample from it, and save the samples in its run folder."""
    model, counting = setup.model, is_counting(setup.model)
    train, dev, test = (task.score(model, part) for part in task.scored)
    sliding = task.score(model, task.scored[2], sliding=True).nats if task.slides(model) else None
    samples = task.samples(model, seed)
    run.write(SAMPLES, "\n".join(sample.text for sample in samples) + "\n")
    return Rung(
        name=name,
        title=title,
        model=setup.config.model,
        parameters=model.num_parameters(),
        context=min(model.context, model.block_size),
        train=train.nats,
        dev=dev.nats,
        test=test.nats,
        bits=test.bits,
        seconds=seconds,
        steps=0 if counting else steps,
        settings=_settings(setup, counting),
        curve=LossCurve(title, (), ()) if counting else LossCurve.of(run.metrics(), title),
        samples=samples,
        guesses=task.guesses(model),
        sliding=sliding,
        folder=str(run.path),
    )


def write_run_page(path: str | Path) -> Path:
    """Write the page of a single run into its folder, as index.html, and return its path.

    Raises:
        UserError: if there is no whole run at the path, or its text is no longer the same.
    """
    run = RunFolder.open(path)
    task, rung = examine_run(run)
    settings = run.settings()
    command = shlex.join(["gradus", "train", "--config", str(run.path / "config.toml")])
    timed = rung.trained and "minutes" in settings
    record = begin_record(task, int(str(settings["seed"])), command, "a run", timed=timed)
    return write_page(replace(record, rungs=(rung,)), run.path / "index.html")


def require_continues(model: LanguageModel, what: str) -> None:
    """Raise UserError unless a model is one of the next token, which pages and comparisons are about."""
    if not model.continues:
        raise UserError(f"pages and comparisons show models of the next token; {what} is none: see gradus eval")


def examine_run(run: RunFolder, name: str = "", title: str = "") -> tuple[Task, Rung]:
    """Score a run as it is on disk, and sample from it. Its name is that of its folder, and its title that of its
    model, unless others are given. UserError as in `write_run_page`."""
    model = load_model(run)
    require_continues(model, str(run.path))
    setup = replace(reopen(run), model=model)
    progress = progress_of(run)
    task = Task(setup.corpus, setup.splits, setup.tokenizer, setup.model.block_size)
    if not title:
        title = _title(setup)
    seed = setup.config.seed
    return task, examine(task, setup, run, name or run.path.name, title, progress.step, progress.seconds, seed)


def _title(setup: Setup) -> str:
    """What a run's model is called on a page of its own."""
    model: Any = setup.model.config
    if isinstance(model, NGramConfig):
        return f"{model.order}-gram {'counts' if model.method == 'additive' else 'Kneser-Ney'}"
    if isinstance(model, RecurrentConfig):
        return {"rnn": "Elman network"}.get(model.cell, model.cell.upper())
    return next((step.title for step in LADDER if step.name == setup.config.model), setup.config.model)


def _settings(setup: Setup, counting: bool) -> dict[str, Setting]:
    """The settings that make the model and its training what they are, for the page."""
    model = {name: value for name, value in asdict(setup.model.config).items() if name != "vocab_size"}  # type: ignore[call-overload]
    if counting:
        return {name: value for name, value in model.items() if name != "block_size"}
    training = asdict(setup.config)
    return {**model, "budget": setup.config.budget, **{name: training[name] for name in _SHOWN}}
