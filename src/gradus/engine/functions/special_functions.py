"""Special functions, functions of integers (`gcd`, `lcm`) and of the parts of floats (`frexp`), elementwise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import apply_one, wrap
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.arithmetic import mul, pow
from gradus.engine.functions.checks import floating_only, only_tensors
from gradus.engine.functions.operands import binary, binary_of_floats, floating, is_tensor, number, same_type
from gradus.engine.ops import special
from gradus.engine.ops.activations import Sigmoid
from gradus.engine.ops.exponentials import Logit

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "frexp", "gcd", "i0", "igamma", "igammac", "lcm", "ldexp", "lgamma", "logit",
    "mvlgamma", "nextafter", "polygamma", "sigmoid",
]  # fmt: skip


def erf(input: Tensor) -> Tensor:
    """Return the error function of input, 2/√π ∫₀ˣ exp(-t²) dt."""
    return apply_one(special.Erf, floating(input))


def erfc(input: Tensor) -> Tensor:
    """Return 1 - erf(input), accurate where that is near 0."""
    return apply_one(special.Erfc, floating(input))


def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + e⁻ˣ)."""
    return apply_one(Sigmoid, floating(input))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """Return log(x / (1 - x)), the inverse of `sigmoid`; with `eps`, x is first clamped to [eps, 1 - eps]."""
    return apply_one(Logit, floating(input), None if eps is None else number(eps, "logit", "eps"))


def lgamma(input: Tensor) -> Tensor:
    """Return log |Γ(input)|."""
    return apply_one(special.Lgamma, floating(input))


def digamma(input: Tensor) -> Tensor:
    """Return the derivative of `lgamma`."""
    return apply_one(special.Digamma, floating(input))


def polygamma(n: Any, input: Any = None) -> Tensor:
    """Return the n-th derivative of `digamma`; the method is `input.polygamma(n)`."""
    if is_tensor(n):
        n, input = input, n
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return apply_one(special.Polygamma, floating(input), int(n))


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension p, for input > (p - 1) / 2."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    x = floating(input)
    total = lgamma(x)
    for j in range(1, p):
        total = total + lgamma(x - j / 2)
    return total + p * (p - 1) / 4 * math.log(math.pi)


def erfinv(input: Tensor) -> Tensor:
    """Return the inverse of `erf`, for input in (-1, 1)."""
    return apply_one(special.Erfinv, floating(input))


def i0(input: Tensor) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0."""
    return apply_one(special.I0, floating(input))


def igamma(input: Tensor, other: Tensor) -> Tensor:
    """Return the regularized lower incomplete gamma function P(input, other)."""
    return binary_of_floats(special.Igamma, "igamma", input, other)


def igammac(input: Tensor, other: Tensor) -> Tensor:
    """Return the regularized upper incomplete gamma function Q(input, other)."""
    return binary_of_floats(special.Igammac, "igammac", input, other)


def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """Return the next representable number after input in the direction of other."""
    only_tensors("nextafter", input, other)
    a, b = same_type(input, other)
    return binary(special.Nextafter, floating_only(a, "nextafter_cpu"), b)


def gcd(input: Tensor, other: Tensor) -> Tensor:
    """Return the greatest common divisor of two integers, elementwise."""
    return _of_integers(np.gcd, input, other)


def lcm(input: Tensor, other: Tensor) -> Tensor:
    """Return the least common multiple of two integers, elementwise."""
    return _of_integers(np.lcm, input, other)


def _of_integers(how: Any, a: Tensor, b: Tensor) -> Tensor:
    only_tensors(how.__name__, a, b)
    x, y = same_type(a, b)
    if (dtype := x._array.dtype).kind not in "iu":
        raise NotImplementedError(f"\"{how.__name__}_cpu\" not implemented for '{scalar_name(dtype)}'")
    return wrap(how(x._array, y._array))


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input * 2 ** other."""
    only_tensors("ldexp", input, other)
    return mul(input, pow(2.0, other))


def frexp(input: Tensor) -> Any:
    """(mantissa, exponent) with input = mantissa * 2 ** exponent and 0.5 <= |mantissa| < 1."""
    from gradus.engine import return_types

    if input._array.dtype.kind != "f":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    _, exponent = np.frexp(input._array)
    exponents = wrap(exponent.astype(np.int32))
    scale = wrap(np.ldexp(np.ones_like(input._array), -exponent))
    return return_types.frexp(input * scale, exponents)
