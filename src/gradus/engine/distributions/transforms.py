"""Invertible functions with the logarithm of their derivative, from which `TransformedDistribution` makes new ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradus.engine.distributions import constraints
from gradus.engine.distributions.constraints import Constraint
from gradus.engine.distributions.distribution import Shape, broadcast_all, sum_rightmost
from gradus.engine.dtypes import Size
from gradus.engine.dtypes.limits import finfo
from gradus.engine.functions import atanh, broadcast_shapes, full_like, zeros_like
from gradus.engine.nn.functional import softplus
from gradus.engine.tensor import Tensor


class Transform:
    """Base class: y = transform(x), x = transform.inv(y).

    Args:
        cache_size: 1 caches the last x and y, so that the inverse of the last y is exactly x.
    """

    domain: Any = constraints.real
    codomain: Any = constraints.real
    bijective: Any = False
    sign: Any = 1

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._cached: tuple[Any, Any] = (None, None)
        self._inv: Transform | None = None

    @property
    def event_dim(self) -> int:
        return int(self.domain.event_dim)

    @property
    def inv(self) -> Transform:
        """The inverse transform."""
        if self._inv is None:
            self._inv = InverseTransform(self)
        return self._inv

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size and x is self._cached[0]:
            return self._cached[1]
        y = self._call(x)
        if self._cache_size:
            self._cached = (x, y)
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size and y is self._cached[1]:
            return self._cached[0]
        x = self._inverse(y)
        if self._cache_size:
            self._cached = (x, y)
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |dy/dx|, over event_dim dimensions the logarithm of the Jacobian's determinant."""
        raise NotImplementedError

    def forward_shape(self, shape: Shape) -> Size:
        """The shape of y for an x of this shape."""
        return Size(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        """The shape of x for a y of this shape."""
        return Size(shape)

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and self._same(other))

    __hash__ = object.__hash__

    def _same(self, other: Any) -> bool:
        """Whether two transforms without parameters are equal: if they are of one class."""
        mine, theirs = ({n: v for n, v in vars(t).items() if n[0] != "_"} for t in (self, other))
        return type(self).__init__ is Transform.__init__ and mine == theirs

    def __repr__(self) -> str:
        return type(self).__name__ + "()"


class InverseTransform(Transform):
    """Another transform from y to x."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self.of = transform
        self.domain, self.codomain = transform.codomain, transform.domain
        self.bijective, self.sign = transform.bijective, transform.sign

    @property
    def inv(self) -> Transform:
        return self.of

    def __call__(self, x: Tensor) -> Tensor:
        return self.of._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self.of(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.of.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Shape) -> Size:
        return self.of.inverse_shape(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        return self.of.forward_shape(shape)

    def _same(self, other: Any) -> bool:
        return bool(self.of == other.of)

    def __repr__(self) -> str:
        return f"InverseTransform({self.of!r})"


class ComposeTransform(Transform):
    """One transform after the other."""

    def __init__(self, parts: Sequence[Transform]) -> None:
        super().__init__()
        self.parts = list(parts)
        self.bijective = all(part.bijective for part in self.parts)
        self.sign = 1
        for part in self.parts:
            self.sign = self.sign * part.sign
        if self.parts:
            self.domain = self._widened(self.parts[0].domain, self.parts[::-1], "codomain", "domain")
            self.codomain = self._widened(self.parts[-1].codomain, self.parts, "domain", "codomain")

    @staticmethod
    def _widened(constraint: Constraint, parts: Sequence[Transform], first: str, last: str) -> Constraint:
        """A constraint over as many event dimensions as any part needs."""
        n = getattr(parts[0], first).event_dim
        for part in parts:
            n += getattr(part, last).event_dim - getattr(part, first).event_dim
            n = max(n, getattr(part, last).event_dim)
        extra = n - constraint.event_dim
        return constraints.independent(constraint, extra) if extra else constraint

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.parts:
            return zeros_like(x)
        total: Any = 0
        n = self.domain.event_dim
        for part in self.parts:
            after = y if part is self.parts[-1] else part(x)
            total = total + sum_rightmost(part.log_abs_det_jacobian(x, after), n - part.domain.event_dim)
            n += part.codomain.event_dim - part.domain.event_dim
            x = after
        return total

    def forward_shape(self, shape: Shape) -> Size:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return Size(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return Size(shape)

    def _same(self, other: Any) -> bool:
        return bool(self.parts == other.parts)

    def __repr__(self) -> str:
        return "ComposeTransform(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


identity_transform = ComposeTransform([])


class ExpTransform(Transform):
    """y = exp x"""

    codomain = constraints.positive
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)), clamped away from 0 and 1"""

    codomain = constraints.unit_interval
    bijective = True

    @staticmethod
    def _inside(y: Tensor) -> Tensor:
        limits = finfo(y.dtype)
        return y.clamp(min=limits.tiny, max=1.0 - limits.eps)

    def _call(self, x: Tensor) -> Tensor:
        return self._inside(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = self._inside(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """y = log(1 + exp x)"""

    codomain = constraints.positive
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Transform):
    """y = tanh x; cache_size=1 keeps x where y is rounded to 1"""

    codomain = constraints.interval(-1.0, 1.0)
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return atanh(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """y = |x|; its inverse gives y"""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class PowerTransform(Transform):
    """y = x^exponent, x > 0"""

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Tensor | float, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)
        self.sign = self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Shape) -> Size:
        return Size(broadcast_shapes(tuple(shape), tuple(self.exponent.shape)))

    inverse_shape = forward_shape

    def _same(self, other: Any) -> bool:
        return bool((self.exponent == other.exponent).all())


class AffineTransform(Transform):
    """y = loc + scale x

    Args:
        event_dim: how many of the last dimensions are one value.
    """

    bijective = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale = loc, scale
        self.domain = self.codomain = (
            constraints.independent(constraints.real, event_dim) if event_dim else constraints.real
        )
        self.sign = scale.sign() if isinstance(scale, Tensor) else (scale > 0) - (scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale, n = self.scale, self.event_dim
        if isinstance(scale, Tensor):
            log = sum_rightmost(scale.abs().log().expand(x.shape) if n else scale.abs().log(), n)
        else:
            log = sum_rightmost(full_like(x, math.log(abs(scale))), n)
        return log.expand(x.shape[: x.ndim - n])

    def forward_shape(self, shape: Shape) -> Size:
        own = [tuple(part.shape) for part in (self.loc, self.scale) if isinstance(part, Tensor)]
        return Size(broadcast_shapes(tuple(shape), *own))

    inverse_shape = forward_shape

    def _same(self, other: Any) -> bool:
        pairs = ((self.loc, other.loc), (self.scale, other.scale))
        return all(bool((a == b).all()) if isinstance(a == b, Tensor) else a == b for a, b in pairs)


class SoftmaxTransform(Transform):
    """y = softmax x over the last dimension; its inverse is log y, which is x up to a constant"""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return (x - x.max(-1, True)[0]).exp() / (x - x.max(-1, True)[0]).exp().sum(-1, True)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()
