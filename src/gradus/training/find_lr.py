"""The learning-rate finder (Smith, 2017): one short training in which the rate rises from far too small to far too
large, and what the loss says about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradus.backend import nn, world_size
from gradus.errors import UserError
from gradus.models import LanguageModel
from gradus.training.checkpoint import load_weights, weights
from gradus.training.config import TrainConfig
from gradus.training.feed import BatchSource, Feed
from gradus.training.hardware import Hardware
from gradus.training.optimizer import build_optimizer

LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 200
SMOOTHING = 0.9  # of the loss: the weight of the steps before
DIVERGED = 1.5  # times the lowest loss: the sweep ends
MARGIN = 10  # the suggestion is so many times below the rate at which the loss was lowest


@dataclass(frozen=True)
class Sweep:
    """The rates that were tried, in order, and the smoothed loss after the step of each, in nats."""

    rates: list[float]
    losses: list[float]

    @property
    def suggestion(self) -> float:
        """A tenth of the rate with the lowest loss: at that one itself the loss is about to rise, and what a short
        sweep survives a long training does not."""
        return self.rates[int(np.argmin(self.losses))] / MARGIN

    def __repr__(self) -> str:
        low, high = self.rates[0], self.rates[-1]
        return f"Sweep({len(self.rates)} rates from {low:.1e} to {high:.1e}; {self.suggestion:.1e} suggested)"


def find_learning_rate(
    model: LanguageModel,
    batches: BatchSource,
    config: TrainConfig,
    *,
    progress: Callable[[float, float], None] | None = None,
) -> Sweep:
    """Raise the learning rate from LOWEST by the same factor each step, until the loss has diverged or HIGHEST is
    reached. The model is left with the weights that it had.

    Args:
        progress: called after every step with the rate and the smoothed loss.

    Raises:
        UserError: if the loss has diverged before three steps, or the machine lacks what is asked for.
    """
    if world_size() > 1:
        raise UserError("a learning rate is found by one process; leave out torchrun")
    hardware = Hardware(config)
    with hardware.errors(model, None):
        network = hardware.network(hardware.place(model, {}))
        before, optimizer = weights(model), build_optimizer(model, config)
        feed = Feed(model, batches, config.grad_accumulation, hardware.device)
        sweep, smoothed, lowest = Sweep([], []), 0.0, math.inf
        model.train()
        for step in range(STEPS):
            rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            for group in optimizer.param_groups:
                # a second rate keeps its ratio to the first
                group["lr"] = group["peak_lr"] / config.learning_rate * rate
            micro_batches, _ = feed.step(step)
            optimizer.zero_grad()
            mean_loss = 0.0
            with np.errstate(all="ignore"):  # the sweep ends where the loss diverges
                for x, y, share, _ in micro_batches:
                    with hardware.autocast():
                        _, loss = network(x, y)
                    loss = loss * share
                    loss.backward()
                    mean_loss += loss.item()
                if config.grad_clip:
                    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
                optimizer.step()
            smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * mean_loss
            mean = smoothed / (1 - SMOOTHING ** (step + 1))  # without the zero that it began with
            if not mean < DIVERGED * lowest and step:  # nan too
                break
            lowest = min(lowest, mean)
            sweep.rates.append(rate)
            sweep.losses.append(mean)
            if progress is not None:
                progress(rate, mean)
        load_weights(model, before)
        model.state = None
    if len(sweep.rates) < 3:
        raise UserError(f"the loss diverged at once, at a learning rate of {LOWEST:g}: there is nothing to choose from")
    return sweep
