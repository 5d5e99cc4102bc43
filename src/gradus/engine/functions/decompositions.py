"""Decompositions of matrices, and functions that use them, by the names of `torch.linalg`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import apply, wrap
from gradus.engine.functions.creation import eye
from gradus.engine.functions.linalg_checks import (
    LinAlgError,
    check_matrix,
    check_same_dtype,
    check_square,
    explained,
)
from gradus.engine.functions.linear_algebra import solve_triangular
from gradus.engine.functions.products import matmul
from gradus.engine.ops import decompositions, linear_algebra
from gradus.engine.return_types import linalg_eig as Eig
from gradus.engine.return_types import linalg_eigh as Eigh
from gradus.engine.return_types import linalg_lstsq as Lstsq
from gradus.engine.return_types import linalg_lu as Lu
from gradus.engine.return_types import linalg_lu_factor as LuFactor
from gradus.engine.return_types import linalg_lu_factor_ex as LuFactorEx
from gradus.engine.return_types import linalg_qr as Qr
from gradus.engine.return_types import linalg_svd as Svd
from gradus.engine.return_types import lu_unpack as LuUnpack

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

Tolerance = Any  # a number or a tensor of one for each matrix; None for the default


def qr(A: Tensor, mode: str = "reduced") -> Qr:
    """A = Q R, Q with orthonormal columns, R upper triangular.

    Args:
        A: (..., m, n).
        mode: "reduced": Q (..., m, k), R (..., k, n), k = min(m, n); "complete": Q (..., m, m), R (..., m, n); "r":
            only R; Q is empty.
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    q, r = apply(decompositions.Qr, check_matrix(A, "linalg.qr"), mode=mode)
    return Qr(A.new_empty(0) if mode == "r" else q, r)


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Svd:
    """A = U diag(S) Vh, S in descending order. A column of U and its row of Vh may have the opposite sign of PyTorch's.

    Args:
        A: (..., m, n).
        full_matrices: U (..., m, m) and Vh (..., n, n); else U (..., m, k) and Vh (..., k, n), k = min(m, n). Gradients
            flow through the first k columns and rows.

    Raises:
        LinAlgError: if A is not finite.
    """
    _refuse_driver("svd", driver)
    check_matrix(A, "linalg.svd")
    with explained("linalg.svd", A):
        return Svd(*apply(decompositions.Svd, A, full=full_matrices))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """(..., m, n) -> (..., min(m, n)): the singular values in descending order."""
    return svd(check_matrix(A, "linalg.svdvals"), full_matrices=False, driver=driver).S


