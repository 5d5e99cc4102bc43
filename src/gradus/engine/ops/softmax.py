"""Softmax and its logarithm. The loops are in `kernels/softmax.py`."""

from __future__ import annotations

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import softmax


class Softmax(Function):
    """yᵢ = eˣᵢ / Σ eˣⱼ along one axis.    dx = y (dy - Σ y dy)"""

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        self.y = softmax.softmax(x, axis)
        return self.y

    def backward(self, dy: Array) -> Array:
        return softmax.softmax_backward(dy, self.y, self.axis)


class SafeSoftmax(Softmax):
    """`Softmax`, but 0 where all x of a row are -inf: attention that may see nothing.    dx = y (dy - Σ y dy)"""

    name_ = "SafeSoftmaxBackward0"

    def forward(self, x: Array, axis: int) -> Array:
        super().forward(x, axis)
        if x.size and (blind := x.max(axis=axis, keepdims=True) == -np.inf).any():
            self.y[np.broadcast_to(blind, x.shape)] = 0
        return self.y


class LogSoftmax(Function):
    """yᵢ = xᵢ - log Σ eˣⱼ along one axis.    dx = dy - eʸ Σ dy"""

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        self.y = softmax.log_softmax(x, axis)
        return self.y

    def backward(self, dy: Array) -> Array:
        return softmax.log_softmax_backward(dy, self.y, self.axis)
