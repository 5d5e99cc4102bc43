"""Distributions of the transformed values of another distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Distribution, Shape, sum_rightmost
from gradus.engine.distributions.independent import Independent
from gradus.engine.distributions.transforms import ComposeTransform, Transform
from gradus.engine.tensor import Tensor


class TransformedDistribution(Distribution):
    """The distribution of y = f(x), x of the base distribution: log p(y) = log p(x) - log |dy/dx|"""

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        if isinstance(transforms, Transform):
            self.transforms = [transforms]
        elif isinstance(transforms, list):
            if not all(isinstance(t, Transform) for t in transforms):
                raise ValueError("transforms must be a Transform or a list of Transforms")
            self.transforms = transforms
        else:
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        whole = ComposeTransform(self.transforms)
        base_event = len(base_distribution.event_shape)
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        if len(shape) < whole.domain.event_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {whole.domain.event_dim}, but got {shape}."
            )
        forward = whole.forward_shape(shape)
        wide = whole.inverse_shape(forward)
        if tuple(wide) != shape:
            base_distribution = base_distribution.expand(wide[: len(wide) - base_event])
        taken = whole.domain.event_dim - base_event
        self.base_dist = Independent(base_distribution, taken) if taken > 0 else base_distribution
        event = max(whole.codomain.event_dim, base_event + whole.codomain.event_dim - whole.domain.event_dim)
        cut = len(forward) - event
        super().__init__(forward[:cut], forward[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Shape) -> Self:
        new = super().expand(batch_shape)
        shape: Shape = (*batch_shape, *self._event_shape)
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        return new

    @property
    def has_rsample(self) -> bool:
        return bool(self.base_dist.has_rsample)

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        extra = len(self._event_shape) - support.event_dim
        return constraints.independent(support, extra) if extra > 0 else support

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = len(self._event_shape)
        total: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform._inv_call(y)
            n += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(transform.log_abs_det_jacobian(x, y), n - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), n - len(self.base_dist.event_shape))

    def _rising(self, share: Tensor) -> Tensor:
        """p, or 1 - p if the transforms decrease."""
        sign = ComposeTransform(self.transforms).sign
        return share if isinstance(sign, int) and sign == 1 else sign * (share - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform._inv_call(value)
        return self._rising(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._forward(self.base_dist.icdf(self._rising(value)))
