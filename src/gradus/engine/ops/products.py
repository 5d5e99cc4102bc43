"""Matrix products: every combination of 1-D, 2-D and batched operands, and the linear layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads
from gradus.engine.kernels.products import LEAST, column_sums, dot, product, product_transposed
from gradus.engine.ops.broadcast import sum_to


def batched(a: Array, b: Array, bias: Array | None = None) -> Array:
    """a @ b + bias, of any number of axes; a batch of rows times one matrix is done as a single product."""
    if a.ndim == b.ndim == 2:
        return product(a, b, bias)
    if b.ndim == 2 and a.ndim >= 2:
        return product(as_rows(a), b, bias).reshape(*a.shape[:-1], b.shape[-1])
    threads.limit_blas()
    return np.asarray(a @ b if bias is None else a @ b + bias)


def as_rows(a: Array) -> Array:
    """(..., n) as (all the others, n), also where one of the sizes is 0."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])


_BOOL = np.dtype(bool)


class Mm(Function):
    """y = a @ b, both matrices.    da = dy @ bᵀ,  db = aᵀ @ dy"""

    keeps = INPUTS
    a: Any  # kept where it is needed
    b: Any

    def forward(self, a: Array, b: Array) -> Array:
        kind = a.dtype
        n, k = a.shape
        rows, m = b.shape
        if kind is not b.dtype or kind is _BOOL or k != rows:
            _check(a, b)
        to_a, to_b = self.edges
        self.a = None if to_b is None else a
        self.b = None if to_a is None else b
        if n * k * m >= LEAST:  # as many multiplications as in each of the other two
            self.times = product
            return product(a, b)
        threads.limit_blas()
        self.times = dot
        return dot(a, b)

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        times = self.times
        da = None if to_a is None else product_transposed(dy, self.b)
        return da, None if to_b is None else times(self.a.T, dy)

    def release(self) -> None:
        self.a = self.b = self.saved = None


class MatMul(Function):
    """y = a @ b, where at least one is a vector or a batch of matrices.    da = dy @ bᵀ,  db = aᵀ @ dy"""

    keeps = INPUTS

    def forward(self, a: Array, b: Array) -> Array:
        _check(a, b)
        self.a, self.b, self.ranks = a, b, (a.ndim, b.ndim)
        return batched(a, b)

    def backward(self, dy: Array) -> Any:
        a, b = self.a, self.b
        if a.ndim == 1 and b.ndim == 1:
            return dy * b, dy * a
        if a.ndim == 1:  # a row: (n,) @ (..., n, m)
            da = sum_to((b @ dy[..., None])[..., 0], a.shape) if self.edges[0] is not None else None
            db = sum_to(a[:, None] * dy[..., None, :], b.shape) if self.edges[1] is not None else None
            return da, db
        if b.ndim == 1:  # a column: (..., n, m) @ (m,)
            da = sum_to(dy[..., None] * b, a.shape) if self.edges[0] is not None else None
            db = (a.reshape(dy.size, a.shape[-1]).T @ dy.reshape(-1)) if self.edges[1] is not None else None
            return da, db
        da = sum_to(batched(dy, b.swapaxes(-1, -2)), a.shape) if self.edges[0] is not None else None
        db = None
        if self.edges[1] is not None:
            if b.ndim == 2 and a.ndim > 2:
                db = batched(as_rows(a).T, as_rows(dy))
            else:
                db = sum_to(batched(a.swapaxes(-1, -2), dy), b.shape)
        return da, db

    def name(self) -> str:
        return _NAMES.get(self.ranks, "UnsafeViewBackward0")


_NAMES = {
    (1, 1): "DotBackward0",
    (2, 1): "MvBackward0",
    (1, 2): "SqueezeBackward4",
}


def _check(a: Array, b: Array) -> None:
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D")
    if a.dtype == b.dtype == bool:
        raise NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")
    if a.dtype != b.dtype:
        names = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{names.get(a.dtype.name, a.dtype.name)} != {names.get(b.dtype.name, b.dtype.name)}"
        )
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] == inner:
        try:
            np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        except ValueError:
            raise RuntimeError(
                f"The batch axes of {_by(a)} and {_by(b)} do not broadcast: each pair of sizes must be equal, "
                "or one of them 1"
            ) from None
        return
    if a.ndim == 1 and b.ndim == 1:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src [{b.shape[0]}] to have the same number "
            f"of elements, but got {a.shape[0]} and {b.shape[0]} elements respectively"
        )
    if a.ndim <= 2 and b.ndim == 1:
        raise RuntimeError(f"size mismatch, got input ({a.shape[0]}), mat ({_by(a)}), vec ({b.shape[0]})")
    rows = as_rows(a)
    raise RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({_by(rows)} and {_by(b[(0,) * (b.ndim - 2)] if b.size else b)})"
    )


def _by(a: Array) -> str:
    return "x".join(map(str, a.shape))


class Linear(Function):
    """y = x Wᵀ + b.    dx = dy W,  dW = dyᵀ x,  db = Σ dy"""

    x: Any  # kept where it is needed
    weight: Any

    def forward(self, x: Array, weight: Array, bias: Array | None) -> Array:
        if x.shape[-1] != weight.shape[-1]:
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied ({_by(x.reshape(-1, x.shape[-1]))} and {_by(weight.T)})"
            )
        self.x = x if self.edges[1] is not None else None
        self.weight = weight if self.edges[0] is not None else None
        self.biased, self.rank = bias is not None, x.ndim
        if x.ndim == 2:
            return product_transposed(x, weight, bias)
        return batched(x, weight.T, bias)

    def backward(self, dy: Array) -> Any:
        dx = batched(dy, self.weight) if self.edges[0] is not None else None
        rows = as_rows(dy)
        dw = batched(rows.T, as_rows(self.x)) if self.edges[1] is not None else None
        db = column_sums(rows) if self.edges[2] is not None else None
        return dx, dw, db

    def name(self) -> str:
        if self.rank == 2:
            return "AddmmBackward0" if self.biased else "MmBackward0"
        return "ViewBackward0" if self.biased else "UnsafeViewBackward0"
