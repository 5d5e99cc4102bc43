"""Functions of each number: arithmetic, exponentials, circles, rounding, choices. Each is a line that names its
operation.
"""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.functions.operands import (
    Number,
    binary,
    cast,
    explain_broadcast,
    fitting,
    floating,
    floating_only,
    is_tensor,
    numeric,
    plain,
    refuse_bool,
    same_type,
    tensor_of,
)
from gradus.engine.limits import limits_of
from gradus.engine.ops import activations as act
from gradus.engine.ops import elementwise as ew
from gradus.engine.promotion import result_type
from gradus.engine.variable import apply, apply_one, wrap

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "clone",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "div",
    "divide",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fix",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "heaviside",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "lerp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logit",
    "masked_fill",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "nan_to_num",
    "neg",
    "negative",
    "positive",
    "pow",
    "rad2deg",
    "reciprocal",
    "relu",
    "remainder",
    "round",
    "rsqrt",
    "rsub",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
    "xlogy",
]  # fmt: skip


# ---- arithmetic


def add(input: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """input + alpha * other."""
    return binary(ew.Add, input, other) if alpha == 1 else binary(ew.Add, input, other, alpha)


def plus(input: Any, other: Any) -> Tensor:
    """input + other: `add` without an option, for which Python would look at each call."""
    return binary(ew.Add, input, other)


def sub(input: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other."""
    refuse_bool_difference(input, other)
    return binary(ew.Sub, input, other) if alpha == 1 else binary(ew.Sub, input, other, alpha)


def rsub(input: Tensor, other: Any, *, alpha: Number = 1) -> Tensor:
    """other - alpha * input."""
    refuse_bool_difference(tensor_of(numeric(other)), input)
    return binary(ew.RSub, numeric(other), input, alpha)


def refuse_bool_difference(a: Any, b: Any) -> None:
    truths = _is_truth(a) + _is_truth(b)
    if truths == 2:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if truths:
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


def _is_truth(x: Any) -> builtins.bool:
    return x._array.dtype.kind == "b" if is_tensor(x) else isinstance(x, builtins.bool)


def mul(input: Any, other: Any) -> Tensor:
    return binary(ew.Mul, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, in floats; rounding_mode "trunc" or "floor" rounds, and keeps integers integers."""
    if rounding_mode is None:
        if not (is_tensor(input) and input._array.dtype.kind in dtypes.REAL and _fits(other, input._array.dtype)):
            input, other = _divisible(input, other)
        return binary(ew.Div, input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return _rounded(ew.DivRounded, input, other, rounding_mode)


def _rounded(op: Any, input: Any, other: Any, rule: str) -> Tensor:
    a, b = same_type(input, other)
    refuse_bool(a if is_tensor(a) else b, f"div_{rule}_cpu")
    try:
        return apply(op, a, b, option=rule)
    except ValueError:
        explain_broadcast(a, b)
        raise


def _fits(x: Any, kind: np.dtype[Any]) -> builtins.bool:
    """Whether x is a number, or of this type: then floats stay as they are."""
    return x._array.dtype is kind if is_tensor(x) else type(x) in (float, int)


def _divisible(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands in the floating-point type that they meet in."""
    a, b = numeric(a), numeric(b)
    kind = result_type(plain(a), plain(b))
    if kind.kind not in dtypes.FLOATING:
        kind = dtypes.get_default_dtype().numpy
    return (cast(a, kind) if is_tensor(a) else a), (cast(b, kind) if is_tensor(b) else b)


def pow(input: Any, exponent: Any) -> Tensor:
    """input to the power of exponent; one of the two may be a number."""
    if is_tensor(input) and input._array.dtype.kind in dtypes.REAL:
        return binary(ew.Pow, input, exponent)
    if isinstance(exponent, int) and exponent < 0 and is_tensor(input) and input._array.dtype.kind in "iu":
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return apply_binary(ew.Pow, input, exponent, "pow")


def apply_binary(op: Any, input: Any, other: Any, name: str) -> Tensor:
    """As `binary`, for an operation that truth values do not have."""
    a, b = same_type(input, other)
    refuse_bool(a if is_tensor(a) else b, name)
    return binary(op, a, b)


def remainder(input: Any, other: Any) -> Tensor:
    """input - other * floor(input / other): of the sign of other."""
    return apply_binary(ew.Remainder, input, other, "remainder_cpu")


def fmod(input: Any, other: Any) -> Tensor:
    """input - other * trunc(input / other): of the sign of input."""
    return apply_binary(ew.Fmod, input, other, "fmod_cpu")


def floor_divide(input: Any, other: Any) -> Tensor:
    return _rounded(ew.FloorDivide, input, other, "floor")


def neg(input: Tensor) -> Tensor:
    if input._array.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
            "mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    return apply_one(ew.Neg, input)


def positive(input: Tensor) -> Tensor:
    if input._array.dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def abs(input: Tensor) -> Tensor:
    return apply_one(ew.Abs, refuse_bool(input, "abs_cpu"))


def reciprocal(input: Tensor) -> Tensor:
    return apply_one(ew.Reciprocal, floating(input))


def square(input: Tensor) -> Tensor:
    return pow(input, 2)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""
    return input + tensor1 * tensor2 * value


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""
    return input + tensor1 / tensor2 * value


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight * (end - input)."""
    floating_only(input, "lerp_kernel_scalar")
    for other in (end, weight):
        if is_tensor(other) and other._array.dtype != input._array.dtype:
            raise RuntimeError(f"expected dtype {_c_name(input)} for `end` but got dtype {_c_name(other)}")
    return input + (end - input) * weight


def _c_name(x: Tensor) -> str:
    return {"float32": "float", "float64": "double", "int64": "long int"}.get(x._array.dtype.name, x._array.dtype.name)


absolute, multiply, divide, true_divide, subtract, negative = abs, mul, div, div, sub, neg


# ---- exponentials, logarithms, roots


def exp(input: Tensor) -> Tensor:
    return apply_one(ew.Exp, floating(input))


def exp2(input: Tensor) -> Tensor:
    return apply_one(ew.Exp2, floating(input))


def expm1(input: Tensor) -> Tensor:
    return apply_one(ew.Expm1, floating(input))


def log(input: Tensor) -> Tensor:
    return apply_one(ew.Log, floating(input))


def log10(input: Tensor) -> Tensor:
    return apply_one(ew.Log10, floating(input))


def log2(input: Tensor) -> Tensor:
    return apply_one(ew.Log2, floating(input))


def log1p(input: Tensor) -> Tensor:
    return apply_one(ew.Log1p, floating(input))


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(exp(input) + exp(other))."""
    return binary(ew.LogAddExp, floating_only(input, "logaddexp_cpu"), floating_only(other, "logaddexp_cpu"))


def xlogy(input: Any, other: Any) -> Tensor:
    """input * log(other), 0 where input is 0."""
    return where(tensor_of(input) == 0, 0.0, input * log(tensor_of(other)))


def sqrt(input: Tensor) -> Tensor:
    return apply_one(ew.Sqrt, floating(input))


def rsqrt(input: Tensor) -> Tensor:
    return apply_one(ew.Rsqrt, floating(input))


# ---- circular and hyperbolic


def sin(input: Tensor) -> Tensor:
    return apply_one(ew.Sin, floating(input))


def cos(input: Tensor) -> Tensor:
    return apply_one(ew.Cos, floating(input))


def tan(input: Tensor) -> Tensor:
    return apply_one(ew.Tan, floating(input))


def asin(input: Tensor) -> Tensor:
    return apply_one(ew.Asin, floating(input))


def acos(input: Tensor) -> Tensor:
    return apply_one(ew.Acos, floating(input))


def atan(input: Tensor) -> Tensor:
    return apply_one(ew.Atan, floating(input))


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input)."""
    return binary(ew.Atan2, floating(input), floating(other))


def sinh(input: Tensor) -> Tensor:
    return apply_one(ew.Sinh, floating(input))


def cosh(input: Tensor) -> Tensor:
    return apply_one(ew.Cosh, floating(input))


def tanh(input: Tensor) -> Tensor:
    return apply_one(ew.Tanh, floating(input))


def asinh(input: Tensor) -> Tensor:
    return apply_one(ew.Asinh, floating(input))


def acosh(input: Tensor) -> Tensor:
    return apply_one(ew.Acosh, floating(input))


def atanh(input: Tensor) -> Tensor:
    return apply_one(ew.Atanh, floating(input))


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """√(input² + other²)."""
    return binary(ew.Hypot, input, other)


def sinc(input: Tensor) -> Tensor:
    """sin(πx) / πx, 1 at 0."""
    x = floating(input)
    return where(x == 0, 1.0, sin(x * math.pi) / where(x == 0, 1.0, x * math.pi))


def deg2rad(input: Tensor) -> Tensor:
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    return input * (180 / math.pi)


arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = asin, acos, atan, atan2, asinh, acosh, atanh


# ---- curves of probability and of networks


def erf(input: Tensor) -> Tensor:
    return apply_one(ew.Erf, floating(input))


def erfc(input: Tensor) -> Tensor:
    return 1 - erf(input)


def sigmoid(input: Tensor) -> Tensor:
    return apply_one(act.Sigmoid, floating(input))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid."""
    x = floating(input) if eps is None else clamp(floating(input), eps, 1 - eps)
    return log(x / (1 - x))


def relu(input: Tensor) -> Tensor:
    if input._array.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return apply_one(act.Relu, input)


# ---- rounding


def floor(input: Tensor) -> Tensor:
    return apply_one(ew.Round, refuse_bool(input, "floor_vml_cpu"), "floor")


def ceil(input: Tensor) -> Tensor:
    return apply_one(ew.Round, refuse_bool(input, "ceil_vml_cpu"), "ceil")


def trunc(input: Tensor) -> Tensor:
    return apply_one(ew.Round, refuse_bool(input, "trunc_vml_cpu"), "trunc")


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest whole number, halves to the even one."""
    if decimals:
        floating_only(input, "round_cpu")
        return apply_one(ew.Round, input * 10**decimals, "rint") / 10**decimals
    return apply_one(ew.Round, refuse_bool(input, "round_vml_cpu"), "rint")


def frac(input: Tensor) -> Tensor:
    """What trunc leaves."""
    floating_only(input, "frac_vml_cpu")
    return input - trunc(input)


def sign(input: Tensor) -> Tensor:
    if input._array.dtype == bool:
        return clone(input)
    return apply_one(ew.Round, input, "sign")


def signbit(input: Tensor) -> Tensor:
    return wrap(np.signbit(input._array) if input._array.dtype.kind in dtypes.REAL else input._array < 0)


def copysign(input: Tensor, other: Any) -> Tensor:
    """|input| with the sign of other."""
    return binary(ew.Copysign, floating(input), other)


fix = trunc


# ---- choices


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Numbers below min become min, numbers above max become max."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if is_tensor(min) or is_tensor(max):
        out = input if min is None else maximum(input, tensor_of(min))
        return out if max is None else minimum(out, tensor_of(max))
    low, high = (None if end is None else numeric(end) for end in (min, max))
    input = cast(input, result_type(input._array, *[end for end in (low, high) if end is not None]))
    low, high = fitting(low, input._array.dtype), fitting(high, input._array.dtype)
    return apply(ew.Clamp, refuse_bool(input, "clamp_scalar_cpu"), low=low, high=high)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    return clamp(input, max=max)


def maximum(input: Tensor, other: Tensor) -> Tensor:
    return binary(ew.Maximum, input, other)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    return binary(ew.Minimum, input, other)


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger, or the one that is a number."""
    return where(other.isnan(), input, where(input.isnan(), other, maximum(input, other)))


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller, or the one that is a number."""
    return where(other.isnan(), input, where(input.isnan(), other, minimum(input, other)))


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """input where the condition holds, other elsewhere; with only a condition, the indices of where it holds."""
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._array.dtype not in (np.bool_, np.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
        )
    kind = result_type(plain(input), plain(other))
    a, b = same_type(fitting(input, kind), fitting(other, kind))
    try:
        return apply(ew.Where, condition, a, b)
    except ValueError:
        explain_broadcast(a, b)
        explain_broadcast(condition, a)
        explain_broadcast(condition, b)
        raise


def where_method(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    out: Tensor = where(condition, input, other)
    return out


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """value where the mask is true, input elsewhere."""
    check_mask(mask)
    value = fitting(value, input._array.dtype)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(
            f"masked_fill only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    try:
        return apply(ew.MaskedFill, input, mask, value)
    except ValueError:
        explain_broadcast(input, mask)
        raise


def check_mask(mask: Tensor) -> None:
    if mask._array.dtype != bool:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")


def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in place of nan and ±inf: 0, and the largest and least of the type, unless given."""
    if input._array.dtype.kind not in dtypes.REAL:
        return clone(input)
    limits = limits_of(input._array.dtype)
    x = input._array
    out = masked_fill(input, wrap(np.isnan(x)), 0.0 if nan is None else nan)
    out = masked_fill(out, wrap(np.isposinf(x)), float(limits.max) if posinf is None else posinf)
    return masked_fill(out, wrap(np.isneginf(x)), float(limits.min) if neginf is None else neginf)


def isnan(input: Tensor) -> Tensor:
    return wrap(np.isnan(input._array))


def isinf(input: Tensor) -> Tensor:
    return wrap(np.isinf(input._array))


def isfinite(input: Tensor) -> Tensor:
    return wrap(np.isfinite(input._array))


def isposinf(input: Tensor) -> Tensor:
    return wrap(input._array == np.inf)


def isneginf(input: Tensor) -> Tensor:
    return wrap(input._array == -np.inf)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, and the given values at 0."""
    return where(input == 0, values, (input > 0).to(input.dtype))


def float_power(input: Any, exponent: Any) -> Tensor:
    """As pow, in float64."""
    a, b = (x.to(dtypes.float64) if is_tensor(x) else float(x) for x in (input, exponent))
    return pow(a, b)


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log₂(2^input + 2^other)."""
    floating_only(input, "logaddexp2_cpu")
    return logaddexp(input * math.log(2), other * math.log(2)) / math.log(2)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow."""
    return apply_one(ew.Clone, input)


clip = clamp
