"""The activations that are less often used: `functional` offers them beside its own. Each rule stands by its
formula.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.node import Function
from gradus.engine.ops.broadcast import sum_to
from gradus.engine.ops.elementwise import Elu, logistic
from gradus.engine.tensor import Tensor
from gradus.engine.variable import apply, apply_, apply_one, apply_two

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # keep mean 0 and variance 1 (Klambauer et al., 2017)


class Hardtanh(Function):
    """y = x kept between low and high.    dx = dy strictly between, else 0"""

    def forward(self, x: Array, low: float, high: float) -> Array:
        self.inside = (x > low) & (x < high)
        return np.clip(x, low, high)

    def backward(self, dy: Array) -> Array:
        return dy * self.inside


class Mish(Function):
    """y = x t, t = tanh(log(1 + eˣ)).    dx = (t + x (1 - t²) σ(x)) dy     (Misra, 2019)"""

    def forward(self, x: Array) -> Array:
        self.x, self.t = x, np.tanh(np.logaddexp(x, 0).astype(x.dtype, copy=False))
        return x * self.t

    def backward(self, dy: Array) -> Array:
        return dy * (self.t + self.x * (1 - self.t * self.t) * logistic(self.x))


class LogSigmoid(Function):
    """y = log σ(x) = min(x, 0) - log(1 + e^-|x|).    dx = σ(-x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    def backward(self, dy: Array) -> Array:
        return dy * logistic(-self.x)


class PreluKernel(Function):
    """y = x where x > 0, else w x.    dx = dy or w dy, dw = 0 or x dy     (He et al., 2015)"""

    def forward(self, x: Array, w: Array) -> Array:
        self.x, self.w = x, w
        return np.where(x > 0, x, w * x)

    def backward(self, dy: Array) -> Any:
        positive = self.x > 0
        dw = sum_to(np.where(positive, 0, self.x * dy), self.w.shape) if self.edges[1] is not None else None
        return np.where(positive, dy, self.w * dy), dw


class Glu(Function):
    """y = a σ(b), a and b the halves of x.    da = σ(b) dy, db = a σ(b) (1 - σ(b)) dy     (Dauphin et al., 2017)"""

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        self.a, b = np.split(x, 2, axis=axis)
        self.s = logistic(b)
        return self.a * self.s

    def backward(self, dy: Array) -> Array:
        da = dy * self.s
        return np.concatenate([da, da * self.a * (1 - self.s)], axis=self.axis)


def _maybe_in_place(inplace: bool, op: type[Function], x: Tensor, **options: Any) -> Tensor:
    return apply_(x, op, **options) if inplace else cast(Tensor, apply(op, x, **options))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """input kept between min_val and max_val."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _maybe_in_place(inplace, Hardtanh, input, low=min_val, high=max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """input kept between 0 and 6."""
    return hardtanh(input, 0.0, 6.0, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + eˣ))."""
    return _maybe_in_place(inplace, Mish, input)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 (x where x > 0, else 1.6733 (eˣ - 1))."""
    result = cast(Tensor, apply_one(Elu, input, SELU_ALPHA)) * SELU_SCALE
    return input.copy_(result) if inplace else result


def logsigmoid(input: Tensor) -> Tensor:
    """log σ(x), without overflow."""
    return cast(Tensor, apply_one(LogSigmoid, input))


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """softmax(-x) along dim."""
    return (-input if dtype is None else -input.to(dtype)).softmax(-1 if dim is None else dim)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w x: weight (1,) for all of input, or (C,), one for each channel of input (N, C, ...)."""
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.numel()} and channel size = {channels}."
            )
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2))
    elif input.ndim == 0:
        weight = weight.reshape(())
    return cast(Tensor, apply_two(PreluKernel, input, weight))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), a and b the two halves of input along dim."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = dim % input.ndim
    if input.shape[axis] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {input.shape[axis]}")
    return cast(Tensor, apply_one(Glu, input, axis))
