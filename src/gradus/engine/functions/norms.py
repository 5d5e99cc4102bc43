"""Norms of vectors and matrices, and condition numbers, by the names of `torch.linalg`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import apply, wrap
from gradus.engine.dtypes import dtype as DType
from gradus.engine.functions.decompositions import svdvals
from gradus.engine.functions.linalg_checks import LinAlgError, check_floating, check_matrix, check_square
from gradus.engine.functions.linear_algebra import inv
from gradus.engine.functions.sizes import Dims, axes_of
from gradus.engine.ops import reductions

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

Order = Any  # a number, inf, -inf, or for matrices "fro" or "nuc"


def vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over all dimensions or some, p = ord; the largest |x| for inf, the number of nonzero elements for
    0.
    """
    x = check_floating(x if dtype is None else x.to(dtype), "linalg.vector_norm")
    order, axes = float(ord), axes_of(dim, x.ndim)
    if (order < 0 or math.isinf(order)) and any(x.shape[i] == 0 for i in axes):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not have "
            "an identity"
        )
    return apply(reductions.Norm, x, p=order, axis=axes, keepdim=keepdim)


def matrix_norm(
    A: Tensor,
    ord: Order = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """A norm of matrices (along `dim`).

    Args:
        ord: "fro": √Σ x²; "nuc": the sum of the singular values; 2 and -2: the largest and the smallest of them; 1 and
            -1: the largest and the smallest sum of a column's |x|; inf and -inf: of a row's.
    """
    A = check_matrix(A if dtype is None else A.to(dtype), "linalg.matrix_norm")
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    rows, columns = (axes_of(d, A.ndim)[0] for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if isinstance(ord, str) and ord != "nuc":
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if ord == "nuc" or abs(ord) == 2:
        if ord != "nuc" and ord > 0 and A.shape[rows] * A.shape[columns] == 0:
            return vector_norm(A, 1, (rows, columns), keepdim)
        s = svdvals(A.movedim((rows, columns), (-2, -1)))
        y = s.sum(-1) if ord == "nuc" else s.amax(-1) if ord > 0 else s.amin(-1)
    elif abs(ord) in (1, math.inf):
        inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = vector_norm(A, 1, inner, keepdim=True)
        if ord > 0 and A.shape[outer] == 0:
            return vector_norm(A, 1, (rows, columns), keepdim)
        y = (sums.amax(outer, keepdim=True) if ord > 0 else sums.amin(outer, keepdim=True)).squeeze((rows, columns))
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if not keepdim:
        return y
    for d in sorted((rows, columns)):
        y = y.unsqueeze(d)
    return y


def norm(
    A: Tensor, ord: Order = None, dim: Dims = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """The norm of vectors (ord None, or one dimension) or of matrices (ord given, and two): see `vector_norm`,
    `matrix_norm`.
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    axes = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if axes is not None and len(axes) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(axes)}")
    if axes is None and A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    if (A.ndim if axes is None else len(axes)) == 2:
        return matrix_norm(A, ord, (-2, -1) if axes is None else axes, keepdim, dtype=dtype)  # type: ignore[arg-type]
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {'' if axes is None else axes[0]}")
    return vector_norm(A, ord, axes, keepdim, dtype=dtype)


def cond(A: Tensor, p: Order = None) -> Tensor:
    """(..., m, n) -> (...): the largest singular value over the smallest; with another norm p, ‖A‖ ‖A⁻¹‖, A square; of
    a
    singular matrix inf.
    """
    check_matrix(A, "linalg.cond")
    if p is None or p in (2, -2):
        s = svdvals(A)
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    check_square(A, f"linalg.cond(ord={p})")
    try:
        return matrix_norm(A, p) * matrix_norm(inv(A), p)
    except LinAlgError:
        if A.ndim == 2:
            return wrap(np.asarray(math.inf, A._array.dtype))
        flat = A.reshape(-1, *A.shape[-2:])
        return A.new_tensor([cond(matrix, p).item() for matrix in flat]).reshape(A.shape[:-2])
