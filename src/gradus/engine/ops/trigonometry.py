"""Circular and hyperbolic functions and their inverses. Each docstring is the formula and its derivative."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import OUTPUT, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import activations as kernels
from gradus.engine.ops.broadcast import sum_to
from gradus.engine.ops.unary import KeepsInput, KeepsOutput


class Sin(KeepsInput):
    """y = sin x.    dx = cos(x) dy"""

    function = np.sin

    def backward(self, dy: Array) -> Array:
        return dy * np.cos(self.x)


class Cos(KeepsInput):
    """y = cos x.    dx = -sin(x) dy"""

    function = np.cos

    def backward(self, dy: Array) -> Array:
        return dy * -np.sin(self.x)


class Tan(KeepsOutput):
    """y = tan x.    dx = (1 + y²) dy"""

    function = np.tan

    def backward(self, dy: Array) -> Array:
        return dy * (1 + self.y * self.y)


class Asin(KeepsInput):
    """y = arcsin x.    dx = dy / √(1 - x²)"""

    function = np.arcsin

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(1 - self.x * self.x)


class Acos(KeepsInput):
    """y = arccos x.    dx = -dy / √(1 - x²)"""

    function = np.arccos

    def backward(self, dy: Array) -> Array:
        return -dy / np.sqrt(1 - self.x * self.x)


class Atan(KeepsInput):
    """y = arctan x.    dx = dy / (1 + x²)"""

    function = np.arctan

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


class Sinh(KeepsInput):
    """y = sinh x.    dx = cosh(x) dy"""

    function = np.sinh

    def backward(self, dy: Array) -> Array:
        return dy * np.cosh(self.x)


class Cosh(KeepsInput):
    """y = cosh x.    dx = sinh(x) dy"""

    function = np.cosh

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


class Asinh(KeepsInput):
    """y = arsinh x.    dx = dy / √(x² + 1)"""

    function = np.arcsinh

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(self.x * self.x + 1)


class Acosh(KeepsInput):
    """y = arcosh x.    dx = dy / √(x² - 1)"""

    function = np.arccosh

    def backward(self, dy: Array) -> Array:
        return dy / np.sqrt(self.x * self.x - 1)


class Atanh(KeepsInput):
    """y = artanh x.    dx = dy / (1 - x²)"""

    function = np.arctanh

    def backward(self, dy: Array) -> Array:
        return dy / (1 - self.x * self.x)
