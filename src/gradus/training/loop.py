"""The training loop: one for every model. A model with parameters takes optimizer steps until the budget is spent; a
counting model sees each batch once. A run folder makes it resumable: the step tells the place in the data, so stopping
and going on gives the same bytes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.files import is_number
from gradus.models import LanguageModel
from gradus.training.checkpoint import (
    Arrays,
    generator_state,
    load_optimizer_state,
    load_weights,
    optimizer_state,
    pack,
    set_generator_state,
    unpack,
    weights,
)
from gradus.training.config import TrainConfig
from gradus.training.interrupt import deferred_interrupt
from gradus.training.optimizer import build_optimizer
from gradus.training.run import BEST, MODEL, OPTIMIZER, STATE, Run
from gradus.training.schedule import learning_rate_factor

LOG_LINES = 100  # lines in metrics.jsonl over the budget: enough for a smooth curve


class BatchSource(Protocol):
    """Where batches come from: rows and targets (B, T) int64 as a pure function of the number of the batch."""

    @property
    def steps_per_epoch(self) -> int: ...

    def batch(self, step: int, /) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]: ...


@dataclass(frozen=True)
class Report:
    """Where training stands after a step, for a progress display."""

    step: int
    done: float  # the part of the budget that is spent, 0 to 1
    tokens: int  # scored tokens seen in training so far
    seconds: float
    tokens_per_second: float
    learning_rate: float
    loss: float  # mean over the tokens since the last line of metrics.jsonl, nats
    dev_loss: float | None  # when it was measured after this step


@dataclass(frozen=True)
class TrainResult:
    """What came of it. The model is left with its last weights; `best` holds those with the lowest dev loss."""

    stopped: Literal["budget", "patience", "interrupted"]
    step: int
    tokens: int
    seconds: float  # training and its evaluations, without the first step, which may compile kernels
    tokens_per_second: float  # in training steps alone
    dev_loss: float | None  # the last one measured, nats
    best_loss: float | None
    best_step: int | None
    best: Arrays | None


@dataclass
class Progress:
    """How far training has come: all that a resumed run has to know besides weights and the optimizer's memory."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0  # of the tokens since the last line of metrics.jsonl
    loss_tokens: int = 0
    dev_loss: float | None = None
    best_loss: float | None = None
    best_step: int | None = None
    stale: int = 0  # evaluations since the best one


