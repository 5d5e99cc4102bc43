"""Arithmetic, elementwise: sums, products, quotients, powers, and functions composed of them."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import apply, apply_one, wrap
from gradus.engine.dtypes.names import c_name
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions.checks import explain_broadcast, floating_only, only_tensors, refuse_bool
from gradus.engine.functions.copying import clone
from gradus.engine.functions.operands import (
    array_of,
    as_operand,
    binary,
    binary_not_bool,
    both_floating,
    cast,
    floating,
    is_tensor,
    number,
    require_a_tensor,
    rounded_once,
    same_type,
    tensor_of,
    wrapped,
)
from gradus.engine.ops import arithmetic, rounding

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "copysign", "div", "divide", "float_power", "floor_divide",
    "fmod", "lerp", "mul", "multiply", "neg", "negative", "positive", "pow", "reciprocal", "remainder", "rsub",
    "square", "sub", "subtract", "true_divide",
]  # fmt: skip


def add(input: Any, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """input + alpha * other; `add(input, alpha, other)` is an old form of it."""
    if type(alpha) is int and alpha == 1 and not old:
        return binary(arithmetic.Add, input, other)
    other, alpha = scaled("add", input, other, old, alpha)
    return binary(arithmetic.Add, input, other, alpha)


def plus(input: Any, other: Any) -> Tensor:
    """input + other: `add` without options, which saves time in each call."""
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
        TypeError: if alpha is not a number.
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
            input, other = both_floating(input, other)
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
        require_a_tensor("pow", input, exponent)
    return binary_not_bool(arithmetic.Pow, input, exponent, "pow")


def float_power(input: Any, exponent: Any) -> Tensor:
    """Return input to the power of exponent, computed in float64 or complex128."""
    require_a_tensor("float_power", input, exponent)
    of_complex = any(
        array_of(x).dtype.kind == "c" if is_tensor(x) else isinstance(x, complex) for x in (input, exponent)
    )
    dtype, number = (dtypes.complex128, complex) if of_complex else (dtypes.float64, float)
    a, b = (x.to(dtype) if is_tensor(x) else number(x) for x in (input, exponent))
    return pow(a, b)


def refuse_negative_power() -> None:
    """Raise the RuntimeError for an integer to the power of a negative integer."""
    raise RuntimeError("Integers to negative integer powers are not allowed.")


def remainder(input: Any, other: Any) -> Tensor:
    """input - other * floor(input / other): of the sign of other."""
    require_a_tensor("remainder", input, other)
    return binary_not_bool(rounding.Remainder, input, other, "remainder_cpu")


def fmod(input: Any, other: Any) -> Tensor:
    """input - other * trunc(input / other): of the sign of input."""
    only_tensors("fmod", input)
    return binary_not_bool(rounding.Fmod, input, other, "fmod_cpu")


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
    """Return input + weight * (end - input), computed from the nearer end: a weight of 1 gives `end`."""
    only_tensors("lerp", input, end, names=("input", "end"))
    of_numbers = not is_tensor(weight)
    weight = number(weight, "lerp", "weight") if of_numbers else weight
    floating_only(input, "lerp_kernel_scalar" if of_numbers else "lerp_kernel_tensor")
    for name, other in (("end", end), ("weight", weight)):
        if is_tensor(other) and other._array.dtype != input._array.dtype and (name == "end" or other.ndim):
            raise RuntimeError(
                f"expected dtype {c_name(input._array.dtype)} for `{name}` but got dtype {c_name(other._array.dtype)}"
            )
    try:
        if of_numbers:
            return rounded_once(lambda x, end: apply(arithmetic.Lerp, x, end, weight), input, end)
        weight = cast(weight, input._array.dtype)
        return rounded_once(lambda x, end, weight: apply(arithmetic.LerpByTensor, x, end, weight), input, end, weight)
    except ValueError:
        explain_broadcast(input, end)
        raise


absolute, multiply, divide, true_divide, subtract, negative = abs, mul, div, div, sub, neg


def copysign(input: Tensor, other: Any) -> Tensor:
    """Return |input| with the sign of other."""
    only_tensors("copysign", input)
    return binary(arithmetic.Copysign, *both_floating(input, other))
