"""Checks of the arguments of linear algebra, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.ops.decompositions import lu_factor

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


class LinAlgError(RuntimeError):
    """A matrix has no inverse or Cholesky factor, or a decomposition does not converge."""


def check_matrix(a: Tensor, name: str, which: str = "A") -> Tensor:
    """Raise an error unless A is (..., m, n), of float32 or float64."""
    dtype = a._array.dtype
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {which} must have at least 2 dimensions.")
    check_floating(a, name)
    if dtype.kind == "c":
        raise NotImplementedError(f"{name}: complex matrices are not supported")
    if dtype.itemsize < 4:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {scalar_name(dtype)}")
    return a


def check_floating(a: Tensor, name: str) -> Tensor:
    """Raise a RuntimeError unless A has a floating-point dtype."""
    if a._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(a._array.dtype)}"
        )
    return a


def check_square(a: Tensor, name: str, which: str = "A") -> Tensor:
    """Raise an error unless A is (..., n, n), of float32 or float64."""
    if a.ndim >= 2 and a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"{name}: {which} must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices"
        )
    return check_matrix(a, name, which)


def check_same_dtype(a: Tensor, b: Tensor, name: str) -> None:
    """Raise a RuntimeError unless both have the same dtype."""
    if a._array.dtype != b._array.dtype:
        dtype_names = (scalar_name(x._array.dtype) for x in (a, b))
        raise RuntimeError(
            "{}: Expected A and B to have the same dtype, but found A of type {} and B of type {} instead".format(
                name, *dtype_names
            )
        )


def failures(name: str, a: Array) -> Array:
    """(..., n, n) -> (...) int32: 0, or where a matrix first fails, from 1: at a pivot of 0, or for Cholesky at a
    leading
    minor that is not positive.
    """
    if name == "linalg.cholesky":
        minors = np.stack([np.linalg.det(a[..., :k, :k]) for k in range(1, a.shape[-1] + 1)], -1)
        wrong = ~(minors > 0)
    else:
        wrong = np.diagonal(lu_factor(a)[0], axis1=-2, axis2=-1) == 0
    return np.where(wrong.any(-1), wrong.argmax(-1) + 1, 0).astype(np.int32)


@contextmanager
def explained(name: str, a: Tensor) -> Iterator[None]:
    """Raise NumPy's LinAlgError with PyTorch's message."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise LinAlgError(_reason(name, a._array)) from error


def _reason(name: str, a: Array) -> str:
    if name in ("linalg.cholesky", "linalg.inv"):
        info = failures(name, a).reshape(-1)
        batch = int((info != 0).argmax())
        which = f"(Batch element {batch}): " if a.ndim > 2 else ""
        if name == "linalg.inv":
            what = (
                f"The diagonal element {info[batch]} is zero, the inversion could not be completed because the input "
            )
            return f"{name}: {which}{what}matrix is singular."
        what = (
            "The factorization could not be completed because the input is not positive-definite (the leading minor of "
        )
        return f"{name}: {which}{what}order {info[batch]} is not positive-definite)."
    if name == "linalg.solve":
        return f"torch.{name}: The solver failed because the input matrix is singular."
    finite = bool(np.isfinite(a).all())
    why = "is ill-conditioned or has too many repeated singular values" if finite else "contained non-finite values"
    return f"{name}: The algorithm failed to converge because the input matrix {why}."
