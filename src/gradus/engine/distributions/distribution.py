"""`Distribution`, the base class: shapes, validation and the common methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Self

from gradus.engine.autograd.grad_mode import enable_grad, no_grad
from gradus.engine.distributions.constraints import Constraint, is_dependent
from gradus.engine.dtypes import Size, get_default_dtype
from gradus.engine.dtypes.limits import finfo
from gradus.engine.functions import broadcast_tensors, exp, tensor
from gradus.engine.tensor import Tensor

Shape = Sequence[int]
Parameter = Tensor | float


class Distribution:
    """Base class.

    Samples have the shape sample_shape + batch_shape + event_shape: independent draws, the distributions that the
    parameters describe, and the shape of one value.

    Args:
        validate_args: check parameters and values; None means yes, unless Python runs with -O.

    Raises:
        ValueError: if a parameter does not satisfy its constraint.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    arg_constraints: Any = {}  # noqa: RUF012
    support: Any = None
    _validate_args: ClassVar[Any] = __debug__

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args  # type: ignore[misc]
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Set whether new distributions check their parameters and values by default."""
        Distribution._validate_args = value

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            lazy = name not in self.__dict__ and isinstance(getattr(type(self), name, None), cached_property)
            if is_dependent(constraint) or lazy:
                continue
            value = getattr(self, name)
            if not bool(constraint.check(value).all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def expand(self, batch_shape: Shape) -> Self:
        """The same distribution, expanded to batch_shape."""
        new = copy(self)
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if value is not None:
                new.__dict__[name] = value.expand(*batch_shape, *value.shape[value.ndim - constraint.event_dim :])
        new._batch_shape = Size(batch_shape)
        return new

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """sample_shape + batch_shape + event_shape: samples without gradients."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Reparameterized samples: functions of the parameters and of noise, so that gradients flow to the
        parameters.
        """
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability of a discrete value: (..., event) -> (...)."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The cumulative distribution function: the probability of a value of at most this."""
        raise NotImplementedError(f"{type(self).__name__}.cdf is not supported")

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        raise NotImplementedError(f"{type(self).__name__}.icdf is not supported")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy in nats, of batch_shape."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        return exp(self.entropy())

    def _extended_shape(self, sample_shape: Shape = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Tensor) -> None:
        """Raise a ValueError if a value has the wrong shape or is outside the support."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        if value.shape[value.ndim - len(self._event_shape) :] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = Size((*self._batch_shape, *self._event_shape))
        if any(1 not in (i, j) and i != j for i, j in zip(reversed(value.shape), reversed(expected), strict=False)):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}.")
        if not bool(self.support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        shown = {name: self.__dict__[name] for name in self.arg_constraints if name in self.__dict__}
        parts = ", ".join(f"{name}: {x if x.numel() == 1 else x.size()}" for name, x in shown.items())
        return f"{type(self).__name__}({parts})"


ExponentialFamily = Distribution
Constraints = dict[str, Constraint]


def lazy_property(function: Callable[[Any], Tensor]) -> Any:
    """A property computed at its first use, with gradients enabled even under `no_grad`."""
    return cached_property(enable_grad()(function))


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Broadcast tensors and numbers to a common shape; numbers get the dtype of the first tensor."""
    kinds = [x.dtype for x in values if isinstance(x, Tensor)]
    if not all(isinstance(x, (Tensor, int, float)) for x in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    dtype = kinds[0] if kinds else get_default_dtype()
    return tuple(broadcast_tensors(*[x if isinstance(x, Tensor) else tensor(x, dtype=dtype) for x in values]))


def one_of(probs: Any, logits: Any) -> None:
    """Raise a ValueError unless exactly one of the two is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from log odds (sigmoid) or from logits (softmax over the last dimension)."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The inverse of `logits_to_probs`; probabilities are clamped to [eps, 1 - eps]."""
    eps = finfo(probs.dtype).eps
    clamped = probs.clamp(min=eps, max=1 - eps)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def sum_rightmost(value: Tensor, n: int) -> Tensor:
    """The sum over the last n dimensions."""
    return value.reshape(*value.shape[: value.ndim - n], -1).sum(-1) if n else value
