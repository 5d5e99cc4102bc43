"""The Bernoulli distribution: the outcome of one trial, 0 or 1."""

from __future__ import annotations

import math

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import (
    Constraints,
    Shape,
    broadcast_all,
)
from gradus.engine.distributions.trials import Trials
from gradus.engine.functions import arange, bernoulli, full_like, where
from gradus.engine.nn.functional import binary_cross_entropy_with_logits
from gradus.engine.tensor import Tensor


class Bernoulli(Trials):
    """p(1) = probs, p(0) = 1 - probs. The samples are PyTorch's, draw for draw."""

    arg_constraints: Constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.boolean
    has_enumerate_support = True

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        likely = (self.probs >= 0.5).to(self.probs.dtype)
        return where(self.probs == 0.5, full_like(likely, math.nan), likely)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(2, dtype=self.probs.dtype).view(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
