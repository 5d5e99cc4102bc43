"""The climb: every rung of the ladder trained in turn on one text within one budget, scored the same way, and recorded.

A rung is an ordinary run folder below the climb's folder, so all that works on a run (`gradus sample`, `gradus eval`)
works on it. After each rung the table and the page are written again: whatever stops the climb, what was done is there.
"""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from gradus.errors import UserError
from gradus.files import saving
from gradus.report.diagnose import diagnosis, draw
from gradus.report.examine import begin_record, examine
from gradus.report.ladder import CHOOSING, ORDERS, SMOOTHINGS, Plan, Step, choose, evaluations, minutes_of, mixes
from gradus.report.page import write_page
from gradus.report.record import Record, Rung
from gradus.report.task import Task, beginning
from gradus.text import Corpus, load_corpus
from gradus.text.catalogue import as_name
from gradus.training import (
    RUNS,
    Report,
    RunFolder,
    Setup,
    is_counting,
    load_weights,
    new_run_folder,
    set_up,
    set_up_mixture,
    train,
    train_setup,
    weights,
    write_beginning,
)
from gradus.training.prepare import lasting, vanishes

Clock = Callable[[], float]


class Watcher(Protocol):
    """A progress display for the climb."""

    def begin(self, step: Step, budget: Budget) -> None:
        """A rung begins, with its budget: steps, or minutes, or neither for one that counts."""

    def train(self, report: Report) -> None:
        """A step of its training is done."""

    def end(self, rung: Rung) -> None:
        """The rung is climbed."""


@dataclass(frozen=True)
class Budget:
    """What a rung is given: steps or minutes. Neither for a model that counts."""

    steps: int | None = None
    minutes: float | None = None
    seconds: float = 0.0  # of the steps on an idle machine of two cores


class _Silent:
    def begin(self, step: Step, budget: Budget) -> None: ...
    def train(self, report: Report) -> None: ...
    def end(self, rung: Rung) -> None: ...


def climb(
    corpus: str | Path,
    minutes: float | None = None,
    *,
    seed: int = 1337,
    out: str | Path | None = None,
    only: Sequence[str] = (),
    diagnose: bool = False,
    watcher: Watcher | None = None,
    clock: Clock = time.perf_counter,
) -> tuple[Record, Path]:
    """Train every rung in turn, compare them, and write the table and the page. The budget is each rung's own steps,
    the same on every machine, unless minutes are given.

    Args:
        corpus: what to learn: a corpus by name, or a file or folder.
        minutes: of all rungs together; counting and scoring have a part of it too, so it is "about".
        seed: of first weights, batches and samples.
        out: the folder of the climb, by default runs/climb-<corpus>-<number>; one that exists is left alone, and the
            next free number is taken.
        only: models whose rungs are climbed; none means all.
        diagnose: look into each network while it is trained, and draw pictures of it for the page.
        watcher: the progress display.
        clock: seconds, from any start.

    Returns:
        the record, and the climb's folder with table.json, index.html and a run folder for each rung. After
        Ctrl-C the record says `interrupted` and holds the rungs that were done.

    Raises:
        UserError: if there is no such corpus or it is too small, a name is no rung, minutes is not positive, or the
            disk refuses.
        KeyboardInterrupt: if it came before the first rung was done.
    """
    ladder = choose(only)
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UserError(f"minutes must be greater than 0, got {minutes:g}")
    corpus = as_name(corpus)
    place, piped = lasting(corpus), vanishes(corpus)
    text = load_corpus(corpus)
    if text.kind in ("pairs", "labelled"):
        model = "transformer" if text.kind == "pairs" else "encoder"
        raise UserError(
            f"a climb compares models of the next token of a text, and {text.name} is {text.kind}: train what is made "
            f"for that by gradus train {corpus} --model {model}"
        )
    task = Task.of(text)
    kind = task.corpus.kind
    if any(step.model == "mixture" for step in ladder) and not any(mixes(step, kind) for step in ladder):
        raise UserError("a mixture needs a network that is climbed before it; add one, such as --model gpt")
    folder = _new_folder(task.corpus, out)
    ascent = _Ascent(task, ladder, minutes, seed, folder, place, piped, diagnose, watcher or _Silent(), clock)
    command = ["gradus", "climb", corpus, *(["--minutes", f"{minutes:g}"] if minutes is not None else [])]
    command += ["--seed", str(seed), *(part for name in only for part in ("--model", name))]
    command += ["--diagnose"] if diagnose else []
    record = begin_record(task, seed, shlex.join(command), "the climb", timed=minutes is not None)
    started = clock()
    for step in ladder:
        try:
            rung = ascent.climb(step)
            record = replace(record, rungs=(*record.rungs, rung), interrupted=rung.interrupted)
        except KeyboardInterrupt:
            if not record.rungs:
                with suppress(OSError):
                    folder.rmdir()  # only if there is nothing in it
                raise
            record = replace(record, interrupted=True)
        record = replace(record, seconds=clock() - started)
        record.save(folder / "table.json")
        write_page(record, folder / "index.html")
        if record.interrupted:
            break
    return record, folder


