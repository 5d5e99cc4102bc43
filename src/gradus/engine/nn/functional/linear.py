"""Linear and bilinear maps."""

from __future__ import annotations

from typing import cast

from gradus.engine.autograd.record import apply
from gradus.engine.functions.checks import scalar_name
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
    if input._array.dtype is not weight._array.dtype and input._array.dtype != weight._array.dtype:
        have, got = scalar_name(input._array.dtype), scalar_name(weight._array.dtype)
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {have} and {got}")
    return cast(Tensor, apply(Linear, input, weight, bias))


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x₁ᵀ W_o x₂ + b_o: input1 (..., I), input2 (..., J), weight (O, I, J), bias (O,) -> (..., O)."""
    left = input1.unsqueeze(-2).unsqueeze(-2) @ weight  # (..., O, 1, J)
    y = (left.squeeze(-2) * input2.unsqueeze(-2)).sum(-1)
    return y if bias is None else y + bias