def train(
    model: LanguageModel,
    batches: BatchSource,
    config: TrainConfig,
    run: Run | None = None,
    *,
    evaluate: Callable[[LanguageModel], float] | None = None,
    progress: Callable[[Report], None] | None = None,
    data: dict[str, Any] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainResult:
    """Train a model until its budget is spent, or early stopping or Ctrl-C ends it; a run that has a checkpoint is
    resumed.

    Args:
        model: follows the models' contract; `model.config` is a dataclass.
        batches: the training batches; for a counting model, those of one pass.
        run: where checkpoints and metrics go; None keeps nothing on disk.
        evaluate: the dev loss in nats; None measures none, so there is no best checkpoint and no early stopping.
        progress: called after every step.
        data: what tells the text that is learnt; kept in `state.json`.
        clock: seconds, from any start.

    Raises:
        UserError: if the loss or the gradient is no longer a finite number, or a checkpoint cannot be saved.
    """
    training = _Training(model, batches, config, run, evaluate, progress, data or {}, clock)
    return training.count() if is_counting(model) else training.descend()


def is_counting(model: LanguageModel) -> bool:
    """Whether a model learns by counting: nothing to differentiate, and a method `count(x, y)`."""
    return hasattr(model, "count") and not any(p.requires_grad for p in model.parameters())


def progress_of(run: Run) -> Progress:
    """How far a run has come, from its `state.json`.

    Raises:
        UserError: if it does not say so.
    """
    saved, progress = run.state(), Progress()
    if not run.has_model:
        return progress
    for name, kind in ((f.name, str(f.type)) for f in fields(Progress)):
        value: Any = saved.get(name)
        if value is not None or "None" not in kind:
            if not (type(value) is int if "int" in kind else is_number(value)):
                raise UserError(f"{run.path / STATE} cannot be used: {name} is {value!r}")
            value = value if "int" in kind else float(value)
        setattr(progress, name, value)
    return progress


def spent(progress: Progress, config: TrainConfig) -> float:
    """The part of the budget that is spent."""
    if config.steps is not None:
        return progress.step / config.steps
    assert config.minutes is not None
    return progress.seconds / (60 * config.minutes)


@dataclass
class _Training:
    model: LanguageModel
    batches: BatchSource
    config: TrainConfig
    run: Run | None
    evaluate: Callable[[LanguageModel], float] | None
    progress: Callable[[Report], None] | None
    data: dict[str, Any]
    clock: Callable[[], float]
    state: Progress = field(default_factory=Progress)
    best: Arrays | None = None
    parameters: list[nn.Parameter] = field(default_factory=list)
    optimizer: torch.optim.Optimizer | None = None
    since: float | None = None  # the clock after the first step of this process
    step_seconds: float = 0.0  # of this process's steps after the first, and the tokens in them
    step_tokens: int = 0

    def descend(self) -> TrainResult:
        """Optimizer steps until the budget is spent."""
        config, state = self.config, self.state
        self.parameters = list(self.model.parameters())
        self.optimizer = build_optimizer(self.model, config)
        if not self._load():
            self._save()
        before = state.seconds
        done = self._done()
        stopped: Literal["budget", "patience", "interrupted"] = "budget"
        if config.patience and state.stale >= config.patience:
            return self._result("patience")
        self.model.train()
        with deferred_interrupt() as interrupted, np.errstate(all="ignore"):  # what is not finite is looked for below
            while done < 1:
                evaluations, lines = _passed(done, config.evaluations), _passed(done, LOG_LINES)
                start = self.clock()
                lr, loss, tokens = self._step(done)
                end = self.clock()
                if self.since is None:
                    self.since = end
                else:
                    self.step_seconds += end - start
                    self.step_tokens += tokens
                state.step += 1
                state.tokens += tokens
                state.loss_sum += loss * tokens
                state.loss_tokens += tokens
                state.seconds = before + end - self.since
                done = self._done()
                measured = self.evaluate is not None and _passed(done, config.evaluations) > evaluations
                dev_loss = self._measure() if measured else None
                self._tell(done, lr, dev_loss, line=measured or _passed(done, LOG_LINES) > lines)
                if config.patience and state.stale >= config.patience:
                    stopped = "patience"
                elif interrupted() and done < 1:
                    stopped = "interrupted"
                better = measured and state.best_step == state.step
                if _passed(done, config.evaluations) > evaluations or stopped != "budget":
                    self._save(better=better)
                if stopped != "budget":
                    break
        return self._result(stopped)

    def count(self) -> TrainResult:
        """One pass over the batches of a counting model."""
        state, start = self.state, self.clock()
        if self._load():
            return self._result("budget")
        told = 0.0
        for step in range(self.batches.steps_per_epoch):
            x, y = self.batches.batch(step)
            self.model.count(x, y)
            tokens = int((y != -1).sum())
            state.step += 1
            state.tokens += tokens
            self.step_tokens += tokens
            state.seconds = self.step_seconds = self.clock() - start
            if state.step < self.batches.steps_per_epoch and state.seconds > told + 1:
                told = state.seconds
                self._tell(state.step / self.batches.steps_per_epoch, 0.0, None, line=False)
        dev_loss = self._measure() if self.evaluate is not None else None
        self._tell(1.0, 0.0, dev_loss, line=True)
        self._save(better=dev_loss is not None)
        return self._result("budget")

    def _step(self, done: float) -> tuple[float, float, int]:
        """One optimizer step: the learning rate, the mean loss, and the number of tokens it is the mean of."""
        config, step, optimizer = self.config, self.state.step, self.optimizer
        assert optimizer is not None
        progress = done if config.steps is None else (step + 1) / config.steps
        lr = config.learning_rate * learning_rate_factor(
            progress, schedule=config.schedule, warmup=config.warmup, min_ratio=config.min_lr_ratio
        )
        for group in optimizer.param_groups:
            group["lr"] = lr
        parts = [self.batches.batch(step * config.grad_accumulation + i) for i in range(config.grad_accumulation)]
        tokens = [int((y != -1).sum()) for _, y in parts]
        total, mean = sum(tokens), 0.0
        optimizer.zero_grad(set_to_none=True)
        for (x, y), count in zip(parts, tokens, strict=True):
            _, loss = self.model(torch.from_numpy(x), torch.from_numpy(y))
            if len(parts) > 1:
                loss = loss * (count / total)  # so that the sum is the mean over all tokens of the step
            loss.backward()
            mean += loss.item()
        self._require_finite(mean, "loss")
        if config.grad_clip:
            norm = nn.utils.clip_grad_norm_(self.parameters, config.grad_clip).item()
            self._require_finite(norm, "norm of the gradient")
        optimizer.step()
        return lr, mean, total

    def _require_finite(self, value: float, what: str) -> None:
        if not math.isfinite(value):
            advice = f"try a --learning-rate below {self.config.learning_rate:g}"
            if not self.config.grad_clip:
                advice += " or --grad-clip 1"
            raise UserError(f"the {what} became {value} at step {self.state.step + 1}; {advice}")

    def _measure(self) -> float:
        """The dev loss now; keeps the weights if it is the best so far."""
        assert self.evaluate is not None
        state = self.state
        self.model.eval()
        state.dev_loss = loss = self.evaluate(self.model)
        self.model.train()
        if state.best_loss is None or loss < state.best_loss:
            state.best_loss, state.best_step, state.stale = loss, state.step, 0
            self.best = weights(self.model)
        else:
            state.stale += 1
        return loss

    def _done(self) -> float:
        return spent(self.state, self.config)

    def _rate(self) -> float:
        return self.step_tokens / self.step_seconds if self.step_seconds > 0 else 0.0

    def _tell(self, done: float, lr: float, dev_loss: float | None, *, line: bool) -> None:
        state = self.state
        loss = state.loss_sum / state.loss_tokens if state.loss_tokens else math.nan
        if line:
            state.loss_sum, state.loss_tokens = 0.0, 0
            if self.run is not None:
                entry = {"step": state.step, "tokens": state.tokens, "seconds": round(state.seconds, 3)}
                if not math.isnan(loss):
                    entry |= {"learning_rate": lr, "train_loss": loss}
                if dev_loss is not None:
                    entry["dev_loss"] = dev_loss
                self.run.log(entry)
        if self.progress is not None:
            report = Report(state.step, min(done, 1.0), state.tokens, state.seconds, self._rate(), lr, loss, dev_loss)
            self.progress(report)

    def _result(self, stopped: Literal["budget", "patience", "interrupted"]) -> TrainResult:
        s = self.state
        return TrainResult(
            stopped, s.step, s.tokens, s.seconds, self._rate(), s.dev_loss, s.best_loss, s.best_step, self.best
        )

    def _save(self, *, better: bool = False) -> None:
        if self.run is None:
            return
        settings: Any = self.model.config
        about = {"model": self.config.model, "config": asdict(settings)}
        files = {MODEL: pack(weights(self.model), about)}
        if self.optimizer is not None:
            arrays, numbers = optimizer_state(self.optimizer)
            files[OPTIMIZER] = pack(arrays, {"numbers": numbers})
        if better and self.best is not None:
            files[BEST] = pack(self.best, about)
        self.run.save(files, {**asdict(self.state), "generator": generator_state(), "data": self.data})

    def _load(self) -> bool:
        """Go to where the run's checkpoint is; False if it has none."""
        run = self.run
        if run is None or not run.has_model:
            if run is not None:
                run.cut_metrics(0)
            return False
        vars(self.state).update(vars(progress_of(run)))
        saved = run.state()
        if saved.get("reported"):
            self.state.stale = 0  # it ended there, and is now to go on
        try:
            load_weights(self.model, unpack(run.read(MODEL), run.path / MODEL)[0])
            if self.optimizer is not None:
                arrays, about = unpack(run.read(OPTIMIZER), run.path / OPTIMIZER)
                load_optimizer_state(self.optimizer, arrays, about["numbers"])
            if BEST in saved["files"]:
                self.best = unpack(run.read(BEST), run.path / BEST)[0]
            set_generator_state(saved["generator"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise UserError(f"the checkpoint in {run.path} cannot be used: {error!r}") from error
        run.cut_metrics(self.state.step)
        return True


def _passed(done: float, marks: int) -> int:
    """How many of so many marks, spread evenly over the budget, lie behind."""
    return min(marks, int(done * marks + 1e-9))
