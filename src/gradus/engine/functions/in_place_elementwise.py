"""In-place elementwise functions: `x.exp_()`, `x.round_()`, `x.clamp_(0, 1)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine import dtypes
from gradus.engine.autograd.in_place import apply_
from gradus.engine.dtypes import dtype as DType
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions.checks import check_cast, explain_broadcast, refuse_bool, refuse_complex
from gradus.engine.functions.in_place import copy_, written
from gradus.engine.functions.in_place_arithmetic import pow_
from gradus.engine.functions.operands import array_of, as_operand, fitting, is_tensor
from gradus.engine.functions.rounding import round
from gradus.engine.functions.selection import clamp, clamp_max, clamp_min, fill_value, nan_to_num
from gradus.engine.ops import activations, arithmetic, exponentials, rounding, selection, special, trigonometry

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
]  # fmt: skip


clamp_min_, clamp_max_ = written(clamp_min), written(clamp_max)


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
        return copy_(input, round(input, decimals=decimals))
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
        result = clamp(input.clone(), min, max)  # its gradient needs the numbers that are overwritten
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
    value = fill_value(input, mask, value)
    try:
        return apply_(input, selection.MaskedFill, mask, value)
    except ValueError:
        explain_broadcast(input, mask)
        raise


def nan_to_num_(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """In-place version of `nan_to_num`."""
    return copy_(input, nan_to_num(input, nan, posinf, neginf))
