"""Mixtures of distributions of one class."""

from __future__ import annotations

from typing import Any, Self

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.distributions import constraints
from gradus.engine.distributions.categorical import Categorical
from gradus.engine.distributions.distribution import Distribution, Shape
from gradus.engine.functions import gather, log_softmax
from gradus.engine.tensor import Tensor


class MixtureSameFamily(Distribution):
    """A category is drawn, then a value of that component: p(x) = Σ p(k) pₖ(x)

    Args:
        mixture_distribution: a `Categorical` over K components.
        component_distribution: of batch_shape (..., K).
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        batch, components = component_distribution.batch_shape[:-1], component_distribution.batch_shape[-1]
        mixed = mixture_distribution.batch_shape
        if any(1 not in (i, j) and i != j for i, j in zip(reversed(mixed), reversed(batch), strict=False)):
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({mixed}) is not compatible with "
                f"`component_distribution.batch_shape`({batch})"
            )
        if mixture_distribution.logits.shape[-1] != components:
            raise ValueError(
                f"`mixture_distribution component` ({mixture_distribution._num_events}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({components})"
            )
        self.mixture_distribution, self.component_distribution = mixture_distribution, component_distribution
        self._event_ndims = len(component_distribution.event_shape)
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape) -> Self:
        new = super().expand(batch_shape)
        new.component_distribution = self.component_distribution.expand(
            (*batch_shape, self.mixture_distribution._num_events)
        )
        new.mixture_distribution = self.mixture_distribution.expand(batch_shape)
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)

    @property
    def _shares(self) -> Tensor:
        """(..., K, 1 ... 1): the components' probabilities, broadcastable over their event dimensions."""
        probs = self.mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1,) * self._event_ndims)

    def _pad(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return (self._shares * self.component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        parts = self.component_distribution
        spread = parts.variance + (parts.mean - self._pad(self.mean)).pow(2.0)
        return (self._shares * spread).sum(-1 - self._event_ndims)

    def cdf(self, x: Tensor) -> Tensor:
        return (self.component_distribution.cdf(self._pad(x)) * self.mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        self._validate_sample(x)
        log_prob = self.component_distribution.log_prob(self._pad(x))
        return (log_prob + log_softmax(self.mixture_distribution.logits, -1)).logsumexp(-1)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        place = len(sample_shape) + len(self._batch_shape)
        with no_grad():
            chosen = self.mixture_distribution.sample(sample_shape)
            drawn = self.component_distribution.sample(sample_shape)
            index = chosen.reshape(*chosen.shape, *(1,) * (self._event_ndims + 1))
            index = index.expand(*drawn.shape[:place], 1, *self._event_shape)
            return gather(drawn, place, index).squeeze(place)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
