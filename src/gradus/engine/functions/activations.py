"""The activations of networks as functions; `torch.nn.functional` has all of them, `torch` those in `__all__`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gradus.engine import random
from gradus.engine.autograd.in_place import apply_
from gradus.engine.autograd.node import Function
from gradus.engine.autograd.record import apply, apply_one, apply_two
from gradus.engine.dtypes import REAL
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.limits import limits_of
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import floating_only, refuse_bool
from gradus.engine.functions.operands import fitting, number
from gradus.engine.functions.signatures import numpy_names
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops import activations
from gradus.engine.ops.softmax import LogSoftmax, Softmax

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "celu",
    "celu_",
    "hardshrink",
    "log_softmax",
    "prelu",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "softmax",
    "threshold",
    "threshold_",
]

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # keep mean 0 and variance 1 (Klambauer et al., 2017)


def _activate(op: type[Function], x: Tensor, *, inplace: bool = False, **options: Any) -> Tensor:
    """op(x, **options), written into x if in place; the options may be given as 0-d tensors."""
    for name, value in options.items():
        if type(value) is not float and type(value) is not int and not isinstance(value, np.ndarray):
            options[name] = number(value, op.__name__.lower(), name)
    return apply_(x, op, **options) if inplace else cast("Tensor", apply(op, x, **options))


# ---- piecewise linear


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu_() if inplace else input.relu()


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return input.relu_()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x."""
    return _activate(
        activations.LeakyRelu, floating_only(input, "leaky_relu_cpu"), inplace=inplace, slope=negative_slope
    )


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, True)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """x where x > 0, else a x, with a drawn from lower..upper for each such x, or their mean when not training."""
    if not lower <= upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, but got {lower} and {upper}")
    slope: Any = (lower + upper) / 2
    if training:
        x = floating_only(input, "rrelu_with_noise_out_cpu")._array
        slope = np.ones_like(x)
        below = x <= 0
        slope[below] = random.uniform((int(below.sum()),), lower, upper, np.dtype(np.float64))
    return _activate(activations.LeakyRelu, floating_only(input, "leaky_relu_cpu"), inplace=inplace, slope=slope)


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, True)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w x: weight (1,) for all of input, or (C,), one for each channel of input (N, C, ...)."""
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if input._array.dtype != weight._array.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {scalar_name(input._array.dtype)} and "
            f"{scalar_name(weight._array.dtype)}"
        )
    if weight.numel() != 1:
        if not input.ndim:
            raise RuntimeError("prelu: Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.numel()} and channel size = {channels}."
            )
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2))
    elif input.ndim == 0:
        weight = weight.reshape(())
    return cast("Tensor", apply_two(activations.PreluKernel, floating_only(input, "prelu_cpu"), weight))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value."""
    dtype = refuse_bool(input, "threshold_cpu")._array.dtype
    return _activate(
        activations.Threshold,
        input,
        inplace=inplace,
        threshold=fitting(threshold, dtype),
        value=fitting(value, dtype),
    )


_threshold = threshold


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    return _threshold(input, threshold, value, True)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x clamped between min_val and max_val."""
    dtype = input._array.dtype
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if dtype.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if dtype.kind not in REAL:
        min_val, max_val = int(min_val), int(max_val)
        if dtype.kind == "u" and min_val < 0:
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return _activate(activations.Hardtanh, input, inplace=inplace, low=min_val, high=max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x clamped between 0 and 6."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """(x + 3) / 6 clamped between 0 and 1."""
    return _activate(activations.Hardsigmoid, floating_only(input, "hardsigmoid_cpu"), inplace=inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x)."""
    return _activate(activations.Hardswish, floating_only(input, "hardswish_cpu"), inplace=inplace)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 where |x| <= lambd, else x."""
    return _activate(activations.Hardshrink, floating_only(input, "hardshrink_cpu"), lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved by lambd towards 0, where |x| <= lambd to 0."""
    floating_only(input, "softshrink_check")
    if lambd < 0:
        raise RuntimeError(
            f"lambda must be in range [0, {limits_of(input._array.dtype).max:g}] for input dtype "
            f"{scalar_name(input._array.dtype)}, but found {lambd:g}"
        )
    return _activate(activations.Softshrink, input, lambd=lambd)


# ---- smooth


def tanh(input: Tensor) -> Tensor:
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""
    return input.tanh()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ)."""
    return input.sigmoid()


def logsigmoid(input: Tensor) -> Tensor:
    """log σ(x), without overflow."""
    return cast("Tensor", apply_one(activations.LogSigmoid, floating_only(input, "log_sigmoid_cpu")))


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), Φ the normal distribution function, or its tanh approximation, GPT-2's (Hendrycks & Gimpel, 2016).

    Args:
        approximate: "none" or "tanh".
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return cast("Tensor", apply_one(activations.Gelu, floating_only(input, "GeluKernelImpl"), approximate))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x)."""
    x = floating_only(input, "silu_cpu")
    return apply_(x, activations.Silu) if inplace else cast("Tensor", apply_one(activations.Silu, x))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + eˣ))."""
    return _activate(activations.Mish, floating_only(input, "mish_cpu"), inplace=inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (eˣ - 1)."""
    return _activate(activations.Elu, floating_only(input, "elu_cpu"), inplace=inplace, alpha=alpha)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    return elu(input, alpha, True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 (x where x > 0, else 1.6733 (eˣ - 1))."""
    return _activate(
        activations.Elu, floating_only(input, "elu_cpu"), inplace=inplace, alpha=SELU_ALPHA, scale=SELU_SCALE
    )


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    return selu(input, True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (e^(x / alpha) - 1)."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _activate(activations.Celu, floating_only(input, "elu_cpu"), inplace=inplace, alpha=alpha, tau=alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    return celu(input, alpha, True)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x where beta x > threshold."""
    return _activate(activations.Softplus, floating_only(input, "softplus_cpu"), beta=beta, threshold=threshold)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along dim."""
    return (-input if dtype is None else -input.to(dtype)).softmax(-1 if dim is None else dim)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), a and b the two halves of input along dim."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = dim % input.ndim
    if input.shape[axis] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {input.shape[axis]}")
    return cast("Tensor", apply_one(activations.Glu, input, axis))


# ---- along a dimension


@numpy_names
def softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Return eˣ / Σ eˣ along a dimension; with `dtype`, input is converted first."""
    x = floating_only(input if dtype is None else input.to(dtype), "softmax_lastdim_kernel_impl")
    axis = axis_of(dim, x.ndim)
    return apply_one(Softmax, x, axis) if x._array.size else x.clone()


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Return x - log Σ eˣ along a dimension; with `dtype`, input is converted first."""
    x = floating_only(input if dtype is None else input.to(dtype), "log_softmax_lastdim_kernel_impl")
    axis = axis_of(dim, x.ndim)
    return apply_one(LogSoftmax, x, axis) if x._array.size else x.clone()
