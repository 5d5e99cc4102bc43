"""The categorical distribution, and the base class of distributions of vectors over categories."""

from __future__ import annotations

import math
from typing import Any, Self

from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import (
    Constraints,
    Distribution,
    Shape,
    lazy_property,
    logits_to_probs,
    one_of,
    probs_to_logits,
)
from gradus.engine.dtypes import Size
from gradus.engine.dtypes.limits import finfo
from gradus.engine.functions import arange, broadcast_tensors, full, multinomial
from gradus.engine.tensor import Tensor

PARAMETERS: Constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}


class Categorical(Distribution):
    """p(i) = probs[i], or softmax(logits)[i]. The samples are PyTorch's, draw for draw.

    Args:
        probs: (..., K), at least 0; normalized to sum to 1.
        logits: (..., K), instead of probs; normalized by their logsumexp.
    """

    arg_constraints = PARAMETERS
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        one_of(probs, logits)
        for name, given in (("probs", probs), ("logits", logits)):
            if given is not None and given.dim() < 1:
                raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        elif logits is not None:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits)

    @property
    def _param(self) -> Tensor:
        return self.probs if "probs" in self.__dict__ else self.logits

    @property
    def _num_events(self) -> int:
        return self._param.shape[-1]

    @property
    def param_shape(self) -> Size:
        return self._param.shape

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return full(self._batch_shape, math.nan, dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return full(self._batch_shape, math.nan, dtype=self.probs.dtype)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        rows = self.probs.detach().reshape(-1, self._num_events)
        drawn = multinomial(rows, math.prod(sample_shape), True)
        return drawn.T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        index, log_pmf = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_pmf.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.logits.clamp(min=finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._num_events).view(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class OfCategories(Distribution):
    """Base class of distributions of vectors over categories: they contain a `Categorical`."""

    arg_constraints = PARAMETERS
    _categorical: Categorical

    @property
    def probs(self) -> Tensor:
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        return self._categorical.param_shape

    def expand(self, batch_shape: Shape) -> Self:
        new = super().expand(batch_shape)
        new._categorical = self._categorical.expand(batch_shape)
        return new
