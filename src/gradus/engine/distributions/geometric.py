"""The geometric distribution: failures before a success."""

from __future__ import annotations

from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import (
    Constraints,
    Parameter,
    Shape,
    broadcast_all,
)
from gradus.engine.distributions.trials import Trials
from gradus.engine.dtypes.limits import finfo
from gradus.engine.functions import empty, where, zeros_like
from gradus.engine.nn.functional import binary_cross_entropy_with_logits
from gradus.engine.tensor import Tensor


class Geometric(Trials):
    """p(k) = (1 - probs)ᵏ probs, k = 0, 1 ... failures before the first success. PyTorch's samples, draw for draw."""

    arg_constraints: Constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Parameter | None = None, logits: Parameter | None = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(probs, logits, validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ValueError(
                f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution {self!r} to be "
                f"positive but found invalid values:\n{self.probs.detach()[self.probs <= 0]}"
            )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        dtype = self.probs.dtype
        with no_grad():
            u = empty(self._extended_shape(sample_shape), dtype=dtype).uniform_(finfo(dtype).tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        failure = where((probs == 1) & (value == 0), zeros_like(probs), probs)
        return value * (-failure).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
