"""The activations of networks, one number at a time. Each docstring is the formula and its derivative.

Where the slope is 0, the gradient is set to 0, not multiplied by it: an infinite gradient times 0 would be NaN. At NaN
the slope is that of PyTorch for a tensor of one element; for longer ones PyTorch's vectorized loops sometimes differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import activations as kernels
from gradus.engine.ops.broadcast import sum_to


def logistic(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), without overflow on either side."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


class Sigmoid(Function):
    """y = 1 / (1 + e⁻ˣ).    dx = y (1 - y) dy"""

    def forward(self, x: Array) -> Array:
        self.y = logistic(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy * ((1 - self.y) * self.y)


class LogSigmoid(Function):
    """y = log σ(x) = min(x, 0) - log(1 + e^-|x|).    dx = σ(-x) dy"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    def backward(self, dy: Array) -> Array:
        return dy * logistic(-self.x)


# ---- piecewise linear


class Relu(Function):
    """y = max(x, 0).    dx = 0 where y = 0, else dy"""

    def forward(self, x: Array) -> Array:
        self.y = np.maximum(x, 0)
        return self.y

    def backward(self, dy: Array) -> Array:
        return kernels.relu_backward(dy, self.y)


class LeakyRelu(Function):
    """y = x where x > 0, else αx.    dx = dy where x > 0, else α dy"""

    def forward(self, x: Array, slope: float = 0.01) -> Array:
        self.x, self.slope = x, slope
        return np.where(x > 0, x, x * slope)

    def backward(self, dy: Array) -> Array:
        return np.where(self.x > 0, dy, dy * self.slope)


class PreluKernel(Function):
    """y = x where x > 0, else w x.    dx = dy or w dy, dw = 0 or x dy     (He et al., 2015)"""

    def forward(self, x: Array, w: Array) -> Array:
        self.x, self.w = x, w
        return np.where(x > 0, x, w * x)

    def backward(self, dy: Array) -> Any:
        positive = self.x > 0
        dw = sum_to(np.where(positive, 0, self.x * dy), self.w.shape) if self.edges[1] is not None else None
        return np.where(positive, dy, self.w * dy), dw


class Threshold(Function):
    """y = value where x ≤ threshold, else x.    dx = 0 there, else dy"""

    def forward(self, x: Array, threshold: float, value: float) -> Array:
        self.flat = x <= threshold
        return np.where(self.flat, x.dtype.type(value), x)

    def backward(self, dy: Array) -> Array:
        return np.where(self.flat, 0, dy)


class Hardtanh(Function):
    """y = x clamped to [low, high].    dx = 0 where x ≤ low or x ≥ high, else dy"""

    def forward(self, x: Array, low: float, high: float) -> Array:
        self.flat = (x <= low) | (x >= high)
        return np.clip(x, low, high)

    def backward(self, dy: Array) -> Array:
        return np.where(self.flat, 0, dy)


