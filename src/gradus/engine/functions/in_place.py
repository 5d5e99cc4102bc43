"""Changes in place: `x.add_(y)` and its kin write into x's memory, and into x's place in the graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.in_place import apply_, become_view
from gradus.engine.autograd.record import wrap
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions import pointwise, products
from gradus.engine.functions.operands import (
    Number,
    array_of,
    as_operand,
    check_cast,
    explain_broadcast,
    fitting,
    in_place,
    is_tensor,
    refuse_bool,
    refuse_complex,
)
from gradus.engine.functions.selecting import _refuse_unfit
from gradus.engine.kernels import FLOAT32
from gradus.engine.ops import (
    activations,
    arithmetic,
    copying,
    exponentials,
    rounding,
    selection,
    shapes,
    special,
    trigonometry,
)

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [  # those that are functions of `torch`, too
    "abs_",
    "ceil_",
    "clamp_",
    "clamp_max_",
    "clamp_min_",
    "cos_",
    "erf_",
    "exp2_",
    "exp_",
    "expm1_",
    "fill_",
    "floor_",
    "log1p_",
    "log2_",
    "log10_",
    "log_",
    "nan_to_num_",
    "neg_",
    "reciprocal_",
    "relu_",
    "round_",
    "rsqrt_",
    "sigmoid_",
    "sin_",
    "sqrt_",
    "square_",
    "tan_",
    "tanh_",
    "trunc_",
    "zero_",
]  # fmt: skip


# ---- arithmetic


def add_(input: Tensor, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """In-place version of `add`."""
    if type(alpha) is int and alpha == 1 and not old:
        return in_place(input, arithmetic.Add, other)
    return in_place(input, arithmetic.Add, *pointwise.scaled("add_", input, other, old, alpha))


def sub_(input: Tensor, other: Any, *old: Any, alpha: Any = 1) -> Tensor:
    """In-place version of `sub`."""
    pointwise.refuse_bool_difference(input, old[0] if old else other)
    if type(alpha) is int and alpha == 1 and not old:
        return in_place(input, arithmetic.Sub, other)
    return in_place(input, arithmetic.Sub, *pointwise.scaled("sub_", input, other, old, alpha))


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
            pointwise.refuse_negative_power()
        if kind == "b" and isinstance(exponent, bool):
            return copy_(input, pointwise.pow(input, exponent))
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
    a, b, value = pointwise.terms("addcmul_", input, tensor1, tensor2, old, value)
    return in_place(refuse_bool(input, "addcmul_cpu_out"), arithmetic.Add, a * b, value)


def addcdiv_(input: Tensor, tensor1: Any, tensor2: Any, *old: Any, value: Any = 1) -> Tensor:
    """In-place version of `addcdiv`."""
    a, b, value = pointwise.terms("addcdiv_", input, tensor1, tensor2, old, value, divided=True)
    return in_place(input, arithmetic.Add, a / b, value)


def lerp_(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """In-place version of `lerp`."""
    return copy_(input, pointwise.lerp(input, end, weight))


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


def written(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`function_`, the method that writes over its input what the function gives.

    Raises:
        RuntimeError: if that has not the input's shape, or is of a type that its numbers cannot be of.
    """

    @functools.wraps(function)
    def in_its_place(input: Tensor, *args: Any, **named: Any) -> Tensor:
        result = function(input.clone() if input.requires_grad else input, *args, **named)  # backward may want it
        if result._array.shape != input._array.shape:
            raise RuntimeError(
                f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(result.shape)}"
            )
        check_cast(result._array.dtype, input._array.dtype)
        return copy_(input, result)

    in_its_place.__name__ = in_its_place.__qualname__ = function.__name__ + "_"
    return in_its_place


clamp_min_, clamp_max_ = written(pointwise.clamp_min), written(pointwise.clamp_max)


