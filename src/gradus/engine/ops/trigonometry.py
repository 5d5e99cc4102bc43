"""Circular and hyperbolic functions and their inverses. Each docstring is the formula and its derivative."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import OUTPUT, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import activations as kernels
from gradus.engine.ops.broadcast import sum_to


class Sin(Function):
    """y = sin x.    dx = cos(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.sin(x)

    def backward(self, dy: Array) -> Array:
        return dy * np.cos(self.x)


class Cos(Function):
    """y = cos x.    dx = -sin(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.cos(x)

    def backward(self, dy: Array) -> Array:
        return dy * -np.sin(self.x)


class Tan(Function):
    """y = tan x.    dx = (1 + y²) dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = np.tan(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * (1 + self.y * self.y)


class Asin(Function):
    """y = arcsin x.    dx = dy / √(1 - x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arcsin(x)

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(1 - self.x * self.x)


class Acos(Function):
    """y = arccos x.    dx = -dy / √(1 - x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arccos(x)

    def backward(self, dy: Array) -> Array:
        return -dy / np.sqrt(1 - self.x * self.x)


class Atan(Function):
    """y = arctan x.    dx = dy / (1 + x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arctan(x)

    def backward(self, dy: Array) -> Array:
        return dy / (1 + self.x * self.x)


class Atan2(Function):
    """y = the angle of the point (b, a).    da = b dy / (a² + b²),  db = -a dy / (a² + b²);  0 at 0"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        return np.arctan2(a, b)

    def backward(self, dy: Array) -> Any:
        squares = self.a * self.a + self.b * self.b
        share = np.where(squares == 0, 0, dy / squares)
        return sum_to(share * self.b, self.a.shape), sum_to(-share * self.a, self.b.shape)


class Hypot(Function):
    """y = √(a² + b²).    da = a/y dy,  db = b/y dy"""

    def forward(self, a: Array, b: Array) -> Array:
        self.a, self.b = a, b
        self.y = np.hypot(a, b)
        return self.y

    def backward(self, dy: Array) -> Any:
        return sum_to(dy * (self.a / self.y), self.a.shape), sum_to(dy * (self.b / self.y), self.b.shape)


class Sinc(Function):
    """y = sin(πx) / πx, 1 at 0.    dx = (cos(πx) - y) / x dy, 0 at 0"""

    def forward(self, x: Array) -> Array:
        self.x = x
        self.y = np.where(x == 0, 1, np.sin(math.pi * x) / (math.pi * x))
        return self.y

    def backward(self, dy: Array) -> Array:
        x = self.x
        return dy * np.where(x == 0, 0, (np.cos(math.pi * x) - self.y) / x)


class Sinh(Function):
    """y = sinh x.    dx = cosh(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.sinh(x)

    def backward(self, dy: Array) -> Array:
        return dy * np.cosh(self.x)


class Cosh(Function):
    """y = cosh x.    dx = sinh(x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.cosh(x)

    def backward(self, dy: Array) -> Array:
        return dy * np.sinh(self.x)


class Tanh(Function):
    """y = tanh x.    dx = (1 - y²) dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y: Any = np.tanh(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return kernels.tanh_backward(dy, self.y)

    def release(self) -> None:
        self.y = self.saved = None


class Asinh(Function):
    """y = arsinh x.    dx = dy / √(x² + 1)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arcsinh(x)

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(self.x * self.x + 1)


class Acosh(Function):
    """y = arcosh x.    dx = dy / √(x² - 1)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arccosh(x)

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(self.x * self.x - 1)


class Atanh(Function):
    """y = artanh x.    dx = dy / (1 - x²)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.arctanh(x)

    def backward(self, dy: Array) -> Array:
        return dy / (1 - self.x * self.x)
