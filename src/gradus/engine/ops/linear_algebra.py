"""Linear algebra on (batches of) square matrices: inverse, determinant, solving, Cholesky, exponential; and the
pseudoinverse.

Every array is (..., m, n); T transposes the last two axes. The rules are those of Giles (2008), "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import sum_to


def T(x: Array) -> Array:
    return x.swapaxes(-1, -2)


class Inverse(Function):
    """Y = A⁻¹.    dA = -Yᵀ dY Yᵀ"""

    def forward(self, a: Array) -> Array:
        self.y = np.linalg.inv(a)
        return self.y

    def backward(self, dy: Array) -> Array:
        return -T(self.y) @ dy @ T(self.y)


class Det(Function):
    """y = det A.    dA = dy · cofactors of A,  which are y A⁻ᵀ; for a singular A = U S Vᵀ:
    det(U) det(V) U diag(Πⱼ≠ᵢ sⱼ) Vᵀ
    """

    def forward(self, a: Array) -> Array:
        self.a = a
        return np.asarray(np.linalg.det(a))

    def backward(self, dy: Array) -> Array:
        u, s, vt = np.linalg.svd(self.a)
        n = s.shape[-1]
        others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1).astype(s.dtype)
        sign = np.linalg.det(u) * np.linalg.det(vt)
        return (u * (others * (dy * sign)[..., None])[..., None, :]) @ vt


class SlogDet(Function):
    """s, y = sign of det A, log |det A|.    dA = dy A⁻ᵀ"""

    def forward(self, a: Array) -> tuple[Array, Array]:
        self.a = a
        sign, log = np.linalg.slogdet(a)
        return np.asarray(sign), np.asarray(log)

    def backward(self, dy: Any) -> Any:
        return None if dy[1] is None else dy[1][..., None, None] * T(np.linalg.inv(self.a))


class Solve(Function):
    """A X = B.    dB = A⁻ᵀ dX,  dA = -dB Xᵀ"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.shapes = a, (a.shape, b.shape)
        self.x = np.linalg.solve(a, b)
        return self.x

    def backward(self, dx: Array) -> Any:
        db = np.linalg.solve(T(self.a), dx)
        return sum_to(-db @ T(self.x), self.shapes[0]), sum_to(db, self.shapes[1])


class SolveTriangular(Function):
    """A X = B, A the upper (or lower) triangle, with ones on the diagonal if unitriangular.
    dB = A⁻ᵀ dX,  dA = the triangle of -dB Xᵀ
    """

    def forward(self, a: Array, b: Array, upper: bool, unitriangular: bool) -> Array:
        self.upper, self.unitriangular, self.shapes = upper, unitriangular, (a.shape, b.shape)
        self.a = a
        self.triangle = self._part(a)
        if unitriangular:
            self.triangle = self.triangle + np.eye(a.shape[-1], dtype=a.dtype)
        self.x = np.linalg.solve(self.triangle, b)
        return self.x

    def backward(self, dx: Array) -> Any:
        db = np.linalg.solve(T(self.triangle), dx)
        return sum_to(self._part(-db @ T(self.x)), self.shapes[0]), sum_to(db, self.shapes[1])

    def _part(self, x: Array) -> Array:
        k = 1 if self.unitriangular else 0
        return np.triu(x, k) if self.upper else np.tril(x, -k)


class Cholesky(Function):
    """A = L Lᵀ.    dA = (M + Mᵀ) / 2,  M = L⁻ᵀ Φ(Lᵀ dL) L⁻¹,  Φ: the lower triangle, its diagonal halved (Murray,
    2016)
    """

    def forward(self, a: Array) -> Array:
        self.low = np.linalg.cholesky(a)
        return self.low

    def backward(self, dl: Array) -> Array:
        low = self.low
        phi = np.tril(T(low) @ dl)
        diagonal = np.arange(low.shape[-1])
        phi[..., diagonal, diagonal] /= 2
        middle = np.linalg.solve(T(low), T(np.linalg.solve(T(low), T(phi))))
        return (middle + T(middle)) / 2


