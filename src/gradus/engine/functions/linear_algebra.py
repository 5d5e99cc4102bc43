"""Linear algebra on square matrices and systems of equations, by the names of `torch.linalg`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.record import apply, apply_two, wrap
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.creation import eye
from gradus.engine.functions.joining import cat
from gradus.engine.functions.linalg_checks import (
    LinAlgError,
    check_floating,
    check_matrix,
    check_same_dtype,
    check_square,
    explained,
    failures,
)
from gradus.engine.functions.products import matmul
from gradus.engine.functions.selection import where
from gradus.engine.functions.sizes import axis_of
from gradus.engine.ops import linear_algebra
from gradus.engine.return_types import linalg_cholesky_ex as CholeskyEx
from gradus.engine.return_types import linalg_inv_ex as InvEx
from gradus.engine.return_types import linalg_slogdet as SlogDet
from gradus.engine.return_types import linalg_solve_ex as SolveEx

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def det(A: Tensor) -> Tensor:
    """(..., n, n) -> (...): the determinant. Singular matrices have a gradient too."""
    return apply(linear_algebra.Det, check_square(A, "linalg.det"))


def slogdet(A: Tensor) -> SlogDet:
    """(..., n, n) -> the sign and log |det A|; of a singular matrix 0 and -inf."""
    check_square(A, "linalg.slogdet")
    with explained("linalg.slogdet", A):
        return SlogDet(*apply(linear_algebra.SlogDet, A))


def logdet(input: Tensor) -> Tensor:
    """(..., n, n) -> (...): log det; nan where the determinant is negative, -inf where it is 0."""
    sign, log = apply(linear_algebra.SlogDet, check_square(input, "logdet"))
    return where(sign < 0, log.new_full((), math.nan), log)


def inv(A: Tensor) -> Tensor:
    """(..., n, n) -> the inverse.

    Raises:
        LinAlgError: if a matrix is singular.
    """
    check_square(A, "linalg.inv")
    with explained("linalg.inv", A):
        return apply(linear_algebra.Inverse, A)


def inv_ex(A: Tensor, *, check_errors: bool = False) -> InvEx:
    """The inverse, and for each matrix 0, or the position of the first zero pivot, counted from 1; its inverse is then
    nan.
    """
    check_square(A, "linalg.inv")
    return InvEx(*_despite_failures(inv, "linalg.inv", A, check_errors))


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """Solve A X = B; with left=False, X A = B.

    Args:
        A: (..., n, n).
        B: (..., n, k), or vectors: (..., n) if its shape is A's without the last dimension, or (n,).

    Raises:
        LinAlgError: if a matrix is singular.
    """
    check_square(A, "linalg.solve")
    check_same_dtype(A, B, "linalg.solve")
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    b = B.unsqueeze(-1) if vector else B
    _check_fit(A, b, left, "linalg.solve")
    with explained("linalg.solve", A):
        x = apply(linear_algebra.Solve, A, b) if left else apply(linear_algebra.Solve, A.mT, b.mT).mT
    return x.squeeze(-1) if vector else x


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> SolveEx:
    """`solve`, and 0 for each matrix; singular matrices always raise an error, even with check_errors=False."""
    del check_errors
    return SolveEx(solve(A, B, left=left), wrap(np.zeros(A.shape[:-2], np.int32)))


def _check_fit(A: Tensor, B: Tensor, left: bool, name: str) -> None:
    if A.shape[-2 if left else -1] != B.shape[-2 if left else -1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} ({A.shape[-2]}x{A.shape[-1]} and "
            f"{B.shape[-2]}x{B.shape[-1]})"
        )


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """Solve A X = B (left=False: X A = B), using only the upper or lower triangle of A.

    Args:
        A: (..., n, n).
        B: (..., n, k), or (..., k, n) with left=False.
        unitriangular: take the diagonal of A as ones.
    """
    check_square(A, "linalg.solve_triangular")
    check_matrix(B, "linalg.solve_triangular", "B")
    check_same_dtype(A, B, "linalg.solve_triangular")
    _check_fit(A, B, left, "linalg.solve_triangular")
    with explained("linalg.solve_triangular", A):
        if left:
            return apply(linear_algebra.SolveTriangular, A, B, upper=upper, unitriangular=unitriangular)
        return apply(linear_algebra.SolveTriangular, A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """(..., n, n) symmetric and positive-definite -> L with A = L Lᵀ, lower triangular; with upper=True, Lᵀ.

    Raises:
        LinAlgError: if a matrix is not positive-definite.
    """
    check_square(A, "linalg.cholesky")
    with explained("linalg.cholesky", A):
        low: Tensor = apply(linear_algebra.Cholesky, A)
    return low.mT if upper else low


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """L, and for each matrix 0, or the order of the first leading minor that is not positive; its L is then nan."""
    check_square(A, "linalg.cholesky")
    low, info = _despite_failures(cholesky, "linalg.cholesky", A, check_errors)
    return CholeskyEx(low.mT if upper else low, info)


def _despite_failures(function: Any, name: str, A: Tensor, check_errors: bool) -> tuple[Tensor, Tensor]:
    """function(A), nan for the matrices of the batch that fail; and where each fails, 0 for the others."""
    try:
        return function(A), wrap(np.zeros(A.shape[:-2], np.int32))
    except LinAlgError:
        if check_errors:
            raise
        info = wrap(failures(name, A._array))
        failed = (info != 0)[..., None, None]
        good = where(failed, eye(A.shape[-1], dtype=A.dtype), A)
        return function(good).masked_fill(failed, math.nan), info


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """Solve A X = B, given the Cholesky factor L of A = L Lᵀ (upper: Lᵀ L)."""
    check_matrix(B, "cholesky_solve", "B")
    check_square(L, "cholesky_solve", "A")
    _check_fit(L, B, True, "cholesky_solve")
    return apply(linear_algebra.CholeskySolve, B, L.mT if upper else L)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A, given its Cholesky factor L: A = L Lᵀ (upper: Lᵀ L)."""
    check_square(L, "cholesky_inverse")
    return apply(linear_algebra.CholeskyInverse, L.mT if upper else L)