def apply_to_each_(input: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by the result of a Python function of it; return input."""
    values = [callable(x) for x in input._array.reshape(-1).tolist()]
    return copy_(input, wrap(np.array(values, input._array.dtype).reshape(input._array.shape)))


def isub(input: Tensor, other: Any) -> Tensor:
    """Implement `input -= other`."""
    if is_tensor(other) and other._array.dtype is input._array.dtype is FLOAT32:
        return in_place(input, arithmetic.Sub, other)
    return sub_(input, other)


def iadd(input: Tensor, other: Any) -> Tensor:
    """Implement `input += other`."""
    return in_place(input, arithmetic.Add, other)


# ---- functions of each number


def _float_only(input: Tensor) -> Tensor:
    if input._array.dtype.kind not in dtypes.FLOATING:
        check_cast(dtypes.get_default_dtype().numpy, input._array.dtype)
    return input


def exp2_(input: Tensor) -> Tensor:
    """In-place version of `exp2`."""
    return apply_(_float_only(input), exponentials.Exp2)


def expm1_(input: Tensor) -> Tensor:
    """In-place version of `expm1`."""
    return apply_(_float_only(input), exponentials.Expm1)


def log2_(input: Tensor) -> Tensor:
    """In-place version of `log2`."""
    return apply_(_float_only(input), exponentials.Log2)


def log10_(input: Tensor) -> Tensor:
    """In-place version of `log10`."""
    return apply_(_float_only(input), exponentials.Log10)


def erf_(input: Tensor) -> Tensor:
    """In-place version of `erf`."""
    return apply_(_float_only(input), special.Erf)


def tan_(input: Tensor) -> Tensor:
    """In-place version of `tan`."""
    return apply_(_float_only(input), trigonometry.Tan)


def cumsum_(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """In-place version of `cumsum`; dtype can only be input's own."""
    if dtype is not None and dtype != input.dtype:
        raise RuntimeError(
            f"Bad in-place call: input tensor dtype {input.dtype} and output tensor dtype {dtype} should match"
        )
    return copy_(input, input.cumsum(dim))


def neg_(input: Tensor) -> Tensor:
    """In-place version of `neg`."""
    return apply_(input, arithmetic.Neg)


def abs_(input: Tensor) -> Tensor:
    """In-place version of `abs`."""
    refuse_complex(input._array, "In-place abs is not supported for complex tensors.")
    return apply_(input, arithmetic.Abs)


def exp_(input: Tensor) -> Tensor:
    """In-place version of `exp`."""
    return apply_(_float_only(input), exponentials.Exp)


def log_(input: Tensor) -> Tensor:
    """In-place version of `log`."""
    return apply_(_float_only(input), exponentials.Log)


def log1p_(input: Tensor) -> Tensor:
    """In-place version of `log1p`."""
    return apply_(_float_only(input), exponentials.Log1p)


def sqrt_(input: Tensor) -> Tensor:
    """In-place version of `sqrt`."""
    return apply_(_float_only(input), exponentials.Sqrt)


def rsqrt_(input: Tensor) -> Tensor:
    """In-place version of `rsqrt`."""
    return apply_(_float_only(input), exponentials.Rsqrt)


def square_(input: Tensor) -> Tensor:
    """In-place version of `square`."""
    return pow_(input, 2)


def reciprocal_(input: Tensor) -> Tensor:
    """In-place version of `reciprocal`."""
    return apply_(_float_only(input), arithmetic.Reciprocal)


def sin_(input: Tensor) -> Tensor:
    """In-place version of `sin`."""
    return apply_(_float_only(input), trigonometry.Sin)


def cos_(input: Tensor) -> Tensor:
    """In-place version of `cos`."""
    return apply_(_float_only(input), trigonometry.Cos)


def tanh_(input: Tensor) -> Tensor:
    """In-place version of `tanh`."""
    return apply_(_float_only(input), trigonometry.Tanh)


def sigmoid_(input: Tensor) -> Tensor:
    """In-place version of `sigmoid`."""
    return apply_(_float_only(input), activations.Sigmoid)


def relu_(input: Tensor) -> Tensor:
    """In-place version of `relu`."""
    return apply_(input, activations.Relu)


def floor_(input: Tensor) -> Tensor:
    """In-place version of `floor`."""
    return apply_(input, rounding.Round, rule="floor")


def ceil_(input: Tensor) -> Tensor:
    """In-place version of `ceil`."""
    return apply_(input, rounding.Round, rule="ceil")


def round_(input: Tensor, *, decimals: int = 0) -> Tensor:
    """In-place version of `round`."""
    if decimals:
        return copy_(input, pointwise.round(input, decimals=decimals))
    return apply_(input, rounding.Round, rule="rint")


def trunc_(input: Tensor) -> Tensor:
    """In-place version of `trunc`."""
    return apply_(input, rounding.Round, rule="trunc")


def sign_(input: Tensor) -> Tensor:
    """In-place version of `sign`."""
    return apply_(input, rounding.Round, rule="sign")


def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """In-place version of `clamp`."""
    if is_tensor(min) or is_tensor(max):
        result = pointwise.clamp(input.clone(), min, max)  # its gradient needs the numbers that are overwritten
        check_cast(result._array.dtype, input._array.dtype)
        return copy_(input, result)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    for end in (min, max):
        if end is not None:
            check_cast(result_type(input._array, array_of(as_operand(end))), input._array.dtype)
    low, high = (None if end is None else fitting(as_operand(end), input._array.dtype) for end in (min, max))
    return apply_(refuse_bool(input, "clamp_scalar_cpu"), selection.Clamp, low=low, high=high)


def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """In-place version of `masked_fill`."""
    pointwise.check_mask(mask)
    value = fitting(as_operand(value), input._array.dtype)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    try:
        return apply_(input, selection.MaskedFill, mask, value)
    except ValueError:
        explain_broadcast(input, mask)
        raise


def nan_to_num_(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """In-place version of `nan_to_num`."""
    return copy_(input, pointwise.nan_to_num(input, nan, posinf, neginf))


# ---- putting numbers in


def copy_(input: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Copy the elements of src, broadcast and converted to input's dtype, into input; return input."""
    src = as_operand(src)
    _refuse_unfit(src, input._array.shape)
    return apply_(input, copying.CopyFrom, src)


def fill_(input: Tensor, value: Any) -> Tensor:
    """Fill input with a number or a 0-d tensor; return input."""
    value = as_operand(value)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    value = fitting(value, input._array.dtype)
    apply_(_once(input), copying.CopyFrom, value)
    return input


def zero_(input: Tensor) -> Tensor:
    """Fill input with zeros; return input."""
    apply_(_once(input), copying.CopyFrom, 0)
    return input


def _once(input: Tensor) -> Tensor:
    """What is to be filled, without the repetitions of an expanded tensor."""
    array = input._array
    if array.base is None or 0 not in array.strides:
        return input
    return input[tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)]


def fill_diagonal_(input: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Fill the main diagonal; with `wrap`, that of a tall matrix starts again below each square block."""
    if input.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if input.ndim > 2 and len(set(input._array.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    rows, columns = input._array.shape[0], input._array.shape[1]
    step = sum(s // input._array.itemsize for s in input._array.strides)
    count = min(rows, columns)
    fill_(input.as_strided((count,), (step,)), fill_value)
    if wrap and input.ndim == 2 and rows > columns + 1:
        fill_diagonal_(input[columns + 1 :], fill_value, wrap)
    return input


def tril_(input: Tensor, diagonal: int = 0) -> Tensor:
    """In-place version of `tril`."""
    return apply_(input, shapes.Triangle, diagonal=diagonal, lower=True)


def triu_(input: Tensor, diagonal: int = 0) -> Tensor:
    """In-place version of `triu`."""
    return apply_(input, shapes.Triangle, diagonal=diagonal, lower=False)


# ---- shape


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """In-place version of `unsqueeze`: input itself gets the new shape."""
    return become_view(input, lambda x: x.unsqueeze(dim))


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """In-place version of `squeeze`: input itself gets the new shape."""
    return become_view(input, lambda x: x.squeeze(dim))


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """In-place version of `transpose`: input itself gets the new shape."""
    return become_view(input, lambda x: x.transpose(dim0, dim1))


def t_(input: Tensor) -> Tensor:
    """In-place version of `t`: input itself gets the new shape."""
    return become_view(input, lambda x: x.t())


swapaxes_ = swapdims_ = transpose_
