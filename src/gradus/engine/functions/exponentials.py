"""Exponentials, logarithms and roots, elementwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import apply_one
from gradus.engine.functions.operands import as_floats, binary, binary_of_floats, floating
from gradus.engine.ops import exponentials

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "rsqrt",
    "sqrt",
    "xlogy",
]  # fmt: skip


def exp(input: Tensor) -> Tensor:
    """Return e to the power of input."""
    return apply_one(exponentials.Exp, floating(input))


def exp2(input: Tensor) -> Tensor:
    """Return 2 to the power of input."""
    return apply_one(exponentials.Exp2, floating(input))


def expm1(input: Tensor) -> Tensor:
    """Return exp(input) - 1, accurate near 0."""
    return apply_one(exponentials.Expm1, floating(input))


def log(input: Tensor) -> Tensor:
    """Return the natural logarithm of input."""
    return apply_one(exponentials.Log, floating(input))


def log10(input: Tensor) -> Tensor:
    """Return the logarithm of input to base 10."""
    return apply_one(exponentials.Log10, floating(input))


def log2(input: Tensor) -> Tensor:
    """Return the logarithm of input to base 2."""
    return apply_one(exponentials.Log2, floating(input))


def log1p(input: Tensor) -> Tensor:
    """Return log(1 + input), accurate near 0."""
    return apply_one(exponentials.Log1p, floating(input))


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """Return log(exp(input) + exp(other)), without overflow."""
    return binary_of_floats(exponentials.LogAddExp, "logaddexp", input, other)


def xlogy(input: Any, other: Any) -> Tensor:
    """Return input * log(other), and 0 where input is 0."""
    return binary(exponentials.XLogY, *as_floats("xlogy", input, other))


def sqrt(input: Tensor) -> Tensor:
    """Return √input; NaN for negative numbers."""
    return apply_one(exponentials.Sqrt, floating(input))


def rsqrt(input: Tensor) -> Tensor:
    """Return 1 / √input."""
    return apply_one(exponentials.Rsqrt, floating(input))


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """Return log₂(2^input + 2^other), without overflow."""
    return binary_of_floats(exponentials.LogAddExp2, "logaddexp2", input, other)