class CholeskyInverse(Function):
    """Y = (L Lᵀ)⁻¹.    dL = -Y (dY + dYᵀ) Y L"""

    def forward(self, low: Array) -> Array:
        self.low = low
        half = np.linalg.solve(np.tril(low), np.eye(low.shape[-1], dtype=low.dtype))
        self.y = T(half) @ half
        return self.y

    def backward(self, dy: Array) -> Array:
        return -self.y @ (dy + T(dy)) @ self.y @ self.low


class CholeskySolve(Function):
    """L Lᵀ X = B.    dB = (L Lᵀ)⁻¹ dX,  dL = -(dB Xᵀ + X dBᵀ) L"""

    def forward(self, b: Array, low: Array) -> Array:
        self.low, self.shapes = low, (b.shape, low.shape)
        self.x = self._solve(b)
        return self.x

    def backward(self, dx: Array) -> Any:
        db = self._solve(dx)
        product = db @ T(self.x)
        return sum_to(db, self.shapes[0]), sum_to(-(product + T(product)) @ self.low, self.shapes[1])

    def _solve(self, b: Array) -> Array:
        low = np.tril(self.low)
        return np.linalg.solve(T(low), np.linalg.solve(low, b))


class NoReflections(Function):
    """Q = I, the product of no reflections.    dA, dτ: none"""

    name_ = "LinalgHouseholderProductBackward0"

    def forward(self, a: Array, tau: Array) -> Array:
        q = np.zeros_like(a)
        q[..., range(a.shape[-1]), range(a.shape[-1])] = 1
        return q

    def backward(self, dy: Array) -> tuple[None, None]:
        return None, None


class MatrixExp(Function):
    """Y = exp(A).    dA: the upper right block of exp([[Aᵀ, dY], [0, Aᵀ]])"""

    def forward(self, a: Array) -> Array:
        self.a = a
        return matrix_exp(a)

    def backward(self, dy: Array) -> Array:
        n = dy.shape[-1]
        whole = np.zeros((*dy.shape[:-2], 2 * n, 2 * n), dy.dtype)
        whole[..., :n, :n] = whole[..., n:, n:] = T(self.a)
        whole[..., :n, n:] = dy
        return matrix_exp(whole)[..., :n, n:].copy()


def matrix_exp(a: Array) -> Array:
    """Σ Aᵏ / k!, of A / 2ˢ with norm below 1/2, then squared s times."""
    norm = float(np.abs(a).sum(-1).max(initial=0))
    squarings = max(0, math.frexp(norm)[1] + 1) if math.isfinite(norm) else 0
    small = a / 2**squarings
    result = np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy()
    term = result
    for k in range(1, 15):  # (1/2)¹⁵ / 15! is below the last digit of a double
        term = term @ small / k
        result += term
    for _ in range(squarings):
        result = result @ result
    return result


class PseudoInverse(Function):
    """Y = A⁺ (n, m), with singular values of at most `least` taken as 0.
    dA = -Yᵀ dY Yᵀ + (I - A Y) dYᵀ Y Yᵀ + Yᵀ Y dYᵀ (I - Y A)  (Golub and Pereyra, 1973)
    """

    def forward(self, a: Array, absolute: Array, relative: Array, symmetric: bool) -> Array:
        self.a = a
        mirrored = np.tril(a) + T(np.tril(a, -1)) if symmetric else a
        u, s, vt = np.linalg.svd(mirrored, full_matrices=False)
        top = s.max(-1, initial=0)
        kept = s > np.maximum(absolute, relative * top)[..., None]
        inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)
        self.y = T(vt) @ (inverse[..., :, None] * T(u))
        return self.y

    def backward(self, dy: Array) -> Any:
        a, y = self.a, self.y
        g = T(dy)
        da = -T(y) @ dy @ T(y)
        da += (g - a @ (y @ g)) @ y @ T(y)
        da += T(y) @ y @ (g - (g @ y) @ a)
        return da, None, None
