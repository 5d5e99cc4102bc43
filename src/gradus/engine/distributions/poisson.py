"""The Poisson distribution: how many events there are in an interval."""

from __future__ import annotations

from gradus.engine.autograd.record import wrap
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import (
    Constraints,
    Distribution,
    Parameter,
    Shape,
    broadcast_all,
)
from gradus.engine.functions import xlogy
from gradus.engine.random import rejection
from gradus.engine.tensor import Tensor


class Poisson(Distribution):
    """p(k) = rateᵏ exp(-rate) / k!. The samples are PyTorch's, draw for draw."""

    arg_constraints: Constraints = {"rate": constraints.nonnegative}  # noqa: RUF012
    support = constraints.nonnegative_integer

    def __init__(self, rate: Parameter, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        rate = self.rate.detach().expand(self._extended_shape(sample_shape))._array
        return wrap(rejection.each(rejection.poisson, rate).astype(rate.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return xlogy(value, rate) - rate - (value + 1).lgamma()
