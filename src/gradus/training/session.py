"""A training session: everything around the steps that is not learning. Time and budget, the learning curve in
metrics.jsonl, evaluations and the best weights, early stopping, and checkpoints: a step's number decides its batch, so
a run that is stopped and resumed gives the same bytes as one that was not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from gradus.backend import torch
from gradus.errors import UserError
from gradus.models import LanguageModel
from gradus.training import distributed
from gradus.training.checkpoint import (
    Arrays,
    carried_state,
    generator_state,
    load_carried_state,
    load_optimizer_state,
    load_weights,
    optimizer_state,
    pack,
    pack_model,
    set_generator_state,
    unpack,
    weights,
)
from gradus.training.config import TrainConfig
from gradus.training.hardware import Hardware
from gradus.training.moments import Moments
from gradus.training.run import BEST, MODEL, OPTIMIZER, RunFolder
from gradus.training.state import Progress, Report, Stopped, TrainResult, progress_of, spent

LOG_LINES = 100  # lines in metrics.jsonl over the budget: enough for a smooth curve


@dataclass
class Session:
    """One process's part of a training: `begin`, then `start_step` and `end_step` around each step until `stopped`.

    Attributes:
        progress: how far the whole training has come, earlier processes included.
        stopped: why no more steps are taken; None while there are some to take.
        best: the weights with the lowest dev loss.
    """

    model: LanguageModel
    optimizer: torch.optim.Optimizer | None  # None for a counting model
    config: TrainConfig
    run: RunFolder | None
    evaluate: Callable[[LanguageModel], float] | None
    display: Callable[[Report], None] | None
    data: dict[str, Any]
    clock: Callable[[], float]
    hardware: Hardware
    progress: Progress = field(default_factory=Progress)
    stopped: Stopped | None = None
    best: Arrays | None = None
    seconds_before: float = 0.0  # of training in earlier processes
    first_step_end: float | None = None  # the clock after the first step of this process
    step_start: float = 0.0  # the clock
    step_seconds: float = 0.0  # of this process's steps after the first, and the tokens in them
    step_tokens: int = 0
    moments: Moments = field(init=False)

    def __post_init__(self) -> None:
        self.moments = Moments(self.config, self.run)

    # Around a step

    def begin(self) -> None:
        """Load the run's checkpoint, or save a first one, unless nothing is counted yet."""
        resumed = self.load()
        if self.optimizer is not None:
            self.moments.begin(self.model, self.progress.step)
            if not resumed:
                self.save()
        distributed.seed(self.config.seed, self.progress.step)
        self.seconds_before = self.progress.seconds
        self.stopped = self._reason_to_stop(lambda: False)

    def start_step(self) -> None:
        self.step_start = self.clock()
        if self.optimizer is not None:
            self.moments.before(self.model, self.progress.step + 1)

    def schedule_position(self) -> float:
        """Where the learning rate's schedule stands at the step that has begun, 0 to 1."""
        return self.done if self.config.steps is None else (self.progress.step + 1) / self.config.steps

    def end_step(
        self, lr: float, loss: float, grad_norm: float | None, tokens: int, interrupted: Callable[[], bool]
    ) -> None:
        """What follows an optimizer step: time it, log it, and when their time has come evaluate, save and stop.

        Args:
            loss: the mean over the step's tokens, nats.
            grad_norm: the norm of the gradient before it was clipped; None where it is not clipped.
            interrupted: whether Ctrl-C has asked to stop; it is asked last.
        """
        progress, done_before = self.progress, self.done
        self._time_step(tokens)
        progress.step += 1
        progress.tokens += tokens
        progress.loss_sum += loss * tokens
        progress.loss_tokens += tokens
        self.moments.after(self.model, progress.step, learning_rate=lr, loss=loss, grad_norm=grad_norm)
        evaluation_due = _passes(done_before, self.done, self.config.evaluations)
        dev_loss = self._measure() if evaluation_due and self.evaluate is not None else None
        line = dev_loss is not None or _passes(done_before, self.done, LOG_LINES)
        self._report(lr, dev_loss, line=line, grad_norm=grad_norm)
        self.stopped = self._reason_to_stop(interrupted)
        if evaluation_due or self.stopped is not None:
            self.save(better=dev_loss is not None and progress.best_step == progress.step)

    def end_count(self, tokens: int, batches: int) -> None:
        """What follows each of so many batches of a counting model: a display, and after the last the rest."""
        progress, seconds_before = self.progress, self.progress.seconds
        progress.step += 1
        progress.tokens += tokens
        self.step_tokens += tokens
        self.step_seconds += self.clock() - self.step_start
        progress.seconds = self.seconds_before + self.step_seconds
        if progress.step == batches:
            dev_loss = self._measure() if self.evaluate is not None else None
            self._report(0.0, dev_loss, line=True, done=1.0)
            self.save(better=dev_loss is not None)
        elif int(progress.seconds) > int(seconds_before):  # once a second
            self._report(0.0, None, line=False, done=progress.step / batches)

    def result(self) -> TrainResult:
        p = self.progress
        return TrainResult(
            self.stopped or "budget",
            p.step,
            p.tokens,
            p.seconds,
            self._tokens_per_second(),
            p.dev_loss,
            p.best_loss,
            p.best_step,
            self.best,
            self.hardware.utilization(self._tokens_per_second()),
        )

    # Checkpoints

    def save(self, *, better: bool = False) -> None:
        """Save weights, optimizer, progress and random generator as one checkpoint, and the best weights if they are
        new. Of several processes, each gives its part, and the leading one writes."""
        if self.run is None:
            return
        of_model = weights(self.model)
        of_optimizer = None if self.optimizer is None else optimizer_state(self.optimizer)
        carried = carried_state(self.model)
        if not self.run.writes:
            return
        files = {MODEL: pack_model(self.config.model, self.model.config, of_model)}
        if of_optimizer is not None:
            arrays, numbers = of_optimizer
            files[OPTIMIZER] = pack(arrays | carried, {"numbers": numbers})
        if better and self.best is not None:
            files[BEST] = pack_model(self.config.model, self.model.config, self.best)
        generators = {"generator": generator_state(), **self.hardware.generator_state()}
        self.run.save(files, {**asdict(self.progress), **generators, "moments": self.moments.sums, "data": self.data})

    def load(self) -> bool:
        """Continue from the run's checkpoint; False if it has none."""
        run = self.run
        if run is None or not distributed.first(run.has_model):
            if run is not None:
                run.cut_metrics(0)
            return False
        self.progress, saved = progress_of(run), run.state()
        if saved.get("reported"):
            self.progress.stale = 0  # it was finished, and is now given more steps
        try:
            load_weights(self.model, unpack(run.read(MODEL), run.path / MODEL)[0])
            if self.optimizer is not None:
                arrays, about = unpack(run.read(OPTIMIZER), run.path / OPTIMIZER)
                load_carried_state(self.model, arrays)
                load_optimizer_state(self.optimizer, arrays, about["numbers"])
            if BEST in saved["files"]:
                self.best = unpack(run.read(BEST), run.path / BEST)[0]
            self.moments.sums = {str(step): str(sum_) for step, sum_ in saved.get("moments", {}).items()}
            set_generator_state(saved["generator"])
            self.hardware.set_generator_state(saved)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise UserError(f"the checkpoint in {run.path} cannot be used: {error!r}") from error
        run.cut_metrics(self.progress.step)
        return True

    # Helpers

    @property
    def done(self) -> float:
        """The part of the budget that is spent."""
        return spent(self.progress, self.config)

    def _reason_to_stop(self, interrupted: Callable[[], bool]) -> Stopped | None:
        if self.config.patience and self.progress.stale >= self.config.patience:
            return "patience"
        if self.done >= 1:
            return "budget"
        return "interrupted" if interrupted() else None

    def _time_step(self, tokens: int) -> None:
        """Add a step to the time; the first of a process is left out, since it may compile kernels."""
        now = self.clock()
        if self.first_step_end is None:
            self.first_step_end = now
        else:
            self.step_seconds += now - self.step_start
            self.step_tokens += tokens
        self.progress.seconds = self.seconds_before + now - self.first_step_end

    def _measure(self) -> float:
        """The dev loss now; its weights are copied if it is the lowest so far."""
        assert self.evaluate is not None
        progress = self.progress
        self.model.eval()
        with self.hardware.autocast():
            progress.dev_loss = loss = self.evaluate(self.model)
        self.model.train()
        if progress.best_loss is None or loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.stale = loss, progress.step, 0
            self.best = weights(self.model)
        else:
            progress.stale += 1
        return loss

    def _report(
        self, lr: float, dev_loss: float | None, *, line: bool, done: float | None = None,
        grad_norm: float | None = None,
    ) -> None:  # fmt: skip
        """Tell the display and, with `line`, metrics.jsonl how training goes."""
        progress, rate = self.progress, self._tokens_per_second()
        used = self.hardware.utilization(rate)
        loss = progress.loss_sum / progress.loss_tokens if progress.loss_tokens else math.nan
        if line:
            progress.loss_sum, progress.loss_tokens = 0.0, 0
            if self.run is not None:
                entry = {"step": progress.step, "tokens": progress.tokens, "seconds": round(progress.seconds, 3)}
                if not math.isnan(loss):
                    entry |= {"learning_rate": lr, "train_loss": loss}
                if grad_norm is not None:
                    entry["grad_norm"] = grad_norm
                if dev_loss is not None:
                    entry["dev_loss"] = dev_loss
                if rate:
                    entry["tokens_per_second"] = round(rate, 1)
                if used is not None:
                    entry["utilization"] = round(used, 4)
                self.run.log(entry)
        if self.display is not None:
            done = min(self.done if done is None else done, 1.0)
            self.display(
                Report(
                    progress.step, done, progress.tokens, progress.seconds, rate, lr, loss, dev_loss, grad_norm, used
                )
            )

    def _tokens_per_second(self) -> float:
        return self.step_tokens / self.step_seconds if self.step_seconds > 0 else 0.0


def _passes(before: float, now: float, marks: int) -> bool:
    """Whether one of so many marks, spread evenly over the budget, lies between two parts of it."""
    passed_before, passed_now = (min(marks, int(done * marks + 1e-9)) for done in (before, now))
    return passed_now > passed_before
