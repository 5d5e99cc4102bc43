"""A border around the last axes: of a constant, or of elements of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array

Widths = tuple[tuple[int, int], ...]  # how many numbers before and after, for each axis; below 0: so many fewer


class Pad(Function):
    """y = x with a constant border.    dx = dy inside it"""

    name_ = "ConstantPadNdBackward0"

    def forward(self, x: Array, widths: Widths, value: float) -> Array:
        self.inside = tuple(slice(max(0, low), None if high <= 0 else -high) for low, high in widths)
        self.crop = tuple(slice(max(0, -low), None if high >= 0 else high) for low, high in widths)
        self.shape = x.shape
        grown = tuple((max(0, low), max(0, high)) for low, high in widths)
        return np.pad(x[self.crop], grown, constant_values=value)

    def backward(self, dy: Array) -> Array:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        dx[self.crop] = dy[self.inside]
        return dx


class PadFromInside(Function):
    """y[i] = x[source(i)] along each of the last axes, i from -low to n + high.    dx[source(i)] += dy[i]

    reflect: mirrored at the edge, which is not repeated; replicate: the edge; circular: from the other end.
    """

    def forward(self, x: Array, widths: Widths, mode: str) -> Array:
        self.mode, self.first = mode, x.ndim - len(widths)
        self.sources = [_sources(n, *ends, mode) for n, ends in zip(x.shape[self.first :], widths, strict=True)]
        self.shape = x.shape
        for axis, sources in enumerate(self.sources, self.first):
            x = x.take(sources, axis)
        return x

    def backward(self, dy: Array) -> Array:
        for axis, sources in enumerate(self.sources, self.first):
            n = self.shape[axis]
            dx = np.zeros((*dy.shape[:axis], n, *dy.shape[axis + 1 :]), dy.dtype)
            to, of = np.moveaxis(dx, axis, 0), np.moveaxis(dy, axis, 0)
            steps = np.flatnonzero(np.diff(sources) != 1) + 1
            for run in np.split(np.arange(len(sources)), steps):  # of neighbours, which no two places of a run share
                if run.size:
                    to[sources[run[0]] : sources[run[-1]] + 1] += of[run[0] : run[-1] + 1]
            dy = dx
        return dy

    def name(self) -> str:
        kind = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}[self.mode]
        return f"{kind}{len(self.sources)}DBackward0"


def _sources(n: int, low: int, high: int, mode: str) -> Any:
    if mode == "circular":  # the elements cut off get no gradient
        start, stop = max(0, -low), n + min(0, high)
        return start + np.arange(-max(0, low), stop - start + max(0, high)) % max(1, stop - start)
    places = np.arange(-low, n + high)
    if mode == "replicate":
        return places.clip(0, n - 1)
    return n - 1 - abs(n - 1 - abs(places))
