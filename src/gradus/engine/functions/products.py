"""Products of vectors and matrices: matmul and its relatives, and distances between rows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.record import Variable, apply_one, apply_two
from gradus.engine.dtypes.names import scalar_name
from gradus.engine.functions.checks import refuse_bool
from gradus.engine.functions.complex_numbers import conj
from gradus.engine.functions.operands import is_tensor, rounded_once, same_type
from gradus.engine.functions.sizes import axes_of, axis_of
from gradus.engine.ops import products
from gradus.engine.ops.distance import Cdist, Pdist

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cdist", "chain_matmul", "cross", "dot", "ger",
    "inner", "kron", "matmul", "mm", "mv", "outer", "pdist", "tensordot", "vdot",
]  # fmt: skip


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product: (n,) @ (n,), (n, m) @ (m,), (n, m) @ (m, p), or (..., n, m) @ (..., m, p)."""
    if not isinstance(other, Variable):
        raise TypeError(f"matmul(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    return apply_two(products.Mm if input._array.ndim == 2 == other._array.ndim else products.MatMul, input, other)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, m) @ (m, p) -> (n, p)."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(B, n, m) @ (B, m, p) -> (B, n, p)."""
    if input.ndim != 3 or mat2.ndim != 3:
        raise RuntimeError(f"batch{1 if input.ndim != 3 else 2} must be a 3D tensor")
    expected = (input.shape[0], input.shape[2])
    if tuple(mat2.shape[:2]) != expected:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{expected[0]}, {expected[1]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    refuse_bool(input, "bmm")
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, m) @ (m,) -> (n,)."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim - 1}, {input.ndim}, {vec.ndim}")
    return matmul(refuse_bool(input, "addmv_impl_cpu"), vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Return Σ input * tensor for two vectors of the same length and dtype."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input._array.dtype != tensor._array.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {scalar_name(input._array.dtype)} and "
            f"{scalar_name(tensor._array.dtype)}"
        )
    return matmul(refuse_bool(input, "dot"), tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Return Σ conj(input) * other for two vectors."""
    return dot(conj(input), other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the sum of products over the last dimension of both."""
    if not input.ndim or not other.ndim:
        return input * other
    if input._array.shape[-1] != other._array.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([input.ndim - 1], [other.ndim - 1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the outer product of two vectors: (n,), (m,) -> (n, m)."""
    if input.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {input.ndim}-D")
    if vec2.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument vec2, but got {vec2.ndim}-D")
    return input.unsqueeze(1) * vec2.unsqueeze(0)


ger = outer


def factors_by_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A decorator that also allows the deprecated call `addmm(beta, input, alpha, mat1, mat2)`."""

    @functools.wraps(function)
    def called(*args: Any, **named: Any) -> Tensor:
        if len(args) > 3:
            factors = [x for x in args if not isinstance(x, Variable)]
            args = tuple(x for x in args if isinstance(x, Variable))
            if len(args) != 3 or len(factors) > 2 or named:
                raise TypeError(f"{function.__name__}() received an invalid combination of arguments")
            named = dict(zip(("beta", "alpha"), factors, strict=False))
        return function(*args, **named)

    return called


@factors_by_place
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha mat1 @ mat2."""
    return _sum(input, beta, mm, mat1, mat2, alpha)


@factors_by_place
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha mat @ vec."""
    return _sum(input, beta, mv, mat, vec, alpha)


@factors_by_place
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return beta input + alpha batch1 @ batch2, for each matrix of the batch."""
    return _sum(input, beta, bmm, batch1, batch2, alpha)


@factors_by_place
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return beta input + alpha Σᵢ batch1[i] @ batch2[i]."""
    return _sum(input, beta, lambda a, b: bmm(a, b).sum(0, dtype=a.dtype), batch1, batch2, alpha)


def _sum(input: Tensor, beta: Any, times: Callable[..., Tensor], a: Tensor, b: Tensor, alpha: Any) -> Tensor:
    """beta input + alpha times(a, b) in the product's shape; with beta = 0, input is ignored, and its NaNs too. Factors
    of integer tensors are truncated.
    """
    dtype = a._array.dtype
    if input._array.dtype != dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {scalar_name(input._array.dtype)} and "
            f"{scalar_name(dtype)}"
        )
    beta, alpha = (x.item() if is_tensor(x) else x for x in (beta, alpha))
    if dtype.kind in "iu":
        beta, alpha = int(beta), int(alpha)

    def computed(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        product = times(a, b)
        x = x if x._array.shape == product._array.shape else x.expand(*product._array.shape)
        scaled = product if alpha == 1 else product * alpha
        return scaled if beta == 0 else (x if beta == 1 else x * beta) + scaled

    return rounded_once(computed, input, a, b)


@factors_by_place
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Return beta input + alpha vec1 vec2ᵀ, in the promoted dtype."""
    for i, vec in enumerate((vec1, vec2), 1):
        if vec.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument vec{i}, but got {vec.ndim}-D")
    floats = any(x.is_floating_point() or x.is_complex() for x in (input, vec1, vec2))
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if isinstance(factor, float) and not floats:
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")

    def computed(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        product = outer(a, b)
        if product._array.dtype == bool == x._array.dtype:
            return (x & bool(beta)) | (product & bool(alpha))
        return product * alpha if beta == 0 else x * beta + product * alpha

    return rounded_once(computed, input, vec1, vec2)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """Return the product of matrices, multiplied from left to right."""
    product = matrices[0]
    for matrix in matrices[1:]:
        product = mm(product, matrix)
    return product


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return the cross product along a dimension of size 3, the first such by default."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if dim is None:
        dim = next((i for i, n in enumerate(input._array.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    if input.size(dim) != 3 or other.size(dim) != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.size(dim)} and {other.size(dim)}"
        )
    return input.roll(-1, dim) * other.roll(1, dim) - input.roll(1, dim) * other.roll(-1, dim)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Return the Kronecker product: each element of input times all of other, in blocks."""
    n = max(input.ndim, other.ndim)
    a = input.reshape(*(1,) * (n - input.ndim), *input.shape)
    b = other.reshape(*(1,) * (n - other.ndim), *other.shape)
    spread_a = a.reshape(*[m for size in a.shape for m in (size, 1)])
    spread_b = b.reshape(*[m for size in b.shape for m in (1, size)])
    return (spread_a * spread_b).reshape(*[p * q for p, q in zip(a.shape, b.shape, strict=True)])


_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """Return the p-norm distance between each pair of rows: (..., n, k), (..., m, k) -> (..., n, m).

    `compute_mode` has no effect: it selects between PyTorch's own implementations.
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {scalar_name(x._array.dtype)}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.size(-1) != x2.size(-1):
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.size(-1)} X2: {x2.size(-1)}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode is not None and compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    a, b = same_type(x1, x2)
    return apply_two(Cdist, a, b, float(p))


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """(n, k) -> (n (n - 1) / 2,): the distances, by the p-norm, between all pairs of rows, as the upper triangle of
    `cdist(input, input)` has them.
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    return apply_one(Pdist, input, float(p))


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum products over the last `dims` dimensions of a and the first of b, or over the two lists of dimensions."""
    if is_tensor(dims):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        first, second = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        first, second = (_axes(ds, x.ndim) for ds, x in zip(dims, (a, b), strict=True))
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    for i, j in zip(first, second, strict=True):
        n, m = a._array.shape[i], b._array.shape[j]
        if n != m and 1 in (n, m):  # sum over the larger one first
            a, b = (a.sum(i, keepdim=True), b) if m == 1 else (a, b.sum(j, keepdim=True))
        elif n != m:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {n} in dim {i} and second has size {m} in "
                f"dim {j}"
            )
    left = [i for i in range(a.ndim) if i not in first]
    right = [i for i in range(b.ndim) if i not in second]
    n = math.prod(a._array.shape[i] for i in first)
    x = a.permute(*left, *first).reshape(math.prod(a._array.shape[i] for i in left), n)
    y = b.permute(*second, *right).reshape(n, math.prod(b._array.shape[i] for i in right))
    return (x @ y).reshape([a._array.shape[i] for i in left] + [b._array.shape[i] for i in right])


def _axes(dims: Any, ndim: int) -> list[int]:
    return list(axes_of(tuple(dims), ndim)) if isinstance(dims, (tuple, list)) and dims else (
        [] if isinstance(dims, (tuple, list)) else [axis_of(dims, ndim)]
    )  # fmt: skip
