"""The gamma function's relatives, and the inverse of the error function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.engine.functions.operands import floating
from gradus.engine.ops import special as sp
from gradus.engine.variable import apply_one

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["digamma", "erfinv", "lgamma", "polygamma"]


def lgamma(input: Tensor) -> Tensor:
    """log |Γ(input)|; inf at 0, -1, -2 ..."""
    return apply_one(sp.Lgamma, floating(input))


def digamma(input: Tensor) -> Tensor:
    """The derivative of `lgamma`; nan at -1, -2 ..."""
    return apply_one(sp.Digamma, floating(input))


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of `digamma`, n >= 0."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return apply_one(sp.Polygamma, floating(input), n)


def _polygamma_method(input: Tensor, n: int) -> Tensor:
    return polygamma(n, input)


def erfinv(input: Tensor) -> Tensor:
    """The number whose `erf` is input; inf and -inf at 1 and -1, nan beyond."""
    return apply_one(sp.Erfinv, floating(input))