class Hardsigmoid(Function):
    """y = (x + 3) / 6 clamped to [0, 1].    dx = dy / 6 where -3 < x < 3, else 0"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.clip(x + 3, 0, 6) / 6

    def backward(self, dy: Array) -> Array:
        return np.where((self.x > -3) & (self.x < 3), dy / 6, 0)


class Hardswish(Function):
    """y = x (x + 3) / 6, 0 up to -3, x from 3 on.    dx = (x / 3 + ½) dy, 0, dy     (Howard et al., 2019)"""

    def forward(self, x: Array) -> Array:
        self.x = x
        return x * np.clip(x + 3, 0, 6) / 6

    def backward(self, dy: Array) -> Array:
        x = self.x
        return np.where(x <= -3, 0, np.where(x < 3, dy * (x / 3 + 0.5), dy))


class Hardshrink(Function):
    """y = 0 where -λ ≤ x ≤ λ, else x.    dx = 0 there, else dy"""

    def forward(self, x: Array, lambd: float) -> Array:
        self.flat = (x >= -lambd) & (x <= lambd)
        return np.where(self.flat, 0, x)

    def backward(self, dy: Array) -> Array:
        return np.where(self.flat, 0, dy)


class Softshrink(Function):
    """y = x - λ where x > λ, x + λ where x < -λ, else 0.    dx = 0 where y is, else dy"""

    def forward(self, x: Array, lambd: float) -> Array:
        self.flat = (x >= -lambd) & (x <= lambd)
        return np.where(self.flat, 0, np.where(x > lambd, x - lambd, x + lambd))

    def backward(self, dy: Array) -> Array:
        return np.where(self.flat, 0, dy)


# ---- smooth


class Elu(Function):
    """y = s x where x > 0, else s α (e^(x/τ) - 1).    dx = s dy or s α/τ e^(x/τ) dy     (Clevert et al., 2015)"""

    def forward(self, x: Array, alpha: float = 1.0, scale: float = 1.0, tau: float = 1.0) -> Array:
        self.x, self.alpha, self.scale, self.tau = x, alpha * scale, scale, tau
        below = np.minimum(x, 0)
        return np.where(x > 0, x * scale, self.alpha * np.expm1(below if tau == 1 else below / tau))

    def backward(self, dy: Array) -> Array:
        slope = np.exp(np.minimum(self.x, 0) / self.tau) * (self.alpha / self.tau)
        return np.where(self.x <= 0, dy * slope, dy * self.scale)


class Celu(Elu):
    """y = x where x > 0, else α (e^(x/α) - 1): `Elu` without a corner at 0     (Barron, 2017)"""


class Silu(Function):
    """y = x σ(x).    dx = σ(x) (1 + x (1 - σ(x))) dy     (Elfwing et al., 2017)"""

    def forward(self, x: Array) -> Array:
        self.x, self.s = x, logistic(x)
        return x * self.s

    def backward(self, dy: Array) -> Array:
        return dy * self.s * (1 + self.x * (1 - self.s))


class Mish(Function):
    """y = x t, t = tanh(log(1 + eˣ)).    dx = (t + x (1 - t²) σ(x)) dy     (Misra, 2019)"""

    def forward(self, x: Array) -> Array:
        self.x, self.t = x, np.tanh(np.logaddexp(x, 0).astype(x.dtype, copy=False))
        return x * self.t

    def backward(self, dy: Array) -> Array:
        return dy * (self.t + self.x * (1 - self.t * self.t) * logistic(self.x))


class Softplus(Function):
    """y = log(1 + e^(βx)) / β, and x where βx > threshold.    dx = σ(βx) dy"""

    def forward(self, x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
        self.x, self.beta, self.threshold = x, beta, threshold
        scaled = x * beta
        return np.where(scaled > threshold, x, np.log1p(np.exp(np.minimum(scaled, threshold))) / beta)

    def backward(self, dy: Array) -> Array:
        scaled = self.x * self.beta
        return np.where(scaled > self.threshold, dy, dy * logistic(scaled))


class Gelu(Function):
    """y = x Φ(x), Φ the normal distribution function, or its tanh approximation     (Hendrycks & Gimpel, 2016)

    none:  Φ = ½ (1 + erf(x/√2)).                      dx = (Φ + x φ(x)) dy,  φ(x) = e^(-x²/2) / √(2π)
    tanh:  Φ ≈ ½ (1 + t),  t = tanh(√(2/π) u),  u = x + 0.044715 x³.
           dx = (½ (1 + t) + ½ x (1 - t²) √(2/π) u') dy,  u' = 1 + 3 · 0.044715 x²
    """

    def forward(self, x: Array, approximate: str = "none") -> Array:
        self.x, self.approximate = x, approximate
        return kernels.gelu_tanh(x) if approximate == "tanh" else kernels.gelu(x)

    def backward(self, dy: Array) -> Array:
        if self.approximate == "tanh":
            return kernels.gelu_tanh_backward(dy, self.x)
        return kernels.gelu_backward(dy, self.x)


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
