"""The gamma distribution, and the samples that beta, Dirichlet and chi-squared are computed from.

The samples are PyTorch's, draw for draw. They have no gradients: `rsample` raises an error if a parameter requires one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.grad_mode import is_grad_enabled
from gradus.engine.autograd.record import wrap
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Constraints, Distribution, Parameter, Shape, broadcast_all
from gradus.engine.dtypes.limits import finfo
from gradus.engine.functions import xlogy
from gradus.engine.random import rejection
from gradus.engine.tensor import Tensor


def drawn(concentration: Tensor) -> np.ndarray[Any, Any]:
    """Gamma samples of rate 1, in float64."""
    if concentration.requires_grad and is_grad_enabled():
        raise NotImplementedError(
            "gradients through samples of gamma, beta and Dirichlet distributions are not supported; use sample()"
        )
    return rejection.each(rejection.gamma, concentration._array)


class Gamma(Distribution):
    """p(x) = rate^concentration x^(concentration - 1) exp(-rate x) / Γ(concentration)"""

    arg_constraints: Constraints = {  # noqa: RUF012
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Parameter, rate: Parameter, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        dtype = self.concentration._array.dtype
        tiny = finfo(self.concentration.dtype).tiny
        sizes = wrap(np.maximum(drawn(self.concentration.expand(shape)).astype(dtype), tiny).astype(dtype))
        return (sizes / self.rate.expand(shape)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return xlogy(a, rate) + xlogy(a - 1, value) - rate * value - a.lgamma()

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()
