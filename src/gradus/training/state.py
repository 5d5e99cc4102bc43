"""How far a training has come: what a resumed run has to know, what a display is told after a step, and what is
returned at the end."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from gradus.errors import UserError
from gradus.files import is_number
from gradus.training.checkpoint import Arrays
from gradus.training.config import TrainConfig
from gradus.training.run import STATE, RunFolder

Stopped = Literal["budget", "patience", "interrupted"]


@dataclass
class Progress:
    """How far training has come: all that a resumed run has to know besides the weights and the optimizer's state."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0  # of the tokens since the last line of metrics.jsonl
    loss_tokens: int = 0
    dev_loss: float | None = None
    best_loss: float | None = None
    best_step: int | None = None
    stale: int = 0  # evaluations since the best one


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
    grad_norm: float | None = None  # of this step, before clipping; where the gradient is clipped
    utilization: float | None = None  # of the device's peak, where that is known


@dataclass(frozen=True)
class TrainResult:
    """The outcome of `train`. The model is left with its last weights; `best` holds those with the lowest dev loss."""

    stopped: Stopped
    step: int
    tokens: int
    seconds: float  # training and its evaluations, without the first step, which may compile kernels
    tokens_per_second: float  # in training steps alone
    dev_loss: float | None  # the last one measured, nats
    best_loss: float | None
    best_step: int | None
    best: Arrays | None = field(repr=False)
    utilization: float | None = None  # of the device's peak, where that is known


def progress_of(run: RunFolder) -> Progress:
    """How far a run has come, read from its `state.json`.

    Raises:
        UserError: if a field is missing or has the wrong type.
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
