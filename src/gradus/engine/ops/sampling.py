"""Images and volumes sampled at arbitrary positions: each result is a weighted sum of the inputs around its
position.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import embedding as kernels


class Tap(NamedTuple):
    """One of the inputs around each place, along one axis; all (N, P)."""

    where: Array
    inside: Array  # False: there is no such input, and it counts as 0
    weight: Array
    slope: Array  # the weight's derivative by the grid's number


class GridSample(Function):
    """y[n, c, p] = Σ_t w_t(g[n, p]) x[n, c, t], over the inputs t around the place g[n, p].
    dx[n, c, t] += w_t dy,  dg = Σ_c Σ_t w_t' x[n, c, t] dy

    x (N, C, *sizes), g (N, *outputs, axes) from -1 to 1, its numbers in the opposite order of x's axes; y (N, C,
    *outputs). A weight is a product of one for each axis.
    """

    def forward(self, x: Array, grid: Array, mode: str, padding: str, align_corners: bool) -> Array:
        self.shape, self.grid_shape, sizes = x.shape, grid.shape, x.shape[2:]
        self.called = f"GridSampler{len(sizes)}DBackward0"
        places = grid.reshape(len(x), -1, len(sizes))
        self.taps = [
            _taps(places[..., -1 - axis], size, mode, padding, align_corners) for axis, size in enumerate(sizes)
        ]
        self.x = x.reshape(*x.shape[:2], -1)
        y = np.zeros((*x.shape[:2], places.shape[1]), x.dtype)
        for taps, seen, _ in self._corners():
            y += math.prod((tap.weight for tap in taps[1:]), start=taps[0].weight)[:, None] * seen
        return y.reshape(*x.shape[:2], *grid.shape[1:-1])

    def backward(self, dy: Array) -> Any:
        batch, channels, n = self.x.shape
        dy = dy.reshape(batch, channels, -1)
        dx = np.zeros((batch * n, channels), dy.dtype)
        slopes: list[Any] = [0.0] * len(self.taps)
        for taps, seen, index in self._corners():
            inside = math.prod((tap.inside for tap in taps[1:]), start=taps[0].inside)
            weight = math.prod((tap.weight for tap in taps[1:]), start=taps[0].weight) * inside
            rows = np.moveaxis(dy * weight[:, None], 1, 2).reshape(-1, channels)
            kernels.add_rows(dx, (index + np.arange(batch)[:, None] * n).ravel(), rows)
            total = (dy * seen).sum(1)
            for axis, tap in enumerate(taps):
                others = [other.weight for other in taps if other is not tap]
                slopes[axis] = slopes[axis] + math.prod(others, start=total * tap.slope)
        dx = np.moveaxis(dx.reshape(batch, n, channels), 2, 1).reshape(self.shape)
        return dx, np.stack(slopes[::-1], -1).astype(dy.dtype, copy=False).reshape(self.grid_shape)

    def _corners(self) -> Iterator[tuple[tuple[Tap, ...], Array, Array]]:
        """For each of the inputs around a place: its taps, x there (N, C, P), and which it is (N, P)."""
        for taps in itertools.product(*self.taps):
            index, inside = taps[0].where, taps[0].inside
            for tap, size in zip(taps[1:], self.shape[3:], strict=True):
                index, inside = index * size + tap.where, inside & tap.inside
            yield taps, np.take_along_axis(self.x, index[:, None], 2) * inside[:, None], index

    def name(self) -> str:
        return self.called


def _taps(place: Array, size: int, mode: str, padding: str, align_corners: bool) -> list[Tap]:
    """The inputs around each place along an axis of `size` inputs; place from -1 to 1."""
    scale = (size - 1) / 2 if align_corners else size / 2
    x = (place + 1) * place.dtype.type(scale) - place.dtype.type(0 if align_corners else 0.5)
    slope = np.full_like(x, scale)
    if mode != "bicubic":
        x, padded_slope = _padded(x, size, padding, align_corners)
        slope *= padded_slope
    with np.errstate(invalid="ignore"):  # of places that are infinite
        if mode == "nearest":
            return [_tap(np.rint(x), size, np.ones_like(x), np.zeros_like(x))]
        first = np.floor(x)
        t = x - first
        if mode == "bilinear":
            return [_tap(first, size, 1 - t, -slope), _tap(first + 1, size, t, slope)]
        weights = (_far(t + 1), _near(t), _near(1 - t), _far(2 - t))
        steps = (_far_slope(t + 1), _near_slope(t), -_near_slope(1 - t), -_far_slope(2 - t))
        at = [_padded(first + i, size, padding, align_corners)[0] for i in (-1, 0, 1, 2)]
        return [_tap(p, size, w, s * slope) for p, w, s in zip(at, weights, steps, strict=True)]


def _tap(place: Array, size: int, weight: Array, slope: Array) -> Tap:
    inside = (place >= 0) & (place <= size - 1)
    return Tap(np.where(inside, place, 0).astype(np.intp), inside, weight, slope)


def _padded(x: Array, size: int, padding: str, align_corners: bool) -> tuple[Array, Array]:
    """Map a position outside into the input, and the derivative of that map."""
    slope = np.ones_like(x)
    if padding == "zeros":
        return x, slope
    if padding == "reflection":
        low, span = (0.0, float(size - 1)) if align_corners else (-0.5, float(size))
        if span == 0:
            return np.zeros_like(x), np.zeros_like(x)
        with np.errstate(invalid="ignore"):
            away = np.abs(x - low)
            turns = np.floor(away / span)
            rest = away - turns * span
            slope = np.where(x < low, -1, 1) * np.where(turns % 2 == 0, 1, -1).astype(x.dtype)
            x = np.where(turns % 2 == 0, rest + low, span - rest + low).astype(x.dtype)
    slope = slope * ((x > 0) & (x < size - 1))
    return np.where(np.isnan(x), 0, x.clip(0, size - 1)).astype(x.dtype), slope.astype(x.dtype)


_A = -0.75  # of Keys's cubic kernel (1981), as PyTorch has it


def _near(t: Array) -> Array:
    """The kernel at a distance of up to 1."""
    return ((_A + 2) * t - (_A + 3)) * t * t + 1


def _far(t: Array) -> Array:
    """The kernel at a distance from 1 to 2."""
    return ((_A * t - 5 * _A) * t + 8 * _A) * t - 4 * _A


def _near_slope(t: Array) -> Array:
    return (3 * (_A + 2) * t - 2 * (_A + 3)) * t


def _far_slope(t: Array) -> Array:
    return (3 * _A * t - 10 * _A) * t + 8 * _A
