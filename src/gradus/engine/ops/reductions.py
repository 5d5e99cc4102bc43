"""Reductions: sums, means, variances, extremes; and cumulative sums and products.

`axis` is a tuple of axes (all of them for a reduction to one number); `keepdim` leaves them in place with size 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import INPUTS, NOTHING, Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import add_up, broadcast_to, sum_leading

Axes = tuple[int, ...]


def _back(dy: Array, axis: Axes, keepdim: bool) -> Array:
    """Put the reduced axes back with size 1, so that dy broadcasts against the input."""
    if keepdim:
        return dy
    shape = list(dy.shape)
    for i in sorted(axis):
        shape.insert(i, 1)
    return dy.reshape(shape)


def count(shape: tuple[int, ...], axis: Axes) -> int:
    """How many numbers are reduced to one."""
    n = 1
    for i in axis:
        n *= shape[i]
    return n


def _sum(x: Array, axis: Axes, keepdim: bool) -> Any:
    n = len(axis)
    if 0 < n < x.ndim and max(axis) == n - 1:  # the first n of them
        total = sum_leading(x, n)
        return total.reshape((1,) * n + total.shape) if keepdim else total
    return add_up(x, axis, keepdims=keepdim)


def _mean(x: Array, axis: Axes, keepdim: bool) -> Any:
    """x.mean, without the detours that it takes for numbers other than float32 and float64."""
    if x.itemsize == 2:
        return x.mean(axis=axis, keepdims=keepdim)
    return _sum(x, axis, keepdim) / count(x.shape, axis)


class Sum(Function):
    """y = Σ x.    dx = dy, for every x that was summed"""

    keeps = NOTHING

    def forward(self, x: Array, over: tuple[Axes, bool]) -> Array:
        self.shape, (self.axis, self.keepdim) = x.shape, over
        return _sum(x, *over)

    def backward(self, dy: Array) -> Array:
        return broadcast_to(_back(dy, self.axis, self.keepdim), self.shape)

    def name(self) -> str:
        return "SumBackward0" if len(self.axis) == len(self.shape) and not self.keepdim else "SumBackward1"


class Mean(Function):
    """y = Σ x / n.    dx = dy / n"""

    keeps = NOTHING

    def forward(self, x: Array, over: tuple[Axes, bool]) -> Array:
        self.shape, (self.axis, self.keepdim) = x.shape, over
        return _mean(x, *over)

    def backward(self, dy: Array) -> Array:
        dy = _back(dy, self.axis, self.keepdim) / count(self.shape, self.axis)
        return broadcast_to(dy, self.shape)

    def name(self) -> str:
        return "MeanBackward0" if len(self.axis) == len(self.shape) and not self.keepdim else "MeanBackward1"


class Var(Function):
    """y = Σ (x - mean)² / freedom, which is n - correction.    dx = 2 (x - mean) / freedom dy"""

    keeps = INPUTS

    def forward(self, x: Array, over: tuple[Axes, bool, float]) -> Array:
        self.axis, self.keepdim, self.freedom = axis, keepdim, freedom = over
        self.x = x  # only watched: like PyTorch, refuse if it was changed
        self.d = x - _mean(x, axis, True)
        return _sum(self.d * self.d, axis, keepdim) / freedom

    def backward(self, dy: Array) -> Array:
        return self.d * (_back(dy, self.axis, self.keepdim) * np.divide(2, self.freedom, dtype=dy.dtype))


class Std(Function):
    """y = √(Σ (x - mean)² / freedom).    dx = (x - mean) / (y freedom) dy,  0 where y = 0"""

    def forward(self, x: Array, over: tuple[Axes, bool, float]) -> Array:
        self.axis, self.keepdim, self.freedom = axis, keepdim, freedom = over
        self.x = x  # only watched: like PyTorch, refuse if it was changed
        self.d = x - _mean(x, axis, True)
        self.y = np.sqrt(_sum(self.d * self.d, axis, keepdim) / freedom)
        return self.y

    def backward(self, dy: Array) -> Array:
        y = _back(self.y, self.axis, self.keepdim)
        slope = np.asarray(_back(dy, self.axis, self.keepdim) / (y * self.freedom))
        slope[y == 0] = 0
        return self.d * slope


class Prod(Function):
    """y = Π x.    dx = (the product of all the others) dy"""

    def forward(self, x: Array, over: tuple[Axes, bool]) -> Array:
        self.x, (self.axis, self.keepdim) = x, over
        self.y = np.asarray(x.prod(axis=self.axis, keepdims=self.keepdim))
        return self.y

    def backward(self, dy: Array) -> Array:
        if not self.x.ndim:
            return dy
        if self.x.all():
            return _back(dy * self.y, self.axis, self.keepdim) / self.x
        rest = [i for i in range(self.x.ndim) if i not in self.axis]
        order = [*rest, *self.axis]
        x = self.x.transpose(order).reshape([self.x.shape[i] for i in rest] + [-1])
        before = np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], axis=-1), axis=-1)
        after = np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
        others = (before * after).reshape([self.x.shape[i] for i in order]).transpose(np.argsort(order))
        return _back(dy, self.axis, self.keepdim) * others


class Extreme(Function):
    """y = the largest (or smallest) x.    dx = dy, shared evenly among equals"""

    def forward(self, x: Array, axis: Axes, keepdim: bool, called: str) -> Array:
        self.x, self.axis, self.keepdim, self.called = x, axis, keepdim, called
        find = np.max if called in ("Max", "Amax") else np.min
        self.y = np.asarray(find(x, axis=axis, keepdims=keepdim))
        return self.y

    def backward(self, dy: Array) -> Array:
        y = _back(self.y, self.axis, self.keepdim)
        equal = self.x == y
        if self.called in ("Max", "Min"):  # of Amax and Amin, a nan makes the gradients nan
            equal |= np.isnan(self.x) & np.isnan(y)
        return _back(dy, self.axis, self.keepdim) / equal.sum(axis=self.axis, keepdims=True).astype(dy.dtype) * equal

    def name(self) -> str:
        return self.called + ("Backward1" if self.called in ("Max", "Min") else "Backward0")


class Middle(Function):
    """y = the median of all x.    dx = dy, shared evenly among those that equal it"""

    def forward(self, x: Array, value: Any, called: str) -> Array:
        self.x, self.value, self.called = x, value, called
        return np.asarray(value)

    def backward(self, dy: Array) -> Array:
        equal = (self.x == self.value) if self.value == self.value else np.isnan(self.x)
        return equal * (dy / equal.sum().astype(dy.dtype))

    def name(self) -> str:
        return self.called.title() + "Backward0"


class Pick(Function):
    """y = x at the given index along one axis (where the maximum, the median ... is).    dx = dy there, 0 elsewhere"""

    def forward(self, x: Array, index: Array, axis: int, squeezed: bool, called: str) -> Array:
        self.index, self.shape, self.axis, self.squeezed, self.called = index, x.shape, axis, squeezed, called
        if not x.ndim:
            return x.copy()
        y = x.take(index) if x.ndim == 1 else np.take_along_axis(x, index, axis)
        return y.squeeze(axis) if squeezed else y

    def backward(self, dy: Array) -> Any:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        if dx.ndim:
            np.put_along_axis(dx, self.index, np.expand_dims(dy, self.axis) if self.squeezed else dy, self.axis)
        else:
            dx[...] = dy
        return dx

    def name(self) -> str:
        return self.called.title() + "Backward0"


class Norm(Function):
    """y = (Σ |x|ᵖ)^(1/p).    dx = sign(x) (|x| / y)^(p-1) dy, 0 where y is 0; for p = ±inf shared among the largest"""

    name_ = "LinalgVectorNormBackward0"

    def forward(self, x: Array, p: float, axis: Axes, keepdim: bool) -> Array:
        self.x, self.p, self.axis, self.keepdim = x, p, axis, keepdim
        if p == 2:
            y = np.sqrt((x * x).sum(axis=axis, keepdims=True))
        elif p == 1:
            y = np.abs(x).sum(axis=axis, keepdims=True)
        elif p == 0:
            y = (x != 0).sum(axis=axis, keepdims=True).astype(x.dtype)
        elif math.isinf(p):
            y = (np.max if p > 0 else np.min)(np.abs(x), axis=axis, keepdims=True)
        else:
            y = (np.abs(x) ** p).sum(axis=axis, keepdims=True) ** (1 / p)
        self.y = np.asarray(y) if keepdim else np.asarray(y).squeeze(axis)
        return self.y

    def backward(self, dy: Array) -> Array | None:
        x, y, p = self.x, _back(self.y, self.axis, self.keepdim), self.p
        if p == 0:
            return None
        dy = _back(dy, self.axis, self.keepdim)
        if p == 1:
            return dy * np.sign(x)
        if math.isinf(p):
            equal = np.abs(x) == y
            return np.sign(x) * (dy / equal.sum(axis=self.axis, keepdims=True).astype(dy.dtype)) * equal
        nonzero = np.where(y == 0, 1, y)
        slope = x / nonzero if p == 2 else np.sign(x) * (np.abs(x) / nonzero) ** (p - 1)
        return np.where(y == 0, 0, dy * slope).astype(x.dtype, copy=False)


class LogSumExp(Function):
    """y = log Σ eˣ.    dx = eˣ⁻ʸ dy"""

    name_ = "LogsumexpBackward0"

    def forward(self, x: Array, axis: Axes, keepdim: bool) -> Array:
        self.x, self.axis = x, axis
        top = x.max(axis=axis, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, 0).astype(x.dtype, copy=False)
        y = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
        self.keepdim = keepdim
        self.y = y if keepdim else y.squeeze(axis)
        return self.y

    def backward(self, dy: Array) -> Array:
        return _back(dy, self.axis, self.keepdim) * np.exp(self.x - _back(self.y, self.axis, self.keepdim))


class Cumsum(Function):
    """yᵢ = x₁ + ... + xᵢ.    dxᵢ = dyᵢ + ... + dyₙ"""

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        return _running(np.cumsum, x, axis) if x.ndim else x.copy()

    def backward(self, dy: Array) -> Array:
        if not dy.ndim:
            return dy
        return np.ascontiguousarray(np.flip(_running(np.cumsum, np.flip(dy, self.axis), self.axis), self.axis))


def _running(how: Any, x: Array, axis: int) -> Array:
    """Sums or products computed in a wider type than they are kept in: a sum of many float32s would drift."""
    kind = x.dtype
    if kind.kind not in "fVc":
        return np.asarray(how(x, axis=axis, dtype=np.int64))
    wide = np.complex128 if kind.kind == "c" else np.float32 if kind.itemsize == 2 else np.float64
    with np.errstate(over="ignore", invalid="ignore"):  # PyTorch does not warn of 0 times infinity
        return np.asarray(how(x, axis=axis, dtype=wide).astype(kind, copy=False))


class Logcumsumexp(Function):
    """yᵢ = log(exp x₁ + ... + exp xᵢ).    dxⱼ = Σ_{i ≥ j} dyᵢ exp(xⱼ - yᵢ)"""

    def forward(self, x: Array, axis: int) -> Array:
        if not x.ndim:
            axis, x = 0, x[None]
            return self.forward(x, axis).reshape(())
        self.axis, self.x = axis, x.astype(np.float64)
        self.y = np.logaddexp.accumulate(self.x, axis=axis)
        return self.y.astype(x.dtype)

    def backward(self, dy: Array) -> Array:
        shape, dy = dy.shape, dy.reshape(self.y.shape)
        dx = np.zeros(dy.shape)
        for part in (1.0, -1.0):  # the positive gradients and the negative ones, in logarithms, which do not overflow
            logs = np.flip(np.log(np.maximum(part * dy.astype(np.float64), 0)) - self.y, self.axis)
            dx += part * np.exp(np.flip(np.logaddexp.accumulate(logs, axis=self.axis), self.axis) + self.x)
        return dx.astype(dy.dtype).reshape(shape)


class Cumprod(Function):
    """yᵢ = x₁ ... xᵢ.    dxⱼ = Σ_{i ≥ j} dyᵢ yᵢ / xⱼ, computed without dividing so that zeros are right"""

    def forward(self, x: Array, axis: int) -> Array:
        self.x, self.axis = x, axis
        return _running(np.cumprod, x, axis) if x.ndim else x.copy()

    def backward(self, dy: Array) -> Array:
        if not dy.ndim:
            return dy
        x, dy = np.moveaxis(self.x, self.axis, -1), np.moveaxis(dy, self.axis, -1)
        dx = np.zeros_like(x)
        with np.errstate(over="ignore", invalid="ignore"):
            for j in range(x.shape[-1]):
                others = x.copy()
                others[..., j] = 1
                dx[..., j] = (dy * np.cumprod(others, axis=-1))[..., j:].sum(axis=-1)
        return np.ascontiguousarray(np.moveaxis(dx, -1, self.axis))
