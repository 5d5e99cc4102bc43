"""Linear algebra by the older names and arguments of `torch` and its methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import wrap
from gradus.engine.functions import decompositions, linear_algebra
from gradus.engine.functions.decompositions import lu_unpack
from gradus.engine.functions.linalg_checks import check_matrix
from gradus.engine.functions.linear_algebra import (
    cholesky_inverse,
    cholesky_solve,
    det,
    logdet,
    matrix_exp,
    matrix_power,
)
from gradus.engine.return_types import geqrf as Geqrf
from gradus.engine.return_types import qr as Qr
from gradus.engine.return_types import slogdet as SlogDet
from gradus.engine.return_types import svd as Svd
from gradus.engine.return_types import triangular_solve as TriangularSolve

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet", "lu", "lu_solve",
    "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "pinverse", "qr", "slogdet", "svd", "triangular_solve",
    "vander",
]  # fmt: skip


def inverse(input: Tensor) -> Tensor:
    """(..., n, n) -> the inverse: `torch.linalg.inv`."""
    return linear_algebra.inv(input)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """(..., m, n) -> (..., n, m): the pseudoinverse, `torch.linalg.pinv`."""
    return decompositions.pinv(input, rcond)


def slogdet(input: Tensor) -> SlogDet:
    """(..., n, n) -> the sign and log |det|: `torch.linalg.slogdet`."""
    return SlogDet(*linear_algebra.slogdet(input))


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """(..., n, n) -> L with input = L Lᵀ: `torch.linalg.cholesky`."""
    return linear_algebra.cholesky(input, upper=upper)


def qr(input: Tensor, some: bool = True) -> Qr:
    """input = Q R: `torch.linalg.qr`, reduced, or complete with some=False."""
    return Qr(*decompositions.qr(input, "reduced" if some else "complete"))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Svd:
    """input = U diag(S) Vᵀ: `torch.linalg.svd` with V instead of its transpose.

    Args:
        some: only the first min(m, n) columns of U and V.
        compute_uv: with False, U and V are zeros.
    """
    U, S, Vh = decompositions.svd(input, full_matrices=not some)
    if not compute_uv:
        m, n = input.shape[-2:]
        return Svd(*(input.new_zeros((*input.shape[:-2], k, k)) if i != 1 else S for i, k in ((0, m), (1, 0), (2, n))))
    return Svd(U, S, Vh.mT)


def lu(input: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """L and U in one matrix, and the row swaps: `torch.linalg.lu_factor`; with get_infos, also the position of a zero
    pivot.
    """
    found = decompositions.lu_factor_ex(input, pivot=pivot)
    return found if get_infos else tuple(found[:2])


def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """Solve A X = input, given the result of `lu` for A: `torch.linalg.lu_solve`."""
    return decompositions.lu_solve(LU_data, LU_pivots, input)


def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolve:
    """Solve A X = input, using the upper or lower triangle of A; transpose: Aᵀ X = input."""
    matrix, up = (A.mT, not upper) if transpose else (A, upper)
    return TriangularSolve(
        linear_algebra.solve_triangular(matrix, input, upper=up, unitriangular=unitriangular), A.clone()
    )


def geqrf(input: Tensor) -> Geqrf:
    """R, with the Householder vectors below it, and their factors, from which `orgqr` computes Q. No gradients."""
    check_matrix(input, "geqrf", "input")
    raw: Any = np.linalg.qr(input._array, mode="raw")
    a, tau = raw
    return Geqrf(wrap(np.ascontiguousarray(a.swapaxes(-1, -2))), wrap(np.asarray(tau)))


def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """Q from the result of `geqrf`: `torch.linalg.householder_product`."""
    return linear_algebra.householder_product(input, input2)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """(n,) -> (n, N): the powers of each element, x^(N-1) ... x, 1; with increasing=True in increasing order."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = x.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    powers = wrap(np.arange(n) if increasing else np.arange(n)[::-1].copy())
    return x.unsqueeze(-1) ** powers
