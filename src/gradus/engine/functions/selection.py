"""Choices between elements: clamps, the larger and the smaller, `where` and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import apply, apply_one, wrap
from gradus.engine.dtypes.limits import limits_of
from gradus.engine.dtypes.names import c_name, scalar_name
from gradus.engine.dtypes.promotion import result_type
from gradus.engine.functions.checks import explain_broadcast, only_tensors, refuse_bool
from gradus.engine.functions.copying import clone
from gradus.engine.functions.operands import (
    array_of,
    as_operand,
    binary,
    cast,
    fitting,
    is_tensor,
    number,
    same_type,
    tensor_of,
)
from gradus.engine.ops import activations, selection

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "masked_fill", "maximum", "minimum", "nan_to_num",
    "relu", "where",
]  # fmt: skip


def relu(input: Tensor) -> Tensor:
    """Return max(x, 0)."""
    if input._array.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return apply_one(activations.Relu, input)


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


clip = clamp


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
    value = fill_value(input, mask, value)
    try:
        return apply(selection.MaskedFill, input, mask, value)
    except ValueError:
        explain_broadcast(input, mask)
        raise


def fill_value(input: Tensor, mask: Tensor, value: Any) -> Any:
    """The value of a masked fill, in input's dtype; a RuntimeError unless the mask is bool and the value 0-d."""
    if mask._array.dtype != bool:
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {c_name(mask._array.dtype)}"
        )
    value = fitting(as_operand(value), input._array.dtype)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    return value


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
