"""Complex numbers: their parts, building them from parts, views as pairs, and operations special to them.

The gradient of a real L by z = a + bi is ∂L/∂a + i ∂L/∂b, as PyTorch has it: the direction in which L grows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, NOTHING, OUTPUT, Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import sum_to


class Real(Function):
    """y = Re z, a view.    dz = dy"""

    view = True
    keeps = NOTHING

    def forward(self, z: Array) -> Array:
        self.kind = z.dtype
        return np.asarray(z.real)

    def backward(self, dy: Array) -> Array:
        return dy.astype(self.kind)


class Imag(Function):
    """y = Im z, a view.    dz = i dy"""

    view = True
    keeps = NOTHING

    def forward(self, z: Array) -> Array:
        self.kind = z.dtype
        return np.asarray(z.imag)

    def backward(self, dy: Array) -> Array:
        return np.asarray(dy.astype(self.kind) * self.kind.type(1j))


class ViewAsReal(Function):
    """z (...) as pairs (..., 2) on its memory: y[..., 0] = Re z, y[..., 1] = Im z.    dz = dy[..., 0] + i dy[..., 1]"""

    view = True
    keeps = NOTHING

    def forward(self, z: Array) -> Array:
        return as_pairs(z)

    def backward(self, dy: Array) -> Array:
        return as_complex(np.ascontiguousarray(dy))


class ViewAsComplex(Function):
    """Pairs (..., 2) as z (...) on their memory: z = x[..., 0] + i x[..., 1].    dx = (Re dz, Im dz)"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return as_complex(x)

    def backward(self, dz: Array) -> Array:
        return as_pairs(dz)


def as_pairs(z: Array) -> Array:
    """(...) complex as (..., 2), on the same memory."""
    return z[..., None].view(z.real.dtype)


def as_complex(x: Array) -> Array:
    """(..., 2) as (...) complex, on the same memory, if the pairs are contiguous."""
    z = x.view(np.result_type(x, np.complex64))
    return z.reshape(z.shape[:-1])


class Complex(Function):
    """z = a + bi.    da = Re dz,  db = Im dz"""

    keeps = NOTHING

    def forward(self, a: Array, b: Array) -> Array:
        self.shapes = a.shape, b.shape
        z = np.empty(np.broadcast_shapes(*self.shapes), np.result_type(a, np.complex64))
        z.real, z.imag = a, b
        return z

    def backward(self, dz: Array) -> Any:
        a, b = self.shapes
        return sum_to(dz.real.copy(), a), sum_to(dz.imag.copy(), b)


class Polar(Function):
    """z = r e^(iθ).    dr = Re(dz e^(-iθ)),  dθ = Im(dz conj(z))"""

    def forward(self, r: Array, angle: Array) -> Array:
        self.shapes = r.shape, angle.shape
        self.z = np.empty(np.broadcast_shapes(*self.shapes), np.result_type(r, np.complex64))
        self.cos, self.sin = np.cos(angle), np.sin(angle)
        self.z.real, self.z.imag = r * self.cos, r * self.sin
        return self.z

    def backward(self, dz: Array) -> Any:
        dr = dz.real * self.cos + dz.imag * self.sin
        return sum_to(dr, self.shapes[0]), sum_to((dz * np.conj(self.z)).imag.copy(), self.shapes[1])


class Conj(Function):
    """y = the conjugate of z.    dz = the conjugate of dy"""

    keeps = NOTHING

    def forward(self, z: Array) -> Array:
        return np.asarray(np.conj(z))

    def backward(self, dy: Array) -> Array:
        return np.asarray(np.conj(dy))


class Abs(Function):
    """y = |z|.    dz = dy z / |z|, 0 where z is 0"""

    def forward(self, z: Array) -> Array:
        self.z = z
        return np.abs(z)

    def backward(self, dy: Array) -> Array:
        return np.asarray(dy * direction(self.z))


class Angle(Function):
    """y = the angle of z.    dz = dy i z / |z|², 0 where z is 0"""

    keeps = INPUTS

    def forward(self, z: Array) -> Array:
        self.z = z
        return np.asarray(np.angle(z).astype(z.real.dtype, copy=False))

    def backward(self, dy: Array) -> Array:
        z = self.z
        size = z.real * z.real + z.imag * z.imag
        return np.asarray(dy * np.where(z == 0, 0, z * z.dtype.type(1j) / np.where(z == 0, 1, size)))


class AngleOfReal(Function):
    """y = 0, or π where x is negative.    dx = 0"""

    name_ = "AngleBackward0"
    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return np.where(np.isnan(x), x, np.where(x < 0, np.pi, 0)).astype(x.dtype, copy=False)

    def backward(self, dy: Array) -> Array:
        return np.zeros_like(dy)


class Sgn(Function):
    """y = z / |z|, 0 where z is 0.    dz = (dy - y Re(dy conj(y))) / |z|, 0 where z is 0"""

    keeps = INPUTS | OUTPUT

    def forward(self, z: Array) -> Array:
        self.z, self.y = z, direction(z)
        return self.y

    def backward(self, dy: Array) -> Array:
        size = np.abs(self.z)
        across = dy - self.y * (dy * np.conj(self.y)).real
        return np.asarray(np.where(size == 0, 0, across / np.where(size == 0, 1, size)))


def direction(z: Array) -> Array:
    """z / |z|, 0 where z is 0."""
    size = np.abs(z)
    return np.asarray(np.where(size == 0, 0, z / np.where(size == 0, 1, size)))
