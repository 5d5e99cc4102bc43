"""Functions of each number: arithmetic, exponentials, circles, rounding, choices. Each is a line that names its
operation.
"""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import apply, apply_one, wrap
from gradus.engine.dtypes.layouts import in_format
from gradus.engine.dtypes.limits import limits_of
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions.operands import (
    array_of,
    as_operand,
    binary,
    cast,
    explain_broadcast,
    fitting,
    floating,
    floating_only,
    is_tensor,
    number,
    only_tensors,
    refuse_bool,
    rounded_once,
    same_type,
    scalar_name,
    tensor_of,
    type_name,
    wrapped,
)
from gradus.engine.ops import activations, arithmetic, copying, exponentials, rounding, selection, special, trigonometry

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


def add(input: Any, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """input + alpha * other; `add(input, alpha, other)` is an old form of it."""
    if type(alpha) is int and alpha == 1 and not old:
        return binary(arithmetic.Add, input, other)
    other, alpha = scaled("add", input, other, old, alpha)
    return binary(arithmetic.Add, input, other, alpha)


def plus(input: Any, other: Any) -> Tensor:
    """input + other: `add` without an option, for which Python would look at each call."""
    return binary(arithmetic.Add, input, other)


def sub(input: Any, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """input - alpha * other; `sub(input, alpha, other)` is an old form of it."""
    refuse_bool_difference(input, other)
    if type(alpha) is int and alpha == 1 and not old:
        return binary(arithmetic.Sub, input, other)
    other, alpha = scaled("sub", input, other, old, alpha)
    return binary(arithmetic.Sub, input, other, alpha)


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other - alpha * input."""
    only_tensors("rsub", input)
    other = as_operand(other)
    refuse_bool_difference(tensor_of(other), input)
    _, alpha = scaled("rsub", other, input, (), alpha)
    return binary(arithmetic.RSub, other, input, alpha)


def scaled(function: str, a: Any, b: Any, old: tuple[Any, ...], alpha: Any) -> tuple[Any, Any]:
    """b and its factor in a + alpha * b, the factor as the operands' type holds it.

    Raises:
        TypeError: if alpha is no number.
        RuntimeError: if alpha is a float among integers, or a bool among numbers.
    """
    if len(old) > 1:
        raise TypeError(f"{function}() takes input and other, but got {2 + len(old)} operands")
    if old:
        b, alpha = *old, b
    alpha = number(alpha, function, "alpha")
    dtype = result_type(array_of(as_operand(a)), array_of(as_operand(b)))
    if dtype.kind not in dtypes.FLOATING and isinstance(alpha, float):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if dtype.kind != "b" and isinstance(alpha, builtins.bool):
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    return b, builtins.bool(alpha) if dtype.kind == "b" else wrapped(alpha, dtype)


def refuse_bool_difference(a: Any, b: Any) -> None:
    """Raise a RuntimeError if an operand of a subtraction is bool."""
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
    """Return input * other, elementwise; either may be a number."""
    return binary(arithmetic.Mul, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Return input / other, elementwise, as floats; `rounding_mode` "trunc" or "floor" rounds and keeps integer
    dtypes.
    """
    if rounding_mode is None:
        if not (is_tensor(input) and input._array.dtype.kind in dtypes.REAL and _fits(other, input._array.dtype)):
            input, other = _divisible(input, other)
        return binary(arithmetic.Div, input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return _rounded(rounding.DivRounded, input, other, rounding_mode)


def _rounded(op: Any, input: Any, other: Any, rule: str) -> Tensor:
    if not is_tensor(input) and not is_tensor(other):
        input = tensor_of(input)
    a, b = same_type(input, other)
    refuse_bool(a if is_tensor(a) else b, f"div_{rule}_cpu")
    try:
        return apply(op, a, b, option=rule)
    except ValueError:
        explain_broadcast(a, b)
        raise


def _fits(x: Any, dtype: np.dtype[Any]) -> builtins.bool:
    """Whether x is a number, or of this type: then floats stay as they are."""
    return x._array.dtype is dtype if is_tensor(x) else type(x) in (float, int)


def _divisible(a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands in the floating-point type that they meet in."""
    a, b = as_operand(a), as_operand(b)
    dtype = result_type(array_of(a), array_of(b))
    if not is_tensor(a) and not is_tensor(b):
        a = tensor_of(a)
    if dtype.kind in dtypes.FLOATING:
        return a, b
    dtype = dtypes.get_default_dtype().numpy
    return (cast(a, dtype) if is_tensor(a) else a), (cast(b, dtype) if is_tensor(b) else b)


def pow(input: Any, exponent: Any) -> Tensor:
    """Return input to the power of exponent, elementwise; either may be a number.

    Raises:
        RuntimeError: for an integer to the power of a negative integer.
    """
    if is_tensor(input):
        if (kind := input._array.dtype.kind) in dtypes.REAL:
            return binary(arithmetic.Pow, input, exponent)
        if not is_tensor(exponent):
            exponent = as_operand(exponent)
            if isinstance(exponent, int) and exponent < 0:
                refuse_negative_power()
            if kind == "b" and isinstance(exponent, builtins.bool):
                return clone(input) if exponent else wrap(np.ones_like(input._array))
    else:
        _a_tensor("pow", input, exponent)
    return apply_binary(arithmetic.Pow, input, exponent, "pow")


def refuse_negative_power() -> None:
    """Raise the RuntimeError for an integer to the power of a negative integer."""
    raise RuntimeError("Integers to negative integer powers are not allowed.")


def _a_tensor(function: str, a: Any, b: Any) -> None:
    """Refuse two numbers: one of the operands is a tensor."""
    if not is_tensor(a) and not is_tensor(b):
        raise TypeError(
            f"{function}() received an invalid combination of arguments - got ({type_name(a)}, {type_name(b)}), but "
            "one of the two must be a Tensor"
        )


def apply_binary(op: Any, input: Any, other: Any, name: str) -> Tensor:
    """As `binary`, for an operation that truth values do not have."""
    a, b = same_type(input, other)
    refuse_bool(a if is_tensor(a) else b, name)
    return binary(op, a, b)


def remainder(input: Any, other: Any) -> Tensor:
    """input - other * floor(input / other): of the sign of other."""
    _a_tensor("remainder", input, other)
    return apply_binary(rounding.Remainder, input, other, "remainder_cpu")


def fmod(input: Any, other: Any) -> Tensor:
    """input - other * trunc(input / other): of the sign of input."""
    only_tensors("fmod", input)
    return apply_binary(rounding.Fmod, input, other, "fmod_cpu")


def floor_divide(input: Any, other: Any) -> Tensor:
    """Return ⌊input / other⌋, elementwise; integers stay integers."""
    return _rounded(rounding.FloorDivide, input, other, "floor")


def neg(input: Tensor) -> Tensor:
    """Return -input.

    Raises:
        RuntimeError: if input is bool.
    """
    if input._array.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return apply_one(arithmetic.Neg, input)


def positive(input: Tensor) -> Tensor:
    """Return input.

    Raises:
        RuntimeError: if input is bool.
    """
    if input._array.dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def abs(input: Tensor) -> Tensor:
    """Return |input|; real for complex input."""
    return apply_one(arithmetic.Abs, refuse_bool(input, "abs_cpu"))


def reciprocal(input: Tensor) -> Tensor:
    """Return 1 / input."""
    return apply_one(arithmetic.Reciprocal, floating(input))


def square(input: Tensor) -> Tensor:
    """Return input²."""
    return pow(input, 2)


def addcmul(input: Tensor, tensor1: Any, tensor2: Any, *old: Any, value: Any = 1) -> Tensor:
    """input + value * tensor1 * tensor2; `addcmul(input, value, tensor1, tensor2)` is an old form of it."""
    a, b, value = terms("addcmul", input, tensor1, tensor2, old, value)
    if a._array.dtype == b._array.dtype == bool:
        raise NotImplementedError("\"addcmul_cpu_out\" not implemented for 'Bool'")
    return rounded_once(lambda x, a, b: binary(arithmetic.Add, x, binary(arithmetic.Mul, a, b), value), input, a, b)


def addcdiv(input: Tensor, tensor1: Any, tensor2: Any, *old: Any, value: Any = 1) -> Tensor:
    """input + value * tensor1 / tensor2; `addcdiv(input, value, tensor1, tensor2)` is an old form of it."""
    a, b, value = terms("addcdiv", input, tensor1, tensor2, old, value, divided=True)
    return rounded_once(lambda x, a, b: binary(arithmetic.Add, x, div(a, b), value), input, a, b)


def terms(
    function: str, input: Tensor, a: Any, b: Any, old: tuple[Any, ...], value: Any, *, divided: builtins.bool = False
) -> tuple[Any, Any, Any]:
    """The two tensors and the factor of addcmul and addcdiv, the factor as their types' common one holds it."""
    if len(old) > 1:
        raise TypeError(f"{function}() takes input, tensor1 and tensor2, but got {3 + len(old)} operands")
    if old:
        value, a, b = a, b, *old
    only_tensors(function, input, a, b, names=("input", "tensor1", "tensor2"))
    value = number(value, function, "value")
    if divided and a._array.dtype.kind not in dtypes.FLOATING and b._array.dtype.kind not in dtypes.FLOATING:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: use torch.addcmul(input, tensor1, 1 / tensor2), or "
            "make floats of tensor1 or tensor2"
        )
    dtype = result_type(input._array, a._array, b._array)
    return a, b, value if dtype.kind in dtypes.FLOATING else wrapped(int(value), dtype)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight * (end - input)."""
    only_tensors("lerp", input, end, names=("input", "end"))
    of_numbers = not is_tensor(weight)
    weight = number(weight, "lerp", "weight") if of_numbers else weight
    floating_only(input, "lerp_kernel_scalar" if of_numbers else "lerp_kernel_tensor")
    for name, other in (("end", end), ("weight", weight)):
        if is_tensor(other) and other._array.dtype != input._array.dtype and (name == "end" or other.ndim):
            raise RuntimeError(f"expected dtype {_c_name(input)} for `{name}` but got dtype {_c_name(other)}")
    return rounded_once(lambda x, end: x + (end - x) * weight, input, end)


def _c_name(x: Tensor) -> str:
    return {"float32": "float", "float64": "double", "int64": "long int"}.get(x._array.dtype.name, x._array.dtype.name)


absolute, multiply, divide, true_divide, subtract, negative = abs, mul, div, div, sub, neg


# ---- exponentials, logarithms, roots


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
    return of_floats(exponentials.LogAddExp, "logaddexp", input, other)


def of_floats(op: Any, function: str, a: Tensor, b: Tensor) -> Tensor:
    """An operation of two tensors of floats, which does not make floats of integers."""
    only_tensors(function, a, b)
    a, b = same_type(a, b)
    return binary(op, floating_only(a, f"{function}_cpu"), b)


def xlogy(input: Any, other: Any) -> Tensor:
    """Return input * log(other), and 0 where input is 0."""
    return binary(exponentials.XLogY, *as_floats("xlogy", input, other))


def as_floats(function: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands, one of which is a tensor, in the floating-point type that they meet in."""
    _a_tensor(function, a, b)
    return _divisible(a, b)


def sqrt(input: Tensor) -> Tensor:
    """Return √input; NaN for negative numbers."""
    return apply_one(exponentials.Sqrt, floating(input))


def rsqrt(input: Tensor) -> Tensor:
    """Return 1 / √input."""
    return apply_one(exponentials.Rsqrt, floating(input))


# ---- circular and hyperbolic


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
    return binary(trigonometry.Atan2, *_divisible(input, other))


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
    return of_floats(trigonometry.Hypot, "hypot", input, other)


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


# ---- curves of probability and of networks


def erf(input: Tensor) -> Tensor:
    """Return the error function of input, 2/√π ∫₀ˣ exp(-t²) dt."""
    return apply_one(special.Erf, floating(input))


def erfc(input: Tensor) -> Tensor:
    """Return 1 - erf(input), accurate where that is near 0."""
    return apply_one(special.Erfc, floating(input))


def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + e⁻ˣ)."""
    return apply_one(activations.Sigmoid, floating(input))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """Return log(x / (1 - x)), the inverse of `sigmoid`; with `eps`, x is first clamped to [eps, 1 - eps]."""
    return apply_one(exponentials.Logit, floating(input), None if eps is None else number(eps, "logit", "eps"))


def relu(input: Tensor) -> Tensor:
    """Return max(x, 0)."""
    if input._array.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return apply_one(activations.Relu, input)


# ---- rounding


def floor(input: Tensor) -> Tensor:
    """Return the largest integer not above each element; the dtype stays."""
    return apply_one(rounding.Round, refuse_bool(input, "floor_vml_cpu"), "floor")


def ceil(input: Tensor) -> Tensor:
    """Return the smallest integer not below each element; the dtype stays."""
    return apply_one(rounding.Round, refuse_bool(input, "ceil_vml_cpu"), "ceil")


def trunc(input: Tensor) -> Tensor:
    """Return the integer part of each element; the dtype stays."""
    return apply_one(rounding.Round, refuse_bool(input, "trunc_vml_cpu"), "trunc")


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Round to the nearest integer, or to `decimals` digits; half-way cases go to the even number."""
    if decimals:
        return apply_one(rounding.RoundDecimals, floating_only(input, "round_cpu"), decimals)
    return apply_one(rounding.Round, refuse_bool(input, "round_vml_cpu"), "rint")


def frac(input: Tensor) -> Tensor:
    """Return input - trunc(input)."""
    floating_only(input, "frac_cpu")
    return input - trunc(input)


def sign(input: Tensor) -> Tensor:
    """Return -1, 0 or 1 according to the sign of each element."""
    if input._array.dtype == bool:
        return clone(input)
    return apply_one(rounding.Round, input, "sign")


def signbit(input: Tensor) -> Tensor:
    """Return whether the sign bit is set, so True for -0, too: a bool tensor."""
    return wrap(np.signbit(input._array) if input._array.dtype.kind in dtypes.REAL else input._array < 0)


def copysign(input: Tensor, other: Any) -> Tensor:
    """Return |input| with the sign of other."""
    only_tensors("copysign", input)
    return binary(arithmetic.Copysign, *_divisible(input, other))


fix = trunc


# ---- choices


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Clamp input to [min, max]; either may be None, a number, or a tensor that broadcasts."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    only_tensors("clamp", input)
    if is_tensor(min) or is_tensor(max):
        ends = [end for end in (min, max) if end is not None]
        dtype = result_type(*map(array_of, (input, *map(as_operand, ends))))
        x = cast(input, dtype)
        low, high = (None if end is None else cast(tensor_of(end), dtype) for end in (min, max))
        try:
            return apply(selection.ClampTensor, x, low, high)
        except ValueError:
            explain_broadcast(x, low)
            explain_broadcast(x, high)
            raise
    low, high = (None if end is None else as_operand(end) for end in (min, max))
    input = cast(input, result_type(input._array, *[end for end in (low, high) if end is not None]))
    low, high = fitting(low, input._array.dtype), fitting(high, input._array.dtype)
    return apply(selection.Clamp, refuse_bool(input, "clamp_scalar_cpu"), low=low, high=high)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Return max(input, min); min is a number or a tensor."""
    return clamp(input, min=_bound("clamp_min", "min", min))


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Return min(input, max); max is a number or a tensor."""
    return clamp(input, max=_bound("clamp_max", "max", max))


def _bound(function: str, name: str, end: Any) -> Any:
    if end is None:
        raise TypeError(f"{function}(): argument '{name}' must be Number or Tensor, not NoneType")
    return end


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """Return the larger of the two elements; NaN if either is NaN."""
    only_tensors("maximum", input, other)
    return binary(selection.Maximum, input, other)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """Return the smaller of the two elements; NaN if either is NaN."""
    only_tensors("minimum", input, other)
    return binary(selection.Minimum, input, other)


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """Return the larger of the two elements, ignoring NaN if only one is NaN."""
    only_tensors("fmax", input, other)
    return binary(selection.Fmax, input, other)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """Return the smaller of the two elements, ignoring NaN if only one is NaN."""
    only_tensors("fmin", input, other)
    return binary(selection.Fmin, input, other)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """Return input where the condition is true and other elsewhere, broadcast to a common shape and dtype.

    With only a condition, return the indices of its true elements: `condition.nonzero(as_tuple=True)`.
    """
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._array.dtype not in (np.bool_, np.uint8):
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{scalar_name(condition._array.dtype)}"
        )
    input, other = as_operand(input), as_operand(other)
    dtype = result_type(array_of(input), array_of(other))
    a, b = same_type(fitting(input, dtype), fitting(other, dtype))
    try:
        return apply(selection.Where, condition, a, b)
    except ValueError:
        explain_broadcast(a, b)
        explain_broadcast(condition, a)
        explain_broadcast(condition, b)
        raise


def where_method(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    """Return `where(condition, input, other)`: the method has input first."""
    out: Tensor = where(condition, input, other)
    return out


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Return input with `value` (a number or a 0-d tensor) where the bool mask is true."""
    check_mask(mask)
    value = fitting(as_operand(value), input._array.dtype)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    try:
        return apply(selection.MaskedFill, input, mask, value)
    except ValueError:
        explain_broadcast(input, mask)
        raise


def check_mask(mask: Tensor) -> None:
    """Raise a RuntimeError unless a mask is bool."""
    if mask._array.dtype != bool:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {_c_name(mask)}")


def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Replace NaN by 0 and ±inf by the dtype's largest and smallest values, or by the numbers given."""
    if input._array.dtype.kind not in dtypes.REAL:
        return clone(input)
    nan, posinf, neginf = (
        None if v is None else number(v, "nan_to_num", name)
        for name, v in (("nan", nan), ("posinf", posinf), ("neginf", neginf))
    )
    limits = limits_of(input._array.dtype)
    x = input._array
    out = masked_fill(input, wrap(np.isnan(x)), 0.0 if nan is None else nan)
    out = masked_fill(out, wrap(np.isposinf(x)), float(limits.max) if posinf is None else posinf)
    return masked_fill(out, wrap(np.isneginf(x)), float(limits.min) if neginf is None else neginf)


def isnan(input: Tensor) -> Tensor:
    """Return whether each element is NaN: a bool tensor."""
    return wrap(np.isnan(input._array))


def isinf(input: Tensor) -> Tensor:
    """Return whether each element is +inf or -inf: a bool tensor."""
    return wrap(np.isinf(input._array))


def isfinite(input: Tensor) -> Tensor:
    """Return whether each element is neither NaN nor infinite: a bool tensor."""
    return wrap(np.isfinite(input._array))


def isposinf(input: Tensor) -> Tensor:
    """Return whether each element is +inf: a bool tensor."""
    return wrap(input._array == np.inf)


def isneginf(input: Tensor) -> Tensor:
    """Return whether each element is -inf: a bool tensor."""
    return wrap(input._array == -np.inf)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """Return 0 where input < 0, 1 where input > 0, and `values` where input is 0."""
    only_tensors("heaviside", input, values, names=("input", "values"))
    if input._array.dtype != values._array.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return binary(rounding.Heaviside, input, values)


def float_power(input: Any, exponent: Any) -> Tensor:
    """Return input to the power of exponent, computed in float64 or complex128."""
    _a_tensor("float_power", input, exponent)
    of_complex = any(
        array_of(x).dtype.kind == "c" if is_tensor(x) else isinstance(x, complex) for x in (input, exponent)
    )
    dtype, number = (dtypes.complex128, complex) if of_complex else (dtypes.float64, float)
    a, b = (x.to(dtype) if is_tensor(x) else number(x) for x in (input, exponent))
    return pow(a, b)


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """Return log₂(2^input + 2^other), without overflow."""
    return of_floats(exponentials.LogAddExp2, "logaddexp2", input, other)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Return a copy with its own memory, in input's memory order or in `memory_format`; gradients flow through it."""
    out: Tensor = apply_one(copying.Clone, input)
    return out if memory_format is None else in_format(out, memory_format)


clip = clamp
