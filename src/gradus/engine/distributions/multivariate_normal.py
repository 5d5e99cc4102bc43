"""The normal distribution of vectors."""

from __future__ import annotations

import math

from gradus.engine.distributions import constraints
from gradus.engine.distributions.distribution import Constraints, Distribution, Shape, lazy_property
from gradus.engine.functions import broadcast_shapes, cholesky_inverse, empty, eye, matmul
from gradus.engine.linalg import cholesky, solve_triangular
from gradus.engine.tensor import Tensor


class MultivariateNormal(Distribution):
    """p(x) = exp(-(x - loc)ᵀ Σ⁻¹ (x - loc) / 2) / √((2π)ⁿ det Σ). The samples are PyTorch's, draw for draw.

    Args:
        loc: (..., n).
        covariance_matrix, precision_matrix, scale_tril: (..., n, n), exactly one of Σ, Σ⁻¹ and L with Σ = L Lᵀ.
    """

    arg_constraints: Constraints = {  # noqa: RUF012
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "scale_tril": scale_tril,
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
        }
        matrices = [(name, matrix) for name, matrix in given.items() if matrix is not None]
        if len(matrices) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = matrices
        if matrix.dim() < 2:
            called = f"{name} matrix" if name == "scale_tril" else name
            raise ValueError(f"{called} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = tuple(broadcast_shapes(matrix.shape[:-2], loc.shape[:-1]))
        self.loc = loc.expand(*batch_shape, -1)
        setattr(self, name, matrix.expand(*batch_shape, -1, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        if name == "covariance_matrix":
            self._low = cholesky(matrix)
        else:
            self._low = matrix if name == "scale_tril" else _of_precision(matrix)

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._matrix(self._low)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self._matrix(matmul(self._low, self._low.mT))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return self._matrix(cholesky_inverse(self._low))

    def _matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(*self._batch_shape, *self._event_shape, *self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._low.pow(2).sum(-1).expand(*self._batch_shape, *self._event_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        noise = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).normal_()
        return self.loc + matmul(self._low, noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        away = solve_triangular(self._low, (value - self.loc).unsqueeze(-1), upper=False).squeeze(-1)
        distance = away.pow(2).sum(-1)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        return (0.5 * n * (1.0 + math.log(2 * math.pi)) + self._half_log_det()).expand(self._batch_shape)

    def _half_log_det(self) -> Tensor:
        return self._low.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _of_precision(precision: Tensor) -> Tensor:
    """L = U⁻ᵀ where precision = U Uᵀ, U upper triangular: the Cholesky factor of the flipped matrix, flipped back."""
    factor = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    return solve_triangular(factor, eye(precision.shape[-1], dtype=precision.dtype), upper=False)
