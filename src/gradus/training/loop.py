"""The training loop, one for every model. A model with parameters takes optimizer steps until the budget is spent; a
counting model sees each batch once. `Session` does what happens around a step: timing, logging, evaluation,
checkpoints, stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.models import LanguageModel
from gradus.training import distributed
from gradus.training.checkpoint import load_weights, weights
from gradus.training.config import TrainConfig
from gradus.training.feed import BatchSource, Feed
from gradus.training.hardware import Hardware
from gradus.training.interrupt import deferred_interrupt
from gradus.training.optimizer import build_optimizer, set_learning_rate
from gradus.training.run import RunFolder
from gradus.training.session import Session
from gradus.training.state import Report, TrainResult


def train(
    model: LanguageModel,
    batches: BatchSource,
    config: TrainConfig,
    run: RunFolder | None = None,
    *,
    evaluate: Callable[[LanguageModel], float] | None = None,
    fit_on: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = (),
    progress: Callable[[Report], None] | None = None,
    data: dict[str, Any] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainResult:
    """Train a model until its budget is spent, or until early stopping or Ctrl-C; resume a run that has a checkpoint.

    >>> text = Corpus("tale", "stream", source="an example", text="abcd" * 50)
    >>> tokenizer = CharTokenizer.train(text)
    >>> batches = Batches(text, tokenizer, block_size=8, batch_size=16, seed=0)
    >>> model = build_model("bigram", vocab_size=tokenizer.vocab_size, block_size=8)
    >>> result = train(model, batches, TrainConfig(steps=100, learning_rate=0.1))
    >>> result.stopped, result.step
    ('budget', 100)
    >>> tokenizer.decode(generate(model, torch.tensor([[0]]), 7, SamplingRule(temperature=0))[0].tolist())
    'abcdabcd'

    Args:
        model: follows the contract of `gradus.models.base`; `model.config` is a dataclass.
        batches: the training batches; a counting model sees those of one epoch.
        run: where checkpoints and metrics go; None writes nothing to disk.
        evaluate: the dev loss in nats; None measures none, so there is no best checkpoint and no early stopping.
        fit_on: batches of the dev split, for a model with a method `fit(batches)`: what it must not learn from the
            training text, it fits on them after counting.
        progress: called after every step.
        data: what identifies the training text; saved in `state.json`.
        clock: the time in seconds, such as `time.perf_counter`.

    Raises:
        UserError: if the loss or the gradient is no longer a finite number, a checkpoint cannot be saved, the machine
            lacks what is asked for, or another process of the training has ended.
    """
    data = data or {}
    hardware = Hardware(config, counts=is_counting(model))
    if is_counting(model):
        session = Session(model, None, config, run, evaluate, progress, data, clock, hardware)
        return _count(model, batches, session, fit_on)
    if config.minutes is not None:
        clock = distributed.same_clock(clock)
    with hardware.errors(model, run):
        placed = hardware.place(model, data)
        optimizer = build_optimizer(placed, config)
        session = Session(placed, optimizer, config, run, evaluate, progress, data, clock, hardware)
        result = _optimize(hardware.network(placed), optimizer, batches, session)
        if placed is not model:  # each process has a part of it
            load_weights(model, weights(placed))
    return result


def is_counting(model: LanguageModel) -> bool:
    """Whether a model learns by counting: nothing to differentiate, and a method `count(x, y)`."""
    return hasattr(model, "count") and not any(p.requires_grad for p in model.parameters())


def _optimize(
    network: Callable[..., Any], optimizer: torch.optim.Optimizer, batches: BatchSource, session: Session
) -> TrainResult:
    """Gradient descent: optimizer steps until the session says stop. The network is the session's model, or on PyTorch
    something that calls it."""
    model, config, hardware = session.model, session.config, session.hardware
    parameters, feed = list(model.parameters()), Feed(model, batches, config.grad_accumulation, hardware.device)
    session.begin()
    hardware.count_flops(model, batches)
    model.train()
    with deferred_interrupt() as interrupted, np.errstate(all="ignore"):  # `_require_finite` reports inf and nan
        while session.stopped is None:
            session.start_step()
            lr = set_learning_rate(optimizer, config, session.schedule_position())
            micro_batches, tokens = feed.step(session.progress.step)

            optimizer.zero_grad(set_to_none=True)
            losses = []
            for x, y, share, last in micro_batches:
                distributed.synchronise(network, last)
                with hardware.autocast():
                    _, loss = network(x, y)
                if share != 1:
                    loss = loss * share  # their sum is the mean over all tokens of the step
                loss.backward()
                losses.append(loss.detach())
            norm = nn.utils.clip_grad_norm_(parameters, config.grad_clip) if config.grad_clip else None
            optimizer.step()

            # A GPU is behind: its numbers are asked for when it has all of the step's work.
            mean_loss = distributed.mean(sum(loss.item() for loss in losses))
            _require_finite(mean_loss, "loss", session)
            grad_norm = None  # before clipping; what is not clipped is not measured
            if norm is not None:
                grad_norm = distributed.whole(norm).item()
                _require_finite(grad_norm, "norm of the gradient", session)
            session.end_step(lr, mean_loss, grad_norm, tokens, distributed.any_of(interrupted))
    return session.result()


def _count(
    model: LanguageModel,
    batches: BatchSource,
    session: Session,
    fit_on: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
) -> TrainResult:
    """A counting model sees each batch of an epoch once."""
    session.begin()
    if not session.progress.step:
        for step in range(batches.steps_per_epoch):
            session.start_step()
            x, y = batches.batch(step)
            model.count(x, y)
            if step + 1 == batches.steps_per_epoch and hasattr(model, "fit"):
                model.fit(fit_on)
            session.end_count(model.scored(y), batches.steps_per_epoch)
    return session.result()


def _require_finite(value: float, what: str, session: Session) -> None:
    if not math.isfinite(value):
        advice = f"try a learning_rate below {session.config.learning_rate:g}"
        if not session.config.grad_clip:
            advice += " or grad_clip 1"
        raise UserError(f"the {what} became {value} at step {session.progress.step + 1}; {advice}")