def _refuse_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        raise RuntimeError(
            f"torch.linalg.{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """(..., n, n) symmetric -> eigenvalues (..., n) in ascending order, eigenvectors (..., n, n) as columns.

    An eigenvector may have the opposite sign of PyTorch's.

    Args:
        UPLO: which triangle is used, "L" or "U".
    """
    check_square(A, "linalg.eigh")
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    with explained("linalg.eigh", A):
        return Eigh(*apply(decompositions.Eigh, A, triangle=UPLO.upper()))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """(..., n, n) symmetric -> eigenvalues (..., n) in ascending order."""
    return eigh(A, UPLO).eigenvalues


def eig(A: Tensor) -> Eig:
    """(..., n, n) -> eigenvalues (..., n) and eigenvectors (..., n, n) as columns of length 1, both complex.

    An eigenvector may be rotated by another angle in the complex plane than PyTorch's. A is real; complex matrices
    raise an error.

    Raises:
        RuntimeError: if A is not finite.
    """
    check_square(A, "linalg.eig")
    if not np.isfinite(A._array).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    with explained("linalg.eig", A):
        return Eig(*apply(decompositions.Eig, A))


def eigvals(A: Tensor) -> Tensor:
    """(..., n, n) real -> eigenvalues (..., n), complex."""
    return eig(check_square(A, "linalg.eigvals")).eigenvalues


# ---- LU


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LuFactorEx:
    """`lu_factor`, and for each matrix 0, or the position of the first zero pivot, counted from 1."""
    check_matrix(A, "torch.linalg.lu_factor_ex")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    lu, pivots = apply(decompositions.Lu, A)
    zero = np.diagonal(lu._array, axis1=-2, axis2=-1) == 0
    info = np.where(zero.any(-1), np.cumprod(~zero, -1).sum(-1) + 1, 0).astype(np.int32)
    if check_errors and info.any():
        raise LinAlgError(
            f"torch.linalg.lu_factor_ex: U[{info.max()},{info.max()}] is zero and using it on lu_solve would "
            "result in a division by zero."
        )
    return LuFactorEx(lu, pivots, wrap(info))


def lu_factor(A: Tensor, *, pivot: bool = True) -> LuFactor:
    """P A = L U: L and U (..., m, n) in one matrix, without L's diagonal of ones, and the row swaps, counted from 1."""
    return LuFactor(*lu_factor_ex(A, pivot=pivot)[:2])


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> LuUnpack:
    """P (..., m, m), L (..., m, k), U (..., k, n), k = min(m, n), with A = P L U."""
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    empty = LU_data.new_empty(0)
    low = up = P = empty
    if unpack_data:
        low = LU_data[..., :k].tril(-1) + eye(m, k, dtype=LU_data.dtype)
        up = LU_data[..., :k, :].triu()
    if unpack_pivots:
        rows = decompositions.permutation(LU_pivots._array, m)
        P = wrap((np.arange(m)[:, None] == rows[..., None, :]).astype(LU_data._array.dtype))
    return LuUnpack(P, low, up)


def lu(A: Tensor, *, pivot: bool = True) -> Lu:
    """A = P L U: a permutation, a lower triangle with ones on its diagonal, an upper triangle."""
    return Lu(*lu_unpack(*lu_factor(A, pivot=pivot)))


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """Solve A X = B (left=False: X A = B; adjoint: Aᵀ instead of A), given the result of `lu_factor` for A."""
    if not left:
        return lu_solve(LU, pivots, B.mT, adjoint=not adjoint).mT
    P, low, up = lu_unpack(LU, pivots)
    if adjoint:
        half = solve_triangular(up.mT, B, upper=False)
        return matmul(P, solve_triangular(low.mT, half, upper=True, unitriangular=True))
    half = solve_triangular(low, matmul(P.mT, B), upper=False, unitriangular=True)
    return solve_triangular(up, half, upper=True)


# ---- by singular values


def pinv(
    A: Tensor, rcond: Tolerance = None, hermitian: bool = False, *, atol: Tolerance = None, rtol: Tolerance = None
) -> Tensor:
    """(..., m, n) -> (..., n, m): the pseudoinverse.

    Args:
        rcond, rtol: singular values of at most rtol times the largest are taken as 0; by default max(m, n) times the
            dtype's eps if atol is not given.
        atol: singular values of at most this are taken as 0.
        hermitian: A is symmetric; only its lower triangle is used.
    """
    check_matrix(A, "linalg.pinv")
    if hermitian:
        check_square(A, "linalg.pinv")
    absolute, relative = _tolerances(A, atol, rcond if rtol is None else rtol)
    with explained("linalg.pinv", A):
        return apply(linear_algebra.PseudoInverse, A, absolute, relative, symmetric=hermitian)


def matrix_rank(
    A: Tensor, tol: Tolerance = None, hermitian: bool = False, *, atol: Tolerance = None, rtol: Tolerance = None
) -> Tensor:
    """(..., m, n) -> (...) int64: the number of singular values above both tolerances (see `pinv`; `tol` is atol)."""
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    if tol is not None:
        atol, rtol = tol, 0.0
    absolute, relative = _tolerances(A, atol, rtol)
    s = eigvalsh(A).abs()._array if hermitian else svdvals(A)._array
    top = s.max(-1, initial=0)
    return wrap((s > np.maximum(absolute, relative * top)[..., None]).sum(-1))


def _tolerances(A: Tensor, atol: Tolerance, rtol: Tolerance) -> tuple[Any, Any]:
    """The absolute tolerance, and that relative to the largest singular value."""
    absolute, relative = (np.asarray(getattr(x, "_array", 0.0 if x is None else x)) for x in (atol, rtol))
    if rtol is None and not (absolute > 0).all():
        relative = np.where(absolute > 0, 0.0, max(A.shape[-2:]) * np.finfo(A._array.dtype).eps)
    return absolute, relative


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Lstsq:
    """The least-squares solution: X with the smallest ‖A X - B‖, and of those the smallest X.

    Args:
        A: (..., m, n).
        B: (..., m, k), or (..., m) if its shape is A's without the last dimension.
        rcond: singular values of at most this times the largest are taken as 0; max(m, n) times eps by default.
        driver: "gelsy" (the default), "gels", "gelsd" or "gelss": which of the other results are computed, as in
            PyTorch.

    Returns:
        solution (..., n, k); residuals (..., k), for m > n and A of full rank ("gelsy": never); rank (not "gels");
        singular_values ("gelsd" and "gelss").
    """
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise RuntimeError("torch.linalg.lstsq: other must have at least 1 dimension.")
    check_same_dtype(A, B, "torch.linalg.lstsq")
    driver = driver or "gelsy"
    if driver not in ("gelsy", "gels", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), but got " + driver
        )
    vector = B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1])
    b = B.unsqueeze(-1) if vector else B
    m, n = A.shape[-2:]
    if b.ndim < 2 or b.shape[-2] != m:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    x = matmul(pinv(A, rtol=rcond), b)
    s = svdvals(A).detach()
    rank = matrix_rank(A, rtol=rcond).detach()
    residuals = x.flatten()[:0]
    if m > n and driver != "gelsy" and bool((rank == n).all()):
        residuals = (matmul(A, x) - b).square().sum(-2)
    return Lstsq(
        x.squeeze(-1) if vector else x,
        residuals,
        rank if driver != "gels" else rank.new_empty(0),
        s if driver in ("gelsd", "gelss") else A.new_empty(0),
    )
