"""Windows of an image as columns, and columns added up into an image."""

from __future__ import annotations

import math

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.convolution import Sizes, Windows


class Im2Col(Function):
    """y[n, (c, i), t] = x[n, c, stride t + dilation i - padding].    dx = dy added up where it came from"""

    def forward(self, x: Array, windows: Windows) -> Array:
        self.windows = windows
        padded = windows.pad(x)
        self.shape, self.places = padded.shape, windows.places(x.shape[2:])
        return _unfolded(padded, windows, self.places)

    def backward(self, dy: Array) -> Array:
        return _folded(dy, self.windows, self.shape, self.places)


class Col2Im(Function):
    """y = x (N, C·K, P) added up where `Im2Col` takes it from.    dx = dy as `Im2Col` arranges it"""

    def forward(self, x: Array, windows: Windows, sizes: Sizes, places: Sizes) -> Array:
        self.windows, self.places = windows, places
        padded = [n + sum(ends) for n, ends in zip(sizes, windows.padding, strict=True)]
        channels = x.shape[1] // math.prod(windows.kernel)
        return _folded(x, windows, (len(x), channels, *padded), places)

    def backward(self, dy: Array) -> Array:
        return _unfolded(self.windows.pad(dy), self.windows, self.places)


def _unfolded(padded: Array, windows: Windows, places: Sizes) -> Array:
    columns = windows.gather(padded, places)
    return np.ascontiguousarray(columns.reshape(len(columns), len(padded), math.prod(places)).swapaxes(0, 1))


def _folded(columns: Array, windows: Windows, shape: Sizes, places: Sizes) -> Array:
    padded = np.zeros(shape, columns.dtype)
    rows = columns.swapaxes(0, 1).reshape(columns.shape[1], len(columns) * columns.shape[2])
    windows.scatter(rows, padded, places)
    return windows.unpad(padded)