class _Ascent:
    """What all rungs of one climb have in common, and how one is climbed."""

    def __init__(
        self,
        task: Task,
        ladder: Sequence[Step],
        minutes: float | None,
        seed: int,
        folder: Path,
        place: str,
        piped: bool,
        diagnose: bool,
        watcher: Watcher,
        clock: Clock,
    ) -> None:
        self.task, self.ladder, self.minutes, self.seed, self.folder = task, ladder, minutes, seed, folder
        self.place, self.piped, self.watcher, self.clock = place, piped, watcher, clock
        self.diagnose = diagnose
        self.done: list[Rung] = []

    def climb(self, step: Step) -> Rung:
        """Train one rung in its run folder, and score it with the weights that had the lowest dev loss."""
        plan, budget = self._plan(step), self._budget(step)
        self.watcher.begin(step, budget)
        started = self.clock()
        settings, title = dict(plan.settings), step.title
        if settings.get("method") == "additive" and "order" not in settings:
            settings = self._choose_ngram(step, settings)
            title = f"{settings['order']}-gram counts"
        setup = self._setup(step, budget, settings)
        run = RunFolder.create(self.folder / step.name)
        with run.in_use():
            rung = self._train(step, setup, run, title, started)
        self.done.append(rung)
        self.watcher.end(rung)
        return rung

    def _plan(self, step: Step) -> Plan:
        return step.plan(self.task.corpus.kind, self.task.corpus.characters)

    def _budget(self, step: Step) -> Budget:
        plan = self._plan(step)
        if not plan.steps:
            return Budget()
        if self.minutes is not None:
            return Budget(minutes=minutes_of(step, self.ladder, self.task.corpus.kind, self.minutes))
        return Budget(steps=plan.steps, seconds=plan.seconds)

    def _train(self, step: Step, setup: Setup, run: RunFolder, title: str, started: float) -> Rung:
        """Train a rung, score it and mark its run as reported."""
        write_beginning(run, setup)
        dev = self.task.dev_while_training
        collect = diagnosis(run, setup) if self.diagnose else None

        def progress(report: Report) -> None:
            if collect is not None:
                collect(report)
            self.watcher.train(report)

        result = train_setup(
            setup, run, evaluate=lambda model: self.task.score(model, dev).nats, progress=progress, clock=self.clock
        )
        seconds = setup.seconds_before + self.clock() - started  # choosing an order is counting, too
        if not is_counting(setup.model):
            seconds = result.seconds
        if result.best is not None:
            load_weights(setup.model, result.best)
        rung = examine(self.task, setup, run, step.name, title, result.step, seconds, self.seed)
        if self.diagnose:
            draw(run, setup)
        if result.stopped == "interrupted":
            return replace(rung, interrupted=True)
        run.update(reported=True, test_loss=rung.test)
        return rung

    def _setup(self, step: Step, budget: Budget, settings: Mapping[str, Any]) -> Setup:
        """A new model of the rung with its batches."""
        task = self.task
        values: dict[str, Any] = {"model": step.model, "seed": self.seed, **settings}
        if step.model == "mixture":
            return set_up_mixture({**values, "of": self._network().folder})
        values |= {"corpus": self.place, "kind": task.corpus.kind}
        if budget != Budget():
            values["evaluations"] = evaluations(budget.seconds or 60 * (budget.minutes or 0.0))
            values |= {"steps": budget.steps} if budget.minutes is None else {"minutes": budget.minutes}
        values["block_size"] = task.block_size
        return replace(set_up(values, corpus=task.corpus, tokenizer=task.tokenizer), keeps_text=self.piped)

    def _network(self) -> Rung:
        """The network that is mixed with counts: of those climbed, the one with the lowest dev loss."""
        kind = self.task.corpus.kind
        can = {step.name for step in self.ladder if mixes(step, kind)}
        return min((rung for rung in self.done if rung.name in can), key=lambda rung: rung.dev)

    def _choose_ngram(self, step: Step, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The order and smoothing that predict the dev split best; orders go up until dev gets worse."""
        dev = beginning(self.task.splits.dev, CHOOSING)
        best = (math.inf, 2, SMOOTHINGS[0])
        for order in (order for order in ORDERS if order <= self.task.block_size):
            setup = self._setup(step, Budget(), {**settings, "order": order, "smoothing": SMOOTHINGS[0]})
            train(setup.model, setup.batches, setup.config)
            counts = weights(setup.model)
            found = []
            for smoothing in SMOOTHINGS:
                model = self._setup(step, Budget(), {**settings, "order": order, "smoothing": smoothing}).model
                load_weights(model, counts)
                found.append((self.task.score(model, dev).nats, order, smoothing))
            if min(found) > best:
                break
            best = min(found)
        return {**settings, "order": best[1], "smoothing": best[2]}


def _new_folder(corpus: Corpus, out: str | Path | None) -> Path:
    """Make the folder of the climb."""
    if out is None:
        return new_run_folder(RUNS, f"climb-{corpus.name}")
    folder = Path(out)
    with saving(folder):
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            return new_run_folder(folder.parent, folder.name)
    return folder
