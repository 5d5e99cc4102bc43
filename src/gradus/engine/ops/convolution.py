"""Convolution in any number of dimensions, as a matrix product.

`gather` copies the window of the input under the kernel at each place into a column (im2col); `scatter` adds columns
back to the windows they came from (col2im). Convolution, its transpose and the gradient of its weight are each a matrix
product with the one or the other, a few examples at a time, so that the columns stay in the processor's cache.

For x = [1, 2, 3, 4] and a kernel of 3 numbers there are two places, and

    columns = [[1, 2],      y = kernel @ columns = [k₀ + 2k₁ + 3k₂, 2k₀ + 3k₁ + 4k₂]
               [2, 3],
               [3, 4]]
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import threads

Sizes = tuple[int, ...]

_COLUMNS = 1 << 20  # numbers in the columns of a batch: 4 MB


@dataclass(frozen=True)
class Windows:
    """The windows of an input that a kernel is multiplied with, one for each place of the kernel.

    For each spatial dimension: the kernel's size; `stride`, from one place to the next; `padding` at either end; and
    `dilation`, from one number of a window to the next.
    """

    kernel: Sizes
    stride: Sizes
    padding: tuple[tuple[int, int], ...]
    dilation: Sizes

    def places(self, sizes: Sizes) -> Sizes:
        """How many places there are in an input of these sizes."""
        each = zip(sizes, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return tuple((n + sum(ends) - d * (k - 1) - 1) // s + 1 for n, k, s, ends, d in each)

    def pointwise(self, padded: Sizes, places: Sizes) -> bool:
        """Whether every window is one number and none is skipped, so that the columns are the input itself."""
        return {*self.kernel, *self.stride} == {1} and padded == places

    def slices(self, places: Sizes) -> Iterator[tuple[Any, Any]]:
        """Each index of the kernel, and the slices of a padded input with what it is multiplied with at all places."""
        for at in itertools.product(*map(range, self.kernel)):
            each = zip(at, self.stride, self.dilation, places, strict=True)
            yield at, tuple(slice(d * i, d * i + s * (n - 1) + 1, s) for i, s, d, n in each)

    def pad(self, x: Array, value: Any = 0) -> Array:
        """x (N, C, ...) with its padding."""
        if not any(map(any, self.padding)):
            return x
        return np.pad(x, ((0, 0), (0, 0), *self.padding), constant_values=value)

    def gather(self, padded: Array, places: Sizes) -> Array:
        """x (N, C, ...), padded -> columns (C·K, N·P): the windows of K numbers at each of the P places."""
        n, c = padded.shape[:2]
        strides = padded.strides[2:]
        inside = tuple(s * d for s, d in zip(strides, self.dilation, strict=True))
        across = tuple(s * step for s, step in zip(strides, self.stride, strict=True))
        windows = np.lib.stride_tricks.as_strided(
            padded,
            (c, *self.kernel, n, *places),
            (padded.strides[1], *inside, padded.strides[0], *across),
            writeable=False,
        )
        return windows.reshape(c * math.prod(self.kernel), n * math.prod(places))

    def scatter(self, columns: Array, padded: Array, places: Sizes) -> None:
        """Add columns (C·K, N·P) to padded (N, C, ...), each number to the place that `gather` copies it from."""
        n, c = padded.shape[:2]
        columns = columns.reshape(c, *self.kernel, n, *places)
        for at, meets in self.slices(places):
            padded[(..., *meets)] += columns[(slice(None), *at)].swapaxes(0, 1)

    def unpad(self, padded: Array) -> Array:
        """padded (N, C, ...) without its padding."""
        if not any(map(any, self.padding)):
            return padded
        cut: Any = tuple(slice(low, n - high) for n, (low, high) in zip(padded.shape[2:], self.padding, strict=True))
        return np.ascontiguousarray(padded[(..., *cut)])


def _batches(n: int, each: int) -> Iterator[slice]:
    """The examples 0 .. n-1 in batches of at most `_COLUMNS` numbers, of `each` numbers an example."""
    step = max(1, _COLUMNS // max(each, 1))
    return (slice(i, i + step) for i in range(0, n, step))


def _product(a: Array, b: Array) -> Array:
    """a (G, M, K) @ b (G, K, N)"""
    threads.limit_blas()
    return a[0].dot(b[0])[None] if len(a) == 1 else a @ b


def _grouped(rows: Array, groups: int) -> Array:
    """rows (G·M, N) -> (G, M, N)"""
    return rows.reshape(groups, len(rows) // groups, rows.shape[1])


def _rows(y: Array, groups: int) -> Array:
    """y (N, G·O, ...) -> (G, O, N·P)"""
    return y.swapaxes(0, 1).reshape(groups, y.shape[1] // groups, y.shape[0] * math.prod(y.shape[2:]))


def _each_place(matrix: Array, x: Array) -> Array:
    """matrix (O, C) times the channels of x (N, C, ...) at each place -> (N, O, ...)"""
    threads.limit_blas()
    y = matrix @ x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    return np.asarray(y.reshape(len(x), len(matrix), *x.shape[2:]))


def correlate(x: Array, kernel: Array, windows: Windows, places: Sizes) -> Array:
    """x (N, G·C, ...), padded, and kernel (G, O, C·K) -> (N, G·O, *places): the convolution."""
    groups, channels, each = kernel.shape
    if groups == 1 and windows.pointwise(x.shape[2:], places):
        return _each_place(kernel[0], x)
    y = np.empty((len(x), groups * channels, *places), np.result_type(x, kernel))
    for part in _batches(len(x), groups * each * math.prod(places)):
        columns = _grouped(windows.gather(x[part], places), groups)
        y[part] = _product(kernel, columns).reshape(groups * channels, *y[part].shape[:1], *places).swapaxes(0, 1)
    return y


def correlate_transposed(y: Array, kernel: Array, windows: Windows, padded: Sizes) -> Array:
    """y (N, G·O, *places) and kernel (G, O, C·K) -> (N, G·C, *padded): the transpose of `correlate`, its gradient.

    Each number of y times the kernel is added to the window at its place.
    """
    groups, _, each = kernel.shape
    if groups == 1 and windows.pointwise(padded, y.shape[2:]):
        return _each_place(kernel[0].T, y)
    x = np.zeros((len(y), groups * each // math.prod(windows.kernel), *padded), np.result_type(y, kernel))
    transposed, places = kernel.swapaxes(1, 2), y.shape[2:]
    for part in _batches(len(y), groups * each * math.prod(places)):
        columns = _product(transposed, _rows(y[part], groups))
        windows.scatter(columns.reshape(groups * each, columns.shape[2]), x[part], places)
    return x


def kernel_gradient(x: Array, dy: Array, windows: Windows, groups: int) -> Array:
    """x, padded, and dy (N, G·O, *places) -> (G, O, C·K): the sum over examples and places of dy times the window."""
    if groups == 1 and windows.pointwise(x.shape[2:], dy.shape[2:]):
        threads.limit_blas()
        flat = [each.reshape(*each.shape[:2], math.prod(each.shape[2:])) for each in (dy, x)]
        return np.asarray((flat[0] @ flat[1].swapaxes(1, 2)).sum(0, keepdims=True))
    places, each = dy.shape[2:], x.shape[1] // groups * math.prod(windows.kernel)
    total = np.zeros((groups, dy.shape[1] // groups, each), np.result_type(x, dy))
    for part in _batches(len(x), groups * each * math.prod(places)):
        columns = _grouped(windows.gather(x[part], places), groups)
        total += _product(_rows(dy[part], groups), columns.swapaxes(1, 2))
    return total


class Convolution(Function):
    """y[n, o, t] = b[o] + Σ_{c, i} W[o, c, i] x[n, c, stride t + dilation i - padding], in groups of channels.

    dW and dx are the same sum with y's and x's, y's and W's places exchanged; db = Σ dy
    """

    def forward(self, x: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
        self.windows, self.groups, self.shape = windows, groups, weight.shape
        self.x, self.kernel = windows.pad(x), _grouped(weight.reshape(len(weight), math.prod(weight.shape[1:])), groups)
        y = correlate(self.x, self.kernel, windows, windows.places(x.shape[2:]))
        return _biased(y, bias)

    def backward(self, dy: Array) -> Any:
        windows, dx, dw = self.windows, None, None
        if self.edges[0] is not None:
            dx = windows.unpad(correlate_transposed(dy, self.kernel, windows, self.x.shape[2:]))
        if self.edges[1] is not None:
            dw = kernel_gradient(self.x, dy, windows, self.groups).reshape(self.shape)
        return dx, dw, dy.sum(axis=(0, *range(2, dy.ndim))) if self.edges[2] is not None else None


class TransposedConvolution(Function):
    """y[n, o, stride t + dilation i - padding] = b[o] + Σ_{c, i} W[c, o, i] x[n, c, t]: what `Convolution` does to its
    gradient.

    dx is `Convolution`'s sum, dW the sum of the products with x instead of dy; db = Σ dy
    """

    name_ = "ConvolutionBackward0"

    def forward(
        self, x: Array, weight: Array, bias: Array | None, windows: Windows, sizes: Sizes, groups: int
    ) -> Array:
        self.windows, self.groups, self.shape = windows, groups, weight.shape
        self.x = x
        self.kernel = _grouped(weight.reshape(len(weight), math.prod(weight.shape[1:])), groups)
        padded = tuple(n + sum(ends) for n, ends in zip(sizes, windows.padding, strict=True))
        y = windows.unpad(correlate_transposed(self.x, self.kernel, windows, padded))
        return _biased(y, bias)

    def backward(self, dy: Array) -> Any:
        windows, dx, dw = self.windows, None, None
        padded = windows.pad(dy)
        if self.edges[0] is not None:
            dx = correlate(padded, self.kernel, windows, self.x.shape[2:])
        if self.edges[1] is not None:
            dw = kernel_gradient(padded, self.x, windows, self.groups).reshape(self.shape)
        return dx, dw, dy.sum(axis=(0, *range(2, dy.ndim))) if self.edges[2] is not None else None


class ConvTbc(Function):
    """y[t, n] = b + Σᵢ x[t + i - pad, n] Wᵢ,  x (T, N, C), W (K, C, O), b (O): a convolution with time first.

    dx[t + i - pad, n] = Σᵢ dy[t, n] Wᵢᵀ;    dWᵢ = Σ x[t + i - pad, n]ᵀ dy[t, n],  db = Σ dy
    """

    def forward(self, x: Array, weight: Array, bias: Array, pad: int) -> Array:
        self.weight, self.pad = weight, pad
        self.x = x[-pad : len(x) + pad].copy() if pad < 0 else np.pad(x, ((pad, pad), (0, 0), (0, 0))) if pad else x
        steps = len(self.x) - len(weight) + 1
        y = np.empty((steps, x.shape[1], weight.shape[2]), x.dtype)
        y[...] = bias
        threads.limit_blas()
        for i, w in enumerate(weight):
            y += self.x[i : i + steps] @ w
        return y

    def backward(self, dy: Array) -> Any:
        steps, channels = len(dy), self.x.shape[2]
        dx, dw = np.zeros_like(self.x), np.empty_like(self.weight)
        threads.limit_blas()
        for i, w in enumerate(self.weight):
            dx[i : i + steps] += dy @ w.T
            dw[i] = self.x[i : i + steps].reshape(-1, channels).T @ dy.reshape(-1, dy.shape[2])
        pad = self.pad
        dx = np.pad(dx, ((-pad, -pad), (0, 0), (0, 0))) if pad < 0 else dx[pad : len(dx) - pad]
        return dx, dw, dy.sum(axis=(0, 1))


def _biased(y: Array, bias: Array | None) -> Array:
    if bias is not None:
        y += bias.reshape(-1, *(1,) * (y.ndim - 2))
    return y
