"""Rounding and signs, elementwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.engine import dtypes
from gradus.engine.autograd.record import apply_one, wrap
from gradus.engine.functions.checks import floating_only, only_tensors, refuse_bool
from gradus.engine.functions.copying import clone
from gradus.engine.functions.operands import binary
from gradus.engine.ops import rounding

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = ["ceil", "fix", "floor", "frac", "heaviside", "round", "sign", "signbit", "trunc"]


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


fix = trunc


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """Return 0 where input < 0, 1 where input > 0, and `values` where input is 0."""
    only_tensors("heaviside", input, values, names=("input", "values"))
    if input._array.dtype != values._array.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return binary(rounding.Heaviside, input, values)
