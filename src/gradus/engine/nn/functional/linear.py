"""Linear and bilinear maps."""

from __future__ import annotations

from typing import cast

from gradus.engine.autograd.record import apply
from gradus.engine.functions.checks import check_factors
from gradus.engine.ops.products import Linear
from gradus.engine.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b: input (..., in), weight (out, in), bias (out,) -> (..., out).

    Raises:
        RuntimeError: for shapes that do not go together, and for operands of several number types.
    """
    if weight._array.ndim == 1:  # of a single row: (..., in) -> (...)
        out = input @ weight
        return out if bias is None else out + bias
    dtype = weight._array.dtype
    if input._array.dtype is not dtype or (bias is not None and bias._array.dtype is not dtype):
        check_factors(input, weight, bias)
    return cast(Tensor, apply(Linear, input, weight, bias))


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x₁ᵀ W_o x₂ + b_o: input1 (..., I), input2 (..., J), weight (O, I, J), bias (O,) -> (..., O)."""
    left = input1.unsqueeze(-2).unsqueeze(-2) @ weight  # (..., O, 1, J)
    y = (left.squeeze(-2) * input2.unsqueeze(-2)).sum(-1)
    return y if bias is None else y + bias
