"""Circular and hyperbolic functions, elementwise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.engine.autograd.record import apply_one
from gradus.engine.functions.checks import only_tensors
from gradus.engine.functions.operands import binary, binary_of_floats, both_floating, floating
from gradus.engine.ops import trigonometry

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh",
    "atan", "atan2", "atanh", "cos", "cosh", "deg2rad", "hypot", "rad2deg", "sin", "sinc", "sinh", "tan", "tanh",
]  # fmt: skip


def sin(input: Tensor) -> Tensor:
    """Return the sine of input, in radians."""
    return apply_one(trigonometry.Sin, floating(input))


def cos(input: Tensor) -> Tensor:
    """Return the cosine of input, in radians."""
    return apply_one(trigonometry.Cos, floating(input))


def tan(input: Tensor) -> Tensor:
    """Return the tangent of input, in radians."""
    return apply_one(trigonometry.Tan, floating(input))


def asin(input: Tensor) -> Tensor:
    """Return the arcsine of input, in [-π/2, π/2]; NaN outside [-1, 1]."""
    return apply_one(trigonometry.Asin, floating(input))


def acos(input: Tensor) -> Tensor:
    """Return the arccosine of input, in [0, π]; NaN outside [-1, 1]."""
    return apply_one(trigonometry.Acos, floating(input))


def atan(input: Tensor) -> Tensor:
    """Return the arctangent of input, in [-π/2, π/2]."""
    return apply_one(trigonometry.Atan, floating(input))


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """Return the angle of the point (other, input), in [-π, π]."""
    only_tensors("atan2", input, other)
    return binary(trigonometry.Atan2, *both_floating(input, other))


def sinh(input: Tensor) -> Tensor:
    """Return the hyperbolic sine of input, (eˣ - e⁻ˣ) / 2."""
    return apply_one(trigonometry.Sinh, floating(input))


def cosh(input: Tensor) -> Tensor:
    """Return the hyperbolic cosine of input, (eˣ + e⁻ˣ) / 2."""
    return apply_one(trigonometry.Cosh, floating(input))


def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent of input, (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""
    return apply_one(trigonometry.Tanh, floating(input))


def asinh(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic sine of input."""
    return apply_one(trigonometry.Asinh, floating(input))


def acosh(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic cosine of input; NaN below 1."""
    return apply_one(trigonometry.Acosh, floating(input))


def atanh(input: Tensor) -> Tensor:
    """Return the inverse hyperbolic tangent of input; NaN outside [-1, 1]."""
    return apply_one(trigonometry.Atanh, floating(input))


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """Return √(input² + other²), without overflow."""
    return binary_of_floats(trigonometry.Hypot, "hypot", input, other)


def sinc(input: Tensor) -> Tensor:
    """Return sin(πx) / (πx), and 1 at 0."""
    return apply_one(trigonometry.Sinc, floating(input))


def deg2rad(input: Tensor) -> Tensor:
    """Convert degrees to radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Convert radians to degrees."""
    return input * (180 / math.pi)


arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = asin, acos, atan, atan2, asinh, acosh, atanh