def matrix_exp(A: Tensor) -> Tensor:
    """(..., n, n) -> Σ Aᵏ / k!."""
    return apply(linear_algebra.MatrixExp, check_square(A, "linalg.matrix_exp"))


def matrix_power(A: Tensor, n: int) -> Tensor:
    """Aⁿ, by repeated squaring; powers of the inverse if n is negative; the identity for 0."""
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    if n == 0:
        return A * 0 + eye(A.shape[-1], dtype=A.dtype)
    square, n = (inv(A), -n) if n < 0 else (A, n)
    result = None
    while n:
        if n % 2:
            result = square if result is None else matmul(result, square)
        n //= 2
        square = matmul(square, square) if n else square
    return result.clone() if result is A else result  # type: ignore[return-value]


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices, in the order that needs the fewest multiplications; the first and last may be
    vectors.
    """
    n = len(tensors)
    if n < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {n}")
    for i, x in enumerate(tensors):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, n - 1)):
            allowed = "1D or 2D" if i in (0, n - 1) else "2D"
            raise RuntimeError(f"multi_dot(): tensor {i} must be {allowed} but got {x.ndim}D")
    parts = list(tensors)
    if parts[0].ndim == 1:
        parts[0] = parts[0].unsqueeze(0)
    if parts[-1].ndim == 1:
        parts[-1] = parts[-1].unsqueeze(1)
    sizes = [x.shape[0] for x in parts] + [parts[-1].shape[1]]
    cost = {(i, i): (0, i) for i in range(n)}  # of the product of i..j, and its last split
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Tensor:
        return parts[i] if i == j else matmul(product(i, cost[i, j][1]), product(cost[i, j][1] + 1, j))

    result = product(0, n - 1)
    if tensors[0].ndim == 1:
        result = result.squeeze(0)
    return result.squeeze(-1) if tensors[-1].ndim == 1 else result


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse with respect to tensordot; A's first `ind` dimensions have as many elements as the others."""
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(rows) != math.prod(columns):
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(columns)} != {math.prod(rows)}"
        )
    return inv(A.reshape(math.prod(rows), math.prod(columns))).reshape(*columns, *rows)


def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """Solve tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first."""
    if dims is not None:
        moved = [axis_of(d, A.ndim) for d in dims]
        A = A.permute(*[d for d in range(A.ndim) if d not in moved], *moved)
    shape = tuple(A.shape[B.ndim :])
    if math.prod(shape) != B.numel() or math.prod(A.shape[: B.ndim]) != B.numel():
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {math.prod(shape)} != {math.prod(A.shape[: B.ndim])}"
        )
    return solve(A.reshape(B.numel(), B.numel()), B.reshape(-1)).reshape(shape)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product along a dimension of size 3; the other dimensions broadcast."""
    if input.ndim != other.ndim:
        raise RuntimeError(
            f"linalg.cross: inputs must have the same number of dimensions. Got {input.ndim} and {other.ndim}"
        )
    axis = axis_of(dim, input.ndim)
    if input.shape[axis] != 3 or other.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[axis]} and {other.shape[axis]}"
        )
    return input.roll(-1, axis) * other.roll(1, axis) - input.roll(1, axis) * other.roll(-1, axis)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Σ x y along a dimension."""
    check_floating(x, "linalg.vecdot")
    x = x.conj() if x.is_complex() else x
    if x.dtype != y.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{scalar_name(x._array.dtype)} and y of type {scalar_name(y._array.dtype)} instead"
        )
    return (x * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, a view."""
    if axis_of(dim1, A.ndim) == axis_of(dim2, A.ndim):
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return A.diagonal(offset, dim1, dim2)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """(..., n) -> (..., n, N): the powers 1, x, x² ... x^(N-1) of each element; N is n by default."""
    x = x if x.ndim else x.unsqueeze(0)
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    ones = x.new_ones((*x.shape, 1))
    return cat([ones, x.unsqueeze(-1).expand(*x.shape, n - 1)], -1).cumprod(-1)


def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """(..., m, n), (..., k) -> the first n columns of H₁ H₂ ... H_k, Hᵢ = I - τᵢ vᵢ vᵢᵀ, vᵢ = (0 ... 0, 1, A[i+1:,
    i]).
    """
    check_matrix(A, "linalg.householder_product", "input")
    m, n = A.shape[-2:]
    if m < n:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if n < tau.shape[-1]:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if not tau.shape[-1]:
        return apply_two(linear_algebra.NoReflections, A, tau)
    q = eye(m, n, dtype=A.dtype)
    v = A.tril(-1) + q
    for i in reversed(range(tau.shape[-1])):
        column = v[..., i : i + 1]
        q = q - tau[..., i, None, None] * matmul(column, matmul(column.mT, q))
    return q
