"""`torch.linalg`: linear algebra on (batches of) matrices. Every function but eig and its relatives has gradients."""

from typing import NoReturn

from gradus.engine.absent import refuse
from gradus.engine.functions.decompositions import (
    eigh,
    eigvalsh,
    lstsq,
    lu,
    lu_factor,
    lu_factor_ex,
    lu_solve,
    matrix_rank,
    pinv,
    qr,
    svd,
    svdvals,
)
from gradus.engine.functions.linalg_checks import LinAlgError
from gradus.engine.functions.linear_algebra import (
    cholesky,
    cholesky_ex,
    cross,
    det,
    diagonal,
    householder_product,
    inv,
    inv_ex,
    matrix_exp,
    matrix_power,
    multi_dot,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
    vander,
    vecdot,
)
from gradus.engine.functions.norms import cond, matrix_norm, norm, vector_norm
from gradus.engine.functions.products import matmul
from gradus.engine.tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
__getattr__ = refuse(__name__)


def eig(A: Tensor) -> NoReturn:
    """Eigenvalues of a matrix that is not symmetric are complex: refused; `eigh` is for symmetric ones."""
    del A
    raise NotImplementedError("linalg.eig gives complex numbers, which are not offered; eigh is for symmetric matrices")


def eigvals(A: Tensor) -> NoReturn:
    """Eigenvalues of a matrix that is not symmetric are complex: refused; `eigvalsh` is for symmetric ones."""
    del A
    raise NotImplementedError(
        "linalg.eigvals gives complex numbers, which are not offered; eigvalsh is for symmetric matrices"
    )
