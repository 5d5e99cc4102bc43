"""The Dirichlet distribution of probabilities that sum to 1."""

from __future__ import annotations

import numpy as np

from gradus.engine.autograd.record import wrap
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Constraints, Distribution, Shape
from gradus.engine.distributions.gamma import drawn
from gradus.engine.functions import where, xlogy
from gradus.engine.nn.functional import one_hot
from gradus.engine.tensor import Tensor


class Dirichlet(Distribution):
    """p(x) = Γ(Σ aᵢ) / Π Γ(aᵢ) · Π xᵢ^(aᵢ - 1), x at least 0 with sum 1, a = concentration (..., K)"""

    arg_constraints: Constraints = {  # noqa: RUF012
        "concentration": constraints.independent(constraints.positive, 1)
    }
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        corner = one_hot(mode.argmax(-1), mode.shape[-1]).to(mode.dtype)
        return where((self.concentration < 1).all(-1, keepdim=True), corner, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a = self.concentration
        return xlogy(a - 1.0, value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        a, k = self.concentration, self.concentration.shape[-1]
        total = a.sum(-1)
        spread = (k - total) * total.digamma() + ((a - 1.0) * a.digamma()).sum(-1)
        return a.lgamma().sum(-1) - total.lgamma() - spread


def dirichlet(concentration: Tensor) -> Tensor:
    """Gamma draws divided by their sum, clamped away from 0 and 1."""
    dtype = concentration._array.dtype
    sizes = drawn(concentration)
    shares = (sizes / sizes.sum(-1, keepdims=True)).astype(dtype)
    return wrap(np.clip(shares, np.finfo(dtype).tiny, np.nextafter(dtype.type(1), dtype.type(0))))
