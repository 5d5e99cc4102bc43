"""Complex numbers: built from real ones, viewed as real ones, their parts, conjugates and angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.engine.autograd.record import apply_one, apply_two, wrap
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.operands import floating, is_tensor
from gradus.engine.ops import complex_numbers

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "angle", "complex", "conj", "conj_physical", "imag", "is_conj", "isreal", "polar", "real", "resolve_conj", "sgn",
    "view_as_complex", "view_as_real",
]  # fmt: skip


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """real + i imag, of two float32 or float64 tensors that broadcast."""
    return apply_two(complex_numbers.Complex, real, _matching("complex", real=real, imag=imag))


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """abs e^(i angle), of two float32 or float64 tensors that broadcast."""
    return apply_two(complex_numbers.Polar, abs, _matching("polar", abs=abs, angle=angle))


def _matching(function: str, **two: Tensor) -> Tensor:
    """The second of two tensors, which must be of one floating dtype."""
    for i, (name, x) in enumerate(two.items()):
        if not is_tensor(x):
            raise TypeError(
                f"{function}(): argument '{name}' (position {i + 1}) must be Tensor, not {type(x).__name__}"
            )
    a, b = two.values()
    both = [a._array.dtype, b._array.dtype]
    for dtype in both:
        if dtype.char not in "fd":
            raise RuntimeError(
                f"Expected both inputs to be Half, Float or Double tensors but got {scalar_name(both[0])} and "
                f"{scalar_name(both[1])} (Half is not supported here)"
            )
    if both[0] != both[1]:
        raise RuntimeError(
            f"Expected object of scalar type {scalar_name(both[0])} but got scalar type {scalar_name(both[1])} for "
            "second argument"
        )
    return b


def view_as_complex(input: Tensor) -> Tensor:
    """(..., 2) as (...) complex on the same memory: the last dimension's two numbers are the parts.

    Raises:
        RuntimeError: if the last dimension is not of size 2, or not contiguous.
    """
    array = input._array
    if array.dtype.char not in "fd":
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{scalar_name(array.dtype)}"
        )
    if not array.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if array.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if array.strides[-1] != array.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(stride % (2 * array.itemsize) for stride in array.strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    return apply_one(complex_numbers.ViewAsComplex, input)


def view_as_real(input: Tensor) -> Tensor:
    """(...) complex as (..., 2) on the same memory: real and imaginary part."""
    if input._array.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return apply_one(complex_numbers.ViewAsReal, input)


def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor is its own."""
    return apply_one(complex_numbers.Real, input) if input._array.dtype.kind == "c" else input


def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view."""
    if input._array.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return apply_one(complex_numbers.Imag, input)


def conj(input: Tensor) -> Tensor:
    """The conjugate, a copy (PyTorch gives a view that is conjugated when it is read); a real tensor is its own."""
    return apply_one(complex_numbers.Conj, input) if input._array.dtype.kind == "c" else input


conj_physical = conj


def resolve_conj(input: Tensor) -> Tensor:
    """Return input: conjugates are always computed here, never deferred as in PyTorch."""
    return input


def is_conj(input: Tensor) -> bool:
    """Whether this tensor is a view to be conjugated: there are none here."""
    return False


def angle(input: Tensor) -> Tensor:
    """The angle of each number; of a real one 0, or π if it is negative."""
    return apply_one(
        complex_numbers.Angle if input._array.dtype.kind == "c" else complex_numbers.AngleOfReal, floating(input)
    )


def sgn(input: Tensor) -> Tensor:
    """z / |z|, 0 where z is 0; of real numbers the sign."""
    return apply_one(complex_numbers.Sgn, input) if input._array.dtype.kind == "c" else input.sign()


def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is 0."""
    return wrap(np.asarray(np.isreal(input._array)))
