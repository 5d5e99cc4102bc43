"""`torch.special`: special functions. Those that `torch` has, too, are the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import apply_one
from gradus.engine.compat.absent import refuse
from gradus.engine.functions import rounding
from gradus.engine.functions.activations import log_softmax as log_softmax
from gradus.engine.functions.activations import softmax as softmax
from gradus.engine.functions.checks import floating_only
from gradus.engine.functions.exponentials import exp2 as exp2
from gradus.engine.functions.exponentials import expm1 as expm1
from gradus.engine.functions.exponentials import log1p as log1p
from gradus.engine.functions.exponentials import xlogy as xlogy
from gradus.engine.functions.operands import as_floats, binary, floating
from gradus.engine.functions.reductions import logsumexp as logsumexp
from gradus.engine.functions.special_functions import digamma as digamma
from gradus.engine.functions.special_functions import erf as erf
from gradus.engine.functions.special_functions import erfc as erfc
from gradus.engine.functions.special_functions import erfinv as erfinv
from gradus.engine.functions.special_functions import i0 as i0
from gradus.engine.functions.special_functions import igamma as gammainc
from gradus.engine.functions.special_functions import igammac as gammaincc
from gradus.engine.functions.special_functions import lgamma as gammaln
from gradus.engine.functions.special_functions import logit as logit
from gradus.engine.functions.special_functions import mvlgamma as multigammaln
from gradus.engine.functions.special_functions import polygamma as polygamma
from gradus.engine.functions.special_functions import sigmoid as expit
from gradus.engine.functions.trigonometry import sinc as sinc
from gradus.engine.ops import special

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri",
    "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy", "zeta",
]  # fmt: skip

psi = digamma


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """`torch.round` of floating-point numbers; integers, which that leaves as they are, are refused."""
    return rounding.round(floating_only(input, "round_vml_cpu"), decimals=decimals)


def entr(input: Tensor) -> Tensor:
    """-x log x, 0 at 0 and -∞ below."""
    return apply_one(special.Entr, floating(input))


def erfcx(input: Tensor) -> Tensor:
    """e^(x²) erfc x."""
    return apply_one(special.Erfcx, floating(input))


def ndtr(input: Tensor) -> Tensor:
    """The probability that a normal number is at most x."""
    return apply_one(special.Ndtr, floating(input))


def log_ndtr(input: Tensor) -> Tensor:
    """log of `ndtr`, also where that is too small for a float."""
    return apply_one(special.LogNdtr, floating(input))


def ndtri(input: Tensor) -> Tensor:
    """The inverse of `ndtr`."""
    return apply_one(special.Ndtri, floating(input))


def i0e(input: Tensor) -> Tensor:
    """e^-|x| I₀(x)."""
    return apply_one(special.I0e, floating(input))


def i1(input: Tensor) -> Tensor:
    """I₁(x), the modified Bessel function of the first kind of order 1."""
    return apply_one(special.I1, floating(input))


def i1e(input: Tensor) -> Tensor:
    """e^-|x| I₁(x)."""
    return apply_one(special.I1e, floating(input))


def xlog1py(input: Any, other: Any) -> Tensor:
    """input * log(1 + other), 0 where input is 0."""
    return binary(special.XLog1pY, *as_floats("xlog1py", input, other))


def zeta(input: Any, other: Any) -> Tensor:
    """Hurwitz's zeta function: Σ (k + other) ** -input over k >= 0."""
    return binary(special.Zeta, *as_floats("zeta", input, other))


__getattr__ = refuse(__name__)
