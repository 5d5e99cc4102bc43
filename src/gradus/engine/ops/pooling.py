"""Pooling: the maximum or mean of each window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import REAL, Array
from gradus.engine.ops.convolution import Sizes, Windows
from gradus.engine.ops.number_types import widened


class Pick(Function):
    """y[n, c, i] = x[n, c, index[n, c, i]], the planes of x (N, C, ...) counted through.    dx[..., index[i]] += dy[i]

    With the index of each window's largest number it is the maximum (and its gradient).
    """

    def forward(self, x: Array, index: Array, name: str) -> Array:
        self.index, self.shape, self.called = index, x.shape, name
        planes = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
        return np.take_along_axis(planes, _flat(index), 2).reshape(index.shape)

    def backward(self, dy: Array) -> Any:
        return spread_planes(self.index, dy, self.shape), None

    def name(self) -> str:
        return self.called


class Unpool(Function):
    """y[n, c, index[n, c, i]] = x[n, c, i], 0 elsewhere.    dx[i] = dy[index[i]]"""

    def forward(self, x: Array, index: Array, sizes: Sizes) -> Array:
        self.index, self.axes = index, len(sizes)
        y = np.zeros((*x.shape[:2], math.prod(sizes)), x.dtype)
        np.put_along_axis(y, _flat(index), _flat(x), 2)
        return y.reshape(*x.shape[:2], *sizes)

    def backward(self, dy: Array) -> Any:
        return np.take_along_axis(_flat(dy), _flat(self.index), 2).reshape(self.index.shape), None

    def name(self) -> str:
        return f"MaxUnpool{self.axes}DBackward0"


class AvgPool(Function):
    """y = the sum of x over a window / how many numbers that counts.    dx = dy / that, where the window lay"""

    def forward(self, x: Array, windows: Windows, places: Sizes, counts: Array) -> Array:
        self.windows, self.shape = windows, x.shape
        padded = windows.pad(x)
        self.padded = padded.shape
        y = np.zeros((*x.shape[:2], *places), padded.dtype)
        for _, meets in windows.slices(places):
            y += padded[(..., *meets)]
        if x.dtype.kind != "f":
            return np.trunc(y / counts).astype(x.dtype)
        self.counts = counts.astype(y.dtype)
        y /= self.counts
        return y

    def backward(self, dy: Array) -> Array:
        each = dy / self.counts
        padded = np.zeros(self.padded, each.dtype)
        for _, meets in self.windows.slices(dy.shape[2:]):
            padded[(..., *meets)] += each
        return self.windows.unpad(padded)

    def name(self) -> str:
        return f"AvgPool{len(self.shape) - 2}DBackward0"


def largest(x: Array, windows: Windows, places: Sizes) -> Array:
    """The index, in its plane of x (N, C, ...), of each window's maximum: the first of several, or the last NaN."""
    x = widened(x)
    floats = x.dtype.kind == "f"
    lowest = -math.inf if floats else np.iinfo(x.dtype).min
    padded, seek_nan = windows.pad(x, lowest), floats and bool(np.isnan(x).any())
    best = np.full((*x.shape[:2], *places), lowest, x.dtype)
    each = zip(places, windows.stride, windows.padding, strict=True)
    starts = [np.arange(n) * s - low for n, s, (low, _) in each]
    inside = [start + -(-np.maximum(-start, 0) // d) * d for start, d in zip(starts, windows.dilation, strict=True)]
    index = np.empty(best.shape, np.int64)
    index[...] = _counted(inside, x.shape[2:])
    for at, meets in windows.slices(places):
        seen = padded[(..., *meets)]
        better = seen > best
        if seek_nan:
            better |= np.isnan(seen)
        here = _counted([s + d * i for s, d, i in zip(starts, windows.dilation, at, strict=True)], x.shape[2:])
        np.copyto(best, seen, where=better)
        np.copyto(index, here, where=better)
    return index


def largest_of(x: Array, ranges: list[list[tuple[int, int]]]) -> Array:
    """As `largest`, for windows from start up to stop along each axis: of those of any sizes, one after the other."""
    index = np.empty((*x.shape[:2], *map(len, ranges)), np.int64)
    for at in np.ndindex(*index.shape[2:]):
        bounds = [axis[i] for axis, i in zip(ranges, at, strict=True)]
        inside: Any = (..., *[slice(start, stop) for start, stop in bounds])
        part = _flat(x[inside])
        grid = np.ix_(*[np.arange(start, stop) for start, stop in bounds])
        places = np.broadcast_to(_counted_grid(grid, x.shape[2:]), [stop - start for start, stop in bounds]).ravel()
        index[(..., *at)] = places[last_nan_or_first_largest(part)]
    return index


def last_nan_or_first_largest(x: Array) -> Array:
    """The index, along the last axis, of the last NaN, or of the first largest number if there is no NaN."""
    x = widened(x)
    found = x.argmax(-1)
    if x.dtype.kind in REAL and (odd := np.isnan(x)).any():
        found = np.where(odd.any(-1), x.shape[-1] - 1 - odd[..., ::-1].argmax(-1), found)
    return found


def spread_planes(index: Array, dy: Array, shape: Sizes) -> Array:
    """Zeros of a shape (N, C, ...), to which each dy (N, C, ...) is added at its index in its plane."""
    plane = math.prod(shape[2:])
    first = np.arange(0, max(1, math.prod(shape[:2])) * plane, max(1, plane)).reshape(*shape[:2], 1) if plane else 0
    places = (_flat(index) + first).ravel()
    return np.bincount(places, dy.ravel(), math.prod(shape)).astype(dy.dtype).reshape(shape)


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _counted(positions: list[Array], sizes: Sizes) -> Array:
    """Positions along each axis as one number for each place of their grid."""
    return _counted_grid(np.ix_(*positions), sizes)


def _counted_grid(grid: Any, sizes: Sizes) -> Array:
    total: Any = 0
    for along, size in zip(grid, sizes, strict=True):
        total = total * size + along
    return np.asarray(total)
