"""In-place operations: they write into the tensor's memory and its place in the graph; their names end in "_".

This file has those that copy, fill or reshape, and `written`, which derives one from any function;
`in_place_arithmetic.py` has add_, mul_ and the like, `in_place_elementwise.py` exp_, clamp_ and the like.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.in_place import apply_, become_view
from gradus.engine.autograd.record import wrap
from gradus.engine.functions.checks import check_cast
from gradus.engine.functions.gathering import _refuse_unfit
from gradus.engine.functions.operands import Number, as_operand, fitting, is_tensor
from gradus.engine.ops import copying, shapes

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["fill_", "zero_"]  # those that are functions of `torch`, too


def written(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`function_`, the method that overwrites its input with the function's result.

    Raises:
        RuntimeError: if the result has another shape, or a dtype that cannot be cast to the input's.
    """

    @functools.wraps(function)
    def in_its_place(input: Tensor, *args: Any, **named: Any) -> Tensor:
        result = function(input.clone() if input.requires_grad else input, *args, **named)  # backward may need it
        if result._array.shape != input._array.shape:
            raise RuntimeError(
                f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(result.shape)}"
            )
        check_cast(result._array.dtype, input._array.dtype)
        return copy_(input, result)

    in_its_place.__name__ = in_its_place.__qualname__ = function.__name__ + "_"
    return in_its_place


def apply_to_each_(input: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by the result of a Python function of it; return input."""
    values = [callable(x) for x in input._array.reshape(-1).tolist()]
    return copy_(input, wrap(np.array(values, input._array.dtype).reshape(input._array.shape)))


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
    """The array to fill, without the repetitions of an expanded tensor."""
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
