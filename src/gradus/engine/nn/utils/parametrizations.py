"""Common parametrizations: weight normalization, spectral normalization, orthogonal weights."""

from __future__ import annotations

from typing import Any, TypeVar

from gradus.engine.autograd import no_grad
from gradus.engine.compat.absent import refuse
from gradus.engine.dtypes.limits import finfo
from gradus.engine.functions import cat, eye, geqrf, matrix_exp, randn, zeros_like
from gradus.engine.functions.linear_algebra import householder_product, solve
from gradus.engine.nn import functional as F
from gradus.engine.nn.module import Module
from gradus.engine.nn.utils import parametrize
from gradus.engine.nn.utils.spectral_norm import as_matrix, rows_of
from gradus.engine.nn.utils.weight_norm import norm_except_dim, scaled
from gradus.engine.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    """w = g v / ‖v‖"""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return scaled(v, g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """A parameter as w = g v / ‖v‖, the norm over all dimensions but `dim`, or over all (Salimans and Kingma, 2016).

    g is `parametrizations.weight.original0`, v `parametrizations.weight.original1`; a state_dict with the older
    `weight_g` and `weight_v` is read, too.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def read_older(state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
        old = (f"{prefix}{name}_g", f"{prefix}{name}_v")
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(read_older)
    return module


class _SpectralNorm(Module):
    """w / σ, σ = uᵀ w v the largest singular value, followed by the power method: u = w v, v = wᵀ u, of length 1"""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        n = weight.ndim
        if not -n <= dim < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % n, eps
        if n > 1:  # the norm of a vector needs no estimate
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim)
            u, v = (matrix.new_empty(size).normal_(0, 1) for size in matrix.shape)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    @no_grad()
    def _power_method(self, matrix: Tensor, steps: int) -> None:
        for _ in range(steps):
            self._u.copy_(F.normalize(matrix.mv(self._v), dim=0, eps=self.eps))
            self._v.copy_(F.normalize(matrix.t().mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # a second forward changes them before the first one's backward
        return weight / u.dot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """A parameter divided by its largest singular value (Miyato et al., 2018), which is followed by n_power_iterations
    steps of the power method at every use in training. dim is that of its rows as a matrix: 0, or 1 of a transposed
    convolution.

    Raises:
        ValueError: if there is no such parameter or buffer, and for n_power_iterations below 1.
    """
    weight = _tensor_of(module, name)
    rule = _SpectralNorm(weight, n_power_iterations, rows_of(module, dim), eps)
    parametrize.register_parametrization(module, name, rule)
    return module


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


_MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """Q of x, with A = x's lower triangle minus its transpose: exp(A), or (1 + A/2) / (1 - A/2), or the product of the
    Householder reflections by x's columns; times `base`, if there is one (Lezcano-Casado, 2019)
    """

    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape, self.orthogonal_map, self.has_base = weight.shape, orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.size(-2) < x.size(-1)
        if wide:
            x = x.mT
        n, k = x.size(-2), x.size(-1)
        if self.orthogonal_map == "householder":
            a = x.tril(-1)
            q = householder_product(a, 2.0 / (1.0 + (a * a).sum(-2)))
            q = q * x.detach().diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)  # of 1 and -1
        else:
            x = x.tril()
            if n != k:
                x = cat([x, x.new_zeros((*x.shape[:-1], n - k))], -1)
            a = x - x.mH
            if self.orthogonal_map == "matrix_exp":
                q = matrix_exp(a)
            else:
                one = eye(n, dtype=a.dtype)
                q = solve(one - a / 2, one + a / 2)
            q = q[..., :k]
        if self.has_base:
            q = self.base @ q
        return q.mT if wide else q

    @no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {q.shape}."
            )
        start = zeros_like(q)
        wide = q.size(-2) < q.size(-1)
        if wide:
            q = q.mT
        n, k = q.size(-2), q.size(-1)
        if self.has_base:
            if n != k:
                q = cat([q, randn(*q.shape[:-2], n, n - k, dtype=q.dtype)], -1)
            self.base = q.clone() if n == k and _is_orthogonal(q) else _made_orthogonal(q)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # at which every map gives 1
            return start
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        a, tau = geqrf(q)
        a.diagonal(dim1=-2, dim2=-1).sign_()  # R's diagonal
        signs = a.diagonal(dim1=-2, dim2=-1)
        signs.copy_(signs.where(tau != 0.0, -signs))
        return a.mT if wide else a


def _is_orthogonal(q: Tensor) -> bool:
    return bool((q.mH @ q).allclose(eye(q.size(-1), dtype=q.dtype), atol=10.0 * q.size(-2) * finfo(q.dtype).eps))


def _made_orthogonal(a: Tensor) -> Tensor:
    """Q of a = Q R, R's diagonal above 0."""
    x, tau = geqrf(a)
    return householder_product(x, tau) * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> M:
    """A matrix parameter that is orthogonal: Qᵀ Q = 1, or Q Qᵀ = 1 if it is wider than high (Lezcano-Casado, 2019).

    Args:
        orthogonal_map: from any matrix to an orthogonal one: "matrix_exp", "cayley" or "householder"; None means the
            first for square matrices and the last for others.
        use_trivialization: start from the parameter's own orthogonal part, kept in a buffer `base`.

    Raises:
        ValueError: for another map, and what is no matrix.
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1) or weight.is_complex()
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    rule = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    parametrize.register_parametrization(module, name, rule, unsafe=True)
    return module


__getattr__ = refuse(__name__)
