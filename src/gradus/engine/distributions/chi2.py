"""The chi-squared distribution."""

from __future__ import annotations

from typing import Self

from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Constraints, Parameter, Shape, broadcast_all
from gradus.engine.distributions.gamma import Gamma
from gradus.engine.tensor import Tensor


class Chi2(Gamma):
    """Gamma with concentration df / 2 and rate 1/2: the sum of df squared normal numbers."""

    arg_constraints: Constraints = {"df": constraints.positive}  # noqa: RUF012

    def __init__(self, df: Parameter, validate_args: bool | None = None) -> None:
        (df,) = broadcast_all(df)
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Shape) -> Self:
        new = super().expand(batch_shape)
        new.concentration, new.rate = (x.expand(*batch_shape) for x in (self.concentration, self.rate))
        return new

    @property
    def df(self) -> Tensor:
        return self.concentration * 2
