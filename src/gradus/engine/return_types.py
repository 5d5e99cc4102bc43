"""`torch.return_types`: the named tuples that functions with several results give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


def _shown(result: Any) -> str:
    parts = ",\n".join(f"{name}={part!r}" for name, part in zip(result._fields, result, strict=True))
    return f"torch.return_types.{type(result).__name__}(\n{parts})"


class ValuesIndices(NamedTuple):
    """Values, and where they were along a dimension."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class max(ValuesIndices):
    """What `torch.max` of a dimension returns."""

    pass


class min(ValuesIndices):
    """What `torch.min` of a dimension returns."""

    pass


class sort(ValuesIndices):
    """What `torch.sort` returns."""

    pass


class topk(ValuesIndices):
    """What `torch.topk` returns."""

    pass


class median(ValuesIndices):
    """What `torch.median` of a dimension returns."""

    pass


class nanmedian(ValuesIndices):
    """What `torch.nanmedian` of a dimension returns."""

    pass


class mode(ValuesIndices):
    """What `torch.mode` returns."""

    pass


class kthvalue(ValuesIndices):
    """What `torch.kthvalue` returns."""

    pass


class cummax(ValuesIndices):
    """What `torch.cummax` returns."""

    pass


class cummin(ValuesIndices):
    """What `torch.cummin` returns."""

    pass


class histogram(NamedTuple):
    """Counts (or densities), and the ends of their intervals."""

    hist: Tensor
    bin_edges: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class histogramdd(NamedTuple):
    """Counts (or densities) of points, and the ends of the intervals of each coordinate."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]

    def __repr__(self) -> str:
        return _shown(self)


class aminmax(NamedTuple):
    """The smallest and the largest number."""

    min: Tensor
    max: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_slogdet(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_inv_ex(NamedTuple):
    """An inverse, and where it failed."""

    inverse: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_solve_ex(NamedTuple):
    """A solution, and where it failed."""

    result: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_cholesky_ex(NamedTuple):
    """A Cholesky factor, and where it failed."""

    L: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_qr(NamedTuple):
    """A matrix with columns at right angles, and a triangle."""

    Q: Tensor
    R: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_svd(NamedTuple):
    """Singular vectors on the left, singular values, singular vectors on the right as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class svd(NamedTuple):
    """Singular vectors on the left, singular values, singular vectors on the right as columns."""

    U: Tensor
    S: Tensor
    V: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_eig(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_eigh(NamedTuple):
    """Eigenvalues in rising order, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lu(NamedTuple):
    """A permutation, a lower triangle with ones on its diagonal, an upper triangle."""

    P: Tensor
    L: Tensor
    U: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class lu_unpack(NamedTuple):
    """A permutation, a lower triangle with ones on its diagonal, an upper triangle."""

    P: Tensor
    L: Tensor
    U: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lu_factor(NamedTuple):
    """L and U in one matrix, and the rows that were swapped."""

    LU: Tensor
    pivots: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lu_factor_ex(NamedTuple):
    """L and U in one matrix, the rows that were swapped, and where a pivot is 0."""

    LU: Tensor
    pivots: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lstsq(NamedTuple):
    """The solution with least squares, what is left of B, A's rank, and its singular values."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class triangular_solve(NamedTuple):
    """A solution, and a copy of the triangular matrix."""

    solution: Tensor
    cloned_coefficient: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class geqrf(NamedTuple):
    """What `householder_product` makes Q of, with R above it; and its factors."""

    a: Tensor
    tau: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class slogdet(linalg_slogdet):
    """What `torch.slogdet` returns."""

    pass


class qr(linalg_qr):
    """What `torch.qr` returns."""

    pass


class frexp(NamedTuple):
    """A mantissa of 0.5 up to 1, or 0, and the power of 2 that it is multiplied by."""

    mantissa: Tensor
    exponent: Tensor

    def __repr__(self) -> str:
        return _shown(self)
