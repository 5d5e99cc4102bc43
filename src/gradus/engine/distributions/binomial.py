"""The binomial distribution: successes among many trials."""

from __future__ import annotations

from typing import Any

from gradus.engine.autograd.record import wrap
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import (
    Constraints,
    Shape,
    broadcast_all,
    one_of,
)
from gradus.engine.distributions.trials import Trials
from gradus.engine.functions import arange
from gradus.engine.random import rejection
from gradus.engine.tensor import Tensor


class Binomial(Trials):
    """p(k) = (n over k) probsᵏ (1 - probs)ⁿ⁻ᵏ, n = total_count. PyTorch's samples, draw for draw, in float64."""

    arg_constraints: Constraints = {  # noqa: RUF012
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Tensor | int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        one_of(probs, logits)
        given = probs if probs is not None else logits
        dtype = given.dtype if isinstance(given, Tensor) else None
        count, given = broadcast_all(total_count, given)
        self.total_count = count.to(dtype or given.dtype)
        super().__init__(given if logits is None else None, given if probs is None else None, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        count, probs = (x.detach().expand(shape)._array for x in (self.total_count, self.probs))
        return wrap(rejection.each(rejection.binomial, count, probs).astype(probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        positive = self.logits.clamp(min=0)
        odds = n * positive + n * (-self.logits.abs()).exp().log1p()  # n log(1 + exp(logits)), without overflow
        return ways + value * self.logits - odds

    def entropy(self) -> Tensor:
        if not bool((self.total_count == self.total_count.max()).all()):
            raise NotImplementedError("Inhomogeneous total count not supported by `entropy`.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = int(self.total_count.max())
        if not bool((self.total_count == count).all()):
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        values = arange(1 + count, dtype=self.probs.dtype).view(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
