"""The distribution of |x|, x normal."""

from __future__ import annotations

import math
from typing import Self

from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Constraints, Distribution, Shape
from gradus.engine.distributions.normal import Normal
from gradus.engine.tensor import Tensor


class HalfNormal(Distribution):
    """|x|, x normal with mean 0 and scale"""

    arg_constraints: Constraints = {"scale": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self._normal = Normal(0, scale, validate_args=False)
        super().__init__(self._normal.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape) -> Self:
        new = super().expand(batch_shape)
        new._normal = self._normal.expand(batch_shape)
        return new

    @property
    def scale(self) -> Tensor:
        return self._normal.scale

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return self.scale * 0

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        return self._normal.sample(sample_shape).abs()

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._normal.rsample(sample_shape).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        inside = self._normal.log_prob(value) + math.log(2)
        return inside.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self._normal.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self._normal.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self._normal.entropy() - math.log(2)
