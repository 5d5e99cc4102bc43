"""The distribution of exp(x), x normal."""

from __future__ import annotations

from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Constraints
from gradus.engine.distributions.normal import Normal
from gradus.engine.distributions.transformed_distribution import TransformedDistribution
from gradus.engine.distributions.transforms import ExpTransform
from gradus.engine.tensor import Tensor


class LogNormal(TransformedDistribution):
    """exp(x), x normal with loc and scale"""

    arg_constraints: Constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True
    base_dist: Normal

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc
