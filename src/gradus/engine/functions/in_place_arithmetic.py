"""In-place arithmetic: `x.add_(y)`, `x *= 2`, `x.addmm_(a, b)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine import dtypes
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions import products
from gradus.engine.functions.arithmetic import lerp, pow, refuse_bool_difference, refuse_negative_power, scaled, terms
from gradus.engine.functions.checks import check_cast, refuse_bool
from gradus.engine.functions.in_place import copy_
from gradus.engine.functions.operands import array_of, as_operand, in_place, is_tensor
from gradus.engine.kernels import FLOAT32
from gradus.engine.ops import arithmetic, rounding

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def add_(input: Tensor, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """In-place version of `add`."""
    if type(alpha) is int and alpha == 1 and not old:
        return in_place(input, arithmetic.Add, other)
    return in_place(input, arithmetic.Add, *scaled("add_", input, other, old, alpha))


def sub_(input: Tensor, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """In-place version of `sub`."""
    refuse_bool_difference(input, old[0] if old else other)
    if type(alpha) is int and alpha == 1 and not old:
        return in_place(input, arithmetic.Sub, other)
    return in_place(input, arithmetic.Sub, *scaled("sub_", input, other, old, alpha))


def mul_(input: Tensor, other: Any) -> Tensor:
    """In-place version of `mul`."""
    return in_place(input, arithmetic.Mul, other)


def div_(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """In-place version of `div`."""
    if rounding_mode is not None:
        refuse_bool(input, f"div_{rounding_mode}_cpu")
        return in_place(input, rounding.DivRounded, other, rounding_mode)
    dtype = result_type(input._array, array_of(as_operand(other)))
    check_cast(dtype if dtype.kind in dtypes.FLOATING else dtypes.get_default_dtype().numpy, input._array.dtype)
    return in_place(input, arithmetic.Div, other)


def pow_(input: Tensor, exponent: Any) -> Tensor:
    """In-place version of `pow`."""
    kind = input._array.dtype.kind
    if kind in "iub" and not is_tensor(exponent):
        exponent = as_operand(exponent)
        if isinstance(exponent, int) and exponent < 0:
            refuse_negative_power()
        if kind == "b" and isinstance(exponent, bool):
            return copy_(input, pow(input, exponent))
    check_cast(result_type(input._array, array_of(as_operand(exponent))), input._array.dtype)
    return in_place(refuse_bool(input, "pow"), arithmetic.Pow, exponent)


def remainder_(input: Tensor, other: Any) -> Tensor:
    """In-place version of `remainder`."""
    return in_place(_not_both_bool(input, other, "remainder_cpu"), rounding.Remainder, other)


def fmod_(input: Tensor, other: Any) -> Tensor:
    """In-place version of `fmod`."""
    return in_place(_not_both_bool(input, other, "fmod_cpu"), rounding.Fmod, other)


def floor_divide_(input: Tensor, other: Any) -> Tensor:
    """In-place version of `floor_divide`."""
    return in_place(_not_both_bool(input, other, "div_floor_cpu"), rounding.DivRounded, other, "floor")


def _not_both_bool(input: Tensor, other: Any, name: str) -> Tensor:
    if result_type(input._array, array_of(as_operand(other))).kind == "b":
        refuse_bool(input, name)
    return input


def addcmul_(input: Tensor, tensor1: Any, tensor2: Any, *old: Any, value: Any = 1) -> Tensor:
    """In-place version of `addcmul`."""
    a, b, value = terms("addcmul_", input, tensor1, tensor2, old, value)
    return in_place(refuse_bool(input, "addcmul_cpu_out"), arithmetic.Add, a * b, value)


def addcdiv_(input: Tensor, tensor1: Any, tensor2: Any, *old: Any, value: Any = 1) -> Tensor:
    """In-place version of `addcdiv`."""
    a, b, value = terms("addcdiv_", input, tensor1, tensor2, old, value, divided=True)
    return in_place(input, arithmetic.Add, a / b, value)


def lerp_(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """In-place version of `lerp`."""
    return copy_(input, lerp(input, end, weight))


def addmm_(input: Tensor, *operands: Any, **factors: Any) -> Tensor:
    """In-place version of `addmm`."""
    return copy_(input, products.addmm(input, *operands, **factors))


def addmv_(input: Tensor, *operands: Any, **factors: Any) -> Tensor:
    """In-place version of `addmv`."""
    return copy_(input, products.addmv(input, *operands, **factors))


def addr_(input: Tensor, *operands: Any, **factors: Any) -> Tensor:
    """In-place version of `addr`."""
    return copy_(input, products.addr(input, *operands, **factors))


def addbmm_(input: Tensor, *operands: Any, **factors: Any) -> Tensor:
    """In-place version of `addbmm`."""
    return copy_(input, products.addbmm(input, *operands, **factors))


def baddbmm_(input: Tensor, *operands: Any, **factors: Any) -> Tensor:
    """In-place version of `baddbmm`."""
    return copy_(input, products.baddbmm(input, *operands, **factors))


def isub(input: Tensor, other: Any) -> Tensor:
    """Implement `input -= other`."""
    if is_tensor(other) and other._array.dtype is input._array.dtype is FLOAT32:
        return in_place(input, arithmetic.Sub, other)
    return sub_(input, other)


def iadd(input: Tensor, other: Any) -> Tensor:
    """Implement `input += other`."""
    return in_place(input, arithmetic.Add, other)
