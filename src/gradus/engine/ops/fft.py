"""The discrete Fourier transform."""

from __future__ import annotations

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array

ADJOINT = {"backward": "forward", "forward": "backward", "ortho": "ortho"}  # the scale that the other way then needs


class Fft(Function):
    """Y_k = Σ x_j e^(-2πi jk/n), or with inverse the same with +, along some axes; scaled as `norm` says.
    dx = the transform the other way of dY, with the other scale
    """

    def forward(self, x: Array, axes: tuple[int, ...], norm: str, inverse: bool) -> Array:
        self.axes, self.norm, self.inverse = axes, norm, inverse
        return transformed(x, axes, norm, inverse)

    def backward(self, dy: Array) -> Array:
        return transformed(dy, self.axes, ADJOINT[self.norm], not self.inverse)


def transformed(x: Array, axes: tuple[int, ...], norm: str, inverse: bool) -> Array:
    y = (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)  # type: ignore[arg-type]
    return y.astype(x.dtype, copy=False)
