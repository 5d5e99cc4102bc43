"""Sums, products, quotients, powers. Each docstring is the formula and its derivative; operands broadcast.

An operand is an array, or a Python number, which has no gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, NOTHING, OUTPUT, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import activations as kernels
from gradus.engine.kernels import addition
from gradus.engine.ops.broadcast import Operand, shape_of, sum_to
from gradus.engine.ops.unary import KeepsInput

_ndarray = np.ndarray


class Add(Function):
    """y = a + αb.    da = dy,  db = α dy"""

    ufunc = np.add
    keeps = NOTHING
    alpha: float = 1
    a: tuple[int, ...] | None = None  # the shape of what was repeated
    b: tuple[int, ...] | None = None

    def forward(self, a: Operand, b: Operand, alpha: float = 1) -> Array:
        if alpha != 1:
            self.alpha = alpha
            y = a + alpha * b
        elif type(b) is _ndarray and b.size >= addition.LEAST and type(a) is _ndarray:
            y = addition.add(a, b)
        else:
            y = a + b
        if type(a) is type(b) is _ndarray:  # a number needs no gradient, and repeats nothing
            shape = y.shape
            if a.shape != shape:
                self.a = a.shape
            if b.shape != shape:
                self.b = b.shape
        return y

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else dy if self.a is None else sum_to(dy, self.a)
        if to_b is None:
            return da, None
        db = dy if self.alpha == 1 else dy * self.alpha
        return da, db if self.b is None else sum_to(db, self.b)


class Sub(Function):
    """y = a - αb.    da = dy,  db = -α dy"""

    ufunc = np.subtract
    keeps = NOTHING
    alpha: float = 1

    def forward(self, a: Operand, b: Operand, alpha: float = 1) -> Array:
        to_a, to_b = self.edges
        if to_a is not None:
            self.a = a.shape
        if to_b is not None:
            self.b = b.shape
        if alpha != 1:
            self.alpha = alpha
            return a - alpha * b
        return a - b

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else sum_to(dy, self.a)
        return da, None if to_b is None else -sum_to(dy if self.alpha == 1 else dy * self.alpha, self.b)


class RSub(Function):
    """y = a - αb, called by b.    da = dy,  db = -α dy"""

    name_ = "RsubBackward1"
    keeps = NOTHING

    def forward(self, a: Operand, b: Operand, alpha: float = 1) -> Array:
        self.a, self.b, self.alpha = shape_of(a), shape_of(b), alpha
        return a - b if alpha == 1 else a - alpha * b

    def backward(self, dy: Array) -> Any:
        da = sum_to(dy, self.a) if self.edges[0] is not None else None
        db = sum_to(-dy if self.alpha == 1 else dy * -self.alpha, self.b) if self.edges[1] is not None else None
        return da, db


class Mul(Function):
    """y = ab.    da = b dy,  db = a dy"""

    ufunc = np.multiply
    keeps = INPUTS

    def forward(self, a: Operand, b: Operand) -> Array:
        to_a, to_b = self.edges
        if to_a is not None:
            self.a_shape, self.b = a.shape, b
        if to_b is not None:
            self.b_shape, self.a = b.shape, a
        return a * b

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else sum_to(dy * self.b, self.a_shape)
        return da, None if to_b is None else sum_to(dy * self.a, self.b_shape)


class Div(Function):
    """y = a / b.    da = dy / b,  db = -dy a / b²"""

    ufunc = np.true_divide
    keeps = INPUTS

    def forward(self, a: Operand, b: Operand) -> Array:
        to_a, to_b = self.edges
        self.b = b
        if to_a is not None:
            self.a_shape = a.shape
        if to_b is not None:
            self.b_shape, self.a = b.shape, a
        return a / b

    def backward(self, dy: Array) -> Any:
        to_a, to_b = self.edges
        da = None if to_a is None else sum_to(dy / self.b, self.a_shape)
        return da, None if to_b is None else -sum_to(kernels.divisor_backward(dy, self.a, self.b), self.b_shape)


class Lerp(Function):
    """y = a + w (b - a), if |w| < ½, else b - (1 - w)(b - a), for a number w.    da = (1 - w) dy,  db = w dy"""

    keeps = NOTHING

    def forward(self, a: Array, b: Array, w: float) -> Array:
        self.a_shape, self.b_shape, self.w = a.shape, b.shape, w
        return a + w * (b - a) if abs(w) < 0.5 else b - (1 - w) * (b - a)

    def backward(self, dy: Array) -> Any:
        return sum_to((1 - self.w) * dy, self.a_shape), sum_to(self.w * dy, self.b_shape), None


class LerpByTensor(Function):
    """As `Lerp`, w an array.    da = (1 - w) dy,  db = w dy,  dw = (b - a) dy"""

    name_ = "LerpBackward1"
    keeps = INPUTS

    def forward(self, a: Array, b: Array, w: Array) -> Array:
        to_a, to_b, to_w = self.edges
        self.a_shape, self.b_shape = a.shape, b.shape
        difference = b - a
        if to_a is not None or to_b is not None:
            self.w = w
        if to_w is not None:
            self.w_shape, self.difference = w.shape, difference
        return np.where(np.abs(w) < 0.5, a + w * difference, b - (1 - w) * difference)

    def backward(self, dy: Array) -> Any:
        to_a, to_b, to_w = self.edges
        da = None if to_a is None else sum_to((1 - self.w) * dy, self.a_shape)
        db = None if to_b is None else sum_to(self.w * dy, self.b_shape)
        return da, db, None if to_w is None else sum_to(self.difference * dy, self.w_shape)


class Pow(Function):
    """y = aⁿ.    da = n aⁿ⁻¹ dy,  dn = y log(a) dy  (0 where a = 0 and n ≥ 0)"""

    def forward(self, a: Operand, n: Operand) -> Array:
        self.a, self.n = a, n
        self.of_tensor, self.by_tensor = isinstance(a, np.ndarray), isinstance(n, np.ndarray)
        y = _power(a, n)
        self.y = y if self.edges[1] is not None else None
        return y

    def backward(self, dy: Array) -> Any:
        a, n = self.a, self.n
        da = dn = None
        if self.edges[0] is not None:
            if isinstance(n, np.ndarray):
                da = sum_to(np.where(n == 0, 0, dy * (n * _power(a, n - 1))), shape_of(a))
            else:
                da = np.zeros_like(dy) if n == 0 else dy * (n * (a if n == 2 else _power(a, n - 1)))
        if self.edges[1] is not None:
            zero = (np.asarray(a) == 0) & (n >= 0)
            log = np.log(np.asarray(a, dtype=dy.dtype))
            dn = sum_to(np.where(zero, 0, dy * self.y * log), shape_of(n))
        return da, dn

    def name(self) -> str:
        return "PowBackward0" if not self.by_tensor else "PowBackward1" if self.of_tensor else "PowBackward2"


def _power(a: Operand, n: Operand) -> Array:
    if not isinstance(n, np.ndarray):
        if n == 2:
            return a * a
        if n == 3:
            return a * a * a
        if n == 1:
            return +a
        if n == -1:
            return 1 / a
        if n == 0.5:
            return np.sqrt(a)
        if n == -0.5:
            return 1 / np.sqrt(a)
    try:
        return np.power(a, n)
    except (
        ValueError
    ):  # NumPy raises an error for integers to negative powers; PyTorch returns 0, except for bases 1 and -1
        if np.result_type(a, n).kind != "i":
            raise
        up = np.power(a, np.abs(n))
        return np.asarray(np.where(np.less(n, 0), np.where(np.abs(up) == 1, up, 0), up))


class Neg(Function):
    """y = -x.    dx = -dy"""

    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return -x

    def backward(self, dy: Array) -> Array:
        return -dy


class Abs(KeepsInput):
    """y = |x|.    dx = sign(x) dy"""

    function = np.abs

    def backward(self, dy: Array) -> Array:
        return dy * sign(self.x)


def sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN; a bool is its own."""
    if x.dtype == bool:
        return x.copy()
    y = np.sign(x)
    return np.asarray(y if x.dtype.kind in "iu" else np.where(x == x, y, x.dtype.type(0)))


class Reciprocal(Function):
    """y = 1/x.    dx = -y² dy"""

    keeps = OUTPUT

    def forward(self, x: Array) -> Array:
        self.y = 1 / x
        return self.y

    def backward(self, dy: Array) -> Array:
        return -dy * self.y * self.y


class Copysign(Function):
    """y = |a| with the sign of b.    da = y/a dy, 0 where a = 0;  db = 0"""

    def forward(self, a: Operand, b: Operand) -> Array:
        self.a, self.b = shape_of(a), shape_of(b)
        y = np.asarray(np.copysign(a, b))
        self.ratio = np.where(np.equal(a, 0), 0, y / a)
        return y

    def backward(self, dy: Array) -> Any:
        return sum_to(dy * self.ratio, self.a), np.zeros(self.b, dy.dtype)
