"""Decompositions of (batches of) matrices: QR, singular values, eigenvalues of symmetric ones, LU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.linear_algebra import T


class Qr(Function):
    """A = Q R, Q with orthonormal columns, R upper triangular.
    dA = (dQ + Q sym(M)) R⁻ᵀ,  M = R dRᵀ - dQᵀ Q,  sym: its lower triangle, mirrored

    A wide A = [X, Y] with R = [U, V] has X = Q U and Y = Q V: dY = Q dV, and dQ gains Y dVᵀ (Roberts and Roberts,
    2020).
    """

    def forward(self, a: Array, mode: str) -> tuple[Array, Array]:
        self.a, self.mode = a, mode
        self.q, self.r = (
            np.asarray(part) for part in np.linalg.qr(a, mode="complete" if mode == "complete" else "reduced")
        )
        return self.q, self.r

    def backward(self, dy: Any) -> Any:
        m, n = self.a.shape[-2:]
        if self.mode == "r":
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
                "Please use mode='reduced' instead."
            )
        if self.mode == "complete" and m > n:
            raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
        q, r = self.q, self.r
        dq = np.zeros_like(q) if dy[0] is None else dy[0]
        dr = np.zeros_like(r) if dy[1] is None else dy[1]
        if m >= n:
            return _qr_back(q, r, dq, dr)
        dv = dr[..., m:]
        dx = _qr_back(q, r[..., :m], dq + self.a[..., m:] @ T(dv), dr[..., :m])
        return np.concatenate([dx, q @ dv], axis=-1)


def _qr_back(q: Array, r: Array, dq: Array, dr: Array) -> Array:
    m = r @ T(dr) - T(dq) @ q
    mirrored = np.tril(m) + T(np.tril(m, -1))
    return T(np.linalg.solve(r, T(dq + q @ mirrored)))


def singular_values(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """U, s and Vᵀ, with the signs that PyTorch's LAPACK gives them.

    The signs are arbitrary and depend on the library's algorithm. PyTorch starts with QR from 1.5 rows per column on,
    NumPy from 11/6. With 11/6 to 20 columns per row, PyTorch makes the matrix bidiagonal at once, while NumPy starts
    with LQ; padding the matrix with rows of zeros makes NumPy do as PyTorch does.
    """
    m, n = a.shape[-2:]
    if max(3 * n // 2, 2) <= m < n * 11 // 6:
        q, r = np.linalg.qr(a, mode="complete" if full else "reduced")
        u, s, vt = np.linalg.svd(r[..., :n, :])
        return np.concatenate([q[..., :n] @ u, q[..., n:]], axis=-1), s, vt
    if m >= 2 and m * 11 // 6 <= n < min(20 * m, 100):  # with more columns, zeros would cost too much time
        width = max(n, 4)
        height = next(k for k in range(m, width) if k * 11 // 6 > width)
        padded = np.zeros((*a.shape[:-2], height, width), a.dtype)
        padded[..., :m, :n] = a
        u, s, vt = np.linalg.svd(padded, full_matrices=full)
        if (s[..., m - 1] > np.finfo(s.dtype).eps * n * s[..., 0]).all():  # else zeros of a and of the padding mix
            outside = [vt[..., height - 1 : m - 1 : -1, :n], vt[..., height:n, :n]] if full else []
            return u[..., :m, :m], s[..., :m], np.concatenate([vt[..., :m, :n], *outside], axis=-2)
    return np.linalg.svd(a, full_matrices=full)


class Svd(Function):
    """A = U diag(s) Vᵀ.
    dA = U ((F ∘ (UᵀdU - dUᵀU)) S + S (F ∘ (VᵀdV - dVᵀV)) + diag(ds)) Vᵀ + (I - UUᵀ) dU S⁻¹ Vᵀ + U S⁻¹ dVᵀ (I - VVᵀ),
    Fᵢⱼ = 1 / (sⱼ² - sᵢ²): infinite where two singular values are equal  (Townsend, 2016)
    """

    def forward(self, a: Array, full: bool) -> tuple[Array, Array, Array]:
        u, s, vt = singular_values(a, full)
        self.u, self.s, self.vt = u, s, vt
        return u, s, vt

    def backward(self, dy: Any) -> Any:
        s, k = self.s, self.s.shape[-1]
        u, vt = self.u[..., :k], self.vt[..., :k, :]
        du, ds, dvt = dy
        middle = np.zeros((*s.shape, k), s.dtype)
        if ds is not None:
            middle[..., np.arange(k), np.arange(k)] = ds
        if du is None and dvt is None:
            return u @ middle @ vt
        columns, rows = s[..., None, :], s[..., :, None]
        gap = (columns - rows) * (columns + rows)
        gap[..., np.arange(k), np.arange(k)] = 1
        outside = np.zeros((*u.shape[:-1], vt.shape[-1]), s.dtype)
        if du is not None:
            du = du[..., :k]
            turn = T(u) @ du
            middle += (turn - T(turn)) / gap * columns
            outside += ((du - u @ turn) / columns) @ vt
        if dvt is not None:
            dv = T(dvt[..., :k, :])
            turn = vt @ dv
            middle += rows * (turn - T(turn)) / gap
            outside += (u / columns) @ (T(dv) - T(turn) @ vt)
        return u @ middle @ vt + outside


class Eigh(Function):
    """A = V diag(w) Vᵀ, A symmetric.    dA = V (diag(dw) + F ∘ (Vᵀ dV)) Vᵀ,  Fᵢⱼ = 1 / (wⱼ - wᵢ)"""

    def forward(self, a: Array, triangle: str) -> tuple[Array, Array]:
        w, v = np.linalg.eigh(a, triangle)  # type: ignore[call-overload]
        self.w, self.v = w, v
        return w, v

    def backward(self, dy: Any) -> Any:
        w, v = self.w, self.v
        dw, dv = dy
        i = np.arange(w.shape[-1])
        if dv is None:
            middle = np.zeros_like(v)
        else:
            gap = w[..., None, :] - w[..., :, None]
            gap[..., i, i] = 1
            middle = T(v) @ dv / gap
        middle[..., i, i] = 0 if dw is None else dw
        return v @ middle @ T(v)


class Eig(Function):
    """A = V diag(w) V⁻¹, w and V complex, the columns of V of length 1.
    dA = V⁻ᴴ (diag(dw) + (Vᴴ dV - Vᴴ V diag(Re Vᴴ dV)) / F) Vᴴ,  Fᵢⱼ = conj(wⱼ - wᵢ),  and of that the real part

    A column of V may be rotated by any angle in the complex plane: a loss that changes with it has no gradient.
    """

    def forward(self, a: Array) -> tuple[Array, Array]:
        kind = np.result_type(a, np.complex64)
        self.w, self.v = (part.astype(kind) for part in np.linalg.eig(a))
        return self.w, self.v

    def backward(self, dy: Any) -> Any:
        w, v = self.w, self.v
        dw, dv = dy
        vh = T(v).conj()
        i = np.arange(w.shape[-1])
        middle = np.zeros_like(v)
        if dv is not None:
            vdv = vh @ dv
            angles = vdv[..., i, i]
            if not np.allclose(angles.imag, 0, rtol=1e-2, atol=1e-2):
                raise RuntimeError(
                    "linalg_eig_backward: The eigenvectors in the complex case are specified up to multiplication by "
                    "e^{i phi}. The specified loss function depends on this quantity, so it is ill-defined."
                )
            gap = (w[..., None, :] - w[..., :, None]).conj()
            gap[..., i, i] = 1
            middle = (vdv - (vh @ v) * angles.real[..., None, :]) / gap
        middle[..., i, i] = 0 if dw is None else dw
        return np.linalg.solve(vh, middle @ vh).real.copy()


class Lu(Function):
    """P A = L U, with partial pivoting; L and U in one matrix, without L's diagonal of ones.
    d(P A) = L⁻ᵀ (the lower part of Lᵀ dL + the upper of dU Uᵀ) U⁻ᵀ,  where A is square

    A tall A has further rows L₂ U: their dL₂ U⁻ᵀ, and dU loses L₂ᵀ times it. A wide one further columns L U₂: L⁻ᵀ dU₂,
    and
    dL loses it times U₂ᵀ.
    """

    def forward(self, a: Array) -> tuple[Array, Array]:
        self.lu, self.pivots = lu_factor(a)
        return self.lu, self.pivots

    def backward(self, dy: Any) -> Any:
        lu, dlu = self.lu, dy[0]
        k = min(lu.shape[-2:])
        low = np.tril(lu[..., :k, :k], -1) + np.eye(k, dtype=lu.dtype)
        up = np.triu(lu[..., :k, :k])
        d_low, d_up = np.tril(dlu[..., :k, :k], -1), np.triu(dlu[..., :k, :k])
        da = np.empty_like(lu)
        if lu.shape[-2] > k:
            da[..., k:, :] = T(np.linalg.solve(up, T(dlu[..., k:, :])))
            d_up = d_up - np.triu(T(lu[..., k:, :]) @ da[..., k:, :])
        if lu.shape[-1] > k:
            da[..., k:] = np.linalg.solve(T(low), dlu[..., k:])
            d_low = d_low - np.tril(da[..., k:] @ T(lu[..., k:]), -1)
        middle = np.tril(T(low) @ d_low, -1) + np.triu(d_up @ T(up))
        da[..., :k, :k] = T(np.linalg.solve(up, T(np.linalg.solve(T(low), middle))))
        back = np.empty_like(da)
        np.put_along_axis(back, permutation(self.pivots, lu.shape[-2])[..., None], da, axis=-2)
        return back


def lu_factor(a: Array) -> tuple[Array, Array]:
    """L and U of P A = L U in one matrix, and the row swaps, counted from 1: LAPACK's getrf."""
    m, n = a.shape[-2:]
    lu = a.reshape(math.prod(a.shape[:-2]), m, n).copy()
    each = np.arange(len(lu))
    pivots = np.empty((len(lu), min(m, n)), np.int32)
    for j in range(min(m, n)):
        chosen = j + np.abs(lu[:, j:, j]).argmax(1)
        pivots[:, j] = chosen + 1
        lu[each, j], lu[each, chosen] = lu[each, chosen], lu[each, j].copy()
        pivot = lu[:, j, j]
        lu[:, j + 1 :, j] /= np.where(pivot == 0, 1, pivot)[:, None]
        lu[:, j + 1 :, j + 1 :] -= lu[:, j + 1 :, j, None] * lu[:, j, None, j + 1 :]
    return lu.reshape(a.shape), pivots.reshape(*a.shape[:-2], min(m, n))


def permutation(pivots: Array, m: int) -> Array:
    """(..., m): which row of A each row of P A is, from the swaps (..., k)."""
    rows = np.broadcast_to(np.arange(m), (*pivots.shape[:-1], m)).copy()
    batch = math.prod(pivots.shape[:-1])
    flat, swaps = rows.reshape(batch, m), pivots.reshape(batch, pivots.shape[-1])
    each = np.arange(len(flat))
    for j in range(swaps.shape[-1]):
        other = swaps[:, j] - 1
        flat[each, j], flat[each, other] = flat[each, other], flat[each, j].copy()
    return rows
