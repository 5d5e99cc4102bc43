"""Another number of places along each axis: every result is a weighted sum of a few inputs near it.

`Taps` says which, for one axis; the gradient takes the same taps backwards.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradus.engine.autograd.node import Function
from gradus.engine.dtypes import Array


@dataclass(frozen=True, eq=False)
class Taps:
    """y[i] = Σ_t weights[t, i] x[places[t, i]] for an axis of n numbers; without weights they are 1."""

    n: int
    places: Array
    weights: Array | None = None

    def take(self, x: Array, axis: int) -> Array:
        y: Any = None
        wide = (-1,) + (1,) * (x.ndim - axis - 1)
        for t, places in enumerate(self.places):
            part = x.take(places, axis)
            if self.weights is not None:
                part *= self.weights[t].astype(x.dtype, copy=False).reshape(wide)
            y = part if y is None else np.add(y, part, y)
        return np.asarray(y)

    @functools.cached_property
    def transposed(self) -> Taps:
        """The taps of the gradient: for every input, the results that it is part of."""
        results = np.broadcast_to(np.arange(self.places.shape[1]), self.places.shape).ravel()
        weights = np.ones(results.size) if self.weights is None else self.weights.ravel()
        order = np.argsort(self.places, axis=None, kind="stable")
        inputs = self.places.ravel()[order]
        counts = np.bincount(inputs, minlength=self.n)
        rank = np.arange(inputs.size) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.zeros((max(1, counts.max(initial=0)), self.n), np.intp)
        shares = np.zeros(places.shape)
        places[rank, inputs], shares[rank, inputs] = results[order], weights[order]
        return Taps(self.places.shape[1], places, shares)


class Resample(Function):
    """y = x with the taps of each of its last axes taken.    dx = dy with them taken backwards"""

    def forward(self, x: Array, taps: tuple[Taps, ...], name: str) -> Array:
        self.taps, self.first, self.called = taps, x.ndim - len(taps), name
        for axis, each in enumerate(taps, self.first):
            x = each.take(x, axis)
        return x

    def backward(self, dy: Array) -> Array:
        for axis, each in enumerate(self.taps, self.first):
            dy = each.transposed.take(dy, axis)
        return dy

    def name(self) -> str:
        return self.called


# ---- the taps of each rule


@functools.lru_cache(maxsize=128)
def averages(n: int, out: int) -> Taps:
    """Each of `out` results is the mean of the inputs from ⌊i n / out⌋ up to ⌈(i + 1) n / out⌉."""
    i = np.arange(out)
    start, stop = i * n // out, -(-(i + 1) * n // out)
    most = int((stop - start).max(initial=1))
    places = start + np.arange(most)[:, None]
    weights = np.where(places < stop, 1 / (stop - start), 0)
    return Taps(n, places.clip(0, n - 1), weights)


@functools.lru_cache(maxsize=128)
def nearest(n: int, out: int, scale: float | None, exact: bool) -> Taps:
    """The input nearest to a result's place: the one at or before it, or (exact) that of its middle."""
    step = np.float32(_step(n, out, scale))
    places = np.floor((np.arange(out, dtype=np.float32) + np.float32(0.5 if exact else 0)) * step)
    return Taps(n, places.astype(np.intp).clip(0, n - 1)[None])


@functools.lru_cache(maxsize=128)
def linear(n: int, out: int, scale: float | None, align_corners: bool, kind: Any) -> Taps:
    """The two inputs on either side, by nearness."""
    at = np.maximum(_sources(n, out, scale, align_corners, kind), 0)
    low = np.minimum(at.astype(np.intp), n - 1)
    share = (at - low).clip(0, 1)
    return Taps(n, np.stack([low, np.minimum(low + 1, n - 1)]), np.stack([1 - share, share]))


@functools.lru_cache(maxsize=128)
def cubic(n: int, out: int, scale: float | None, align_corners: bool, kind: Any) -> Taps:
    """Two inputs on either side, by Keys's cubic (1981) with a = -3/4; the edges repeat."""
    at = _sources(n, out, scale, align_corners, kind)
    low = np.minimum(np.floor(at), n - 1)
    share = (at - low).clip(0, 1)
    places = low.astype(np.intp) + np.arange(-1, 3)[:, None]
    weights = np.stack([_keys(x, -0.75) for x in (1 + share, share, 1 - share, 2 - share)])
    return Taps(n, places.clip(0, n - 1), weights)


@functools.lru_cache(maxsize=128)
def smoothed(n: int, out: int, scale: float | None, align_corners: bool, rule: str) -> Taps:
    """As linear or cubic (with a = -1/2), but going down over all inputs that a result covers (antialias)."""
    step = ((n - 1) / (out - 1) if out > 1 else 0.0) if align_corners else _step(n, out, scale)
    reach = {"linear": 1, "cubic": 2, "lanczos": 3}[rule]
    support, narrow = reach * max(step, 1.0), 1 / max(step, 1.0)
    centre = step * (np.arange(out) + 0.5)
    start = np.maximum((centre - support + 0.5).astype(np.intp), 0)
    stop = np.minimum((centre + support + 0.5).astype(np.intp), n)
    places = start + np.arange(int((stop - start).max(initial=1)))[:, None]
    away = abs(places - centre + 0.5) * narrow
    shape = {"linear": lambda x: (1 - x).clip(0), "cubic": lambda x: _keys(x, -0.5), "lanczos": _lanczos}[rule]
    weights = np.where(places < stop, shape(away), 0)
    return Taps(n, places.clip(0, n - 1), weights / weights.sum(0))


def _step(n: int, out: int, scale: float | None) -> float:
    """How many inputs there are for each result."""
    return 1 / scale if scale else n / out


def _sources(n: int, out: int, scale: float | None, align_corners: bool, kind: Any) -> Array:
    """Where among the inputs each result lies."""
    i = np.arange(out, dtype=kind)
    if align_corners:
        return i * np.dtype(kind).type((n - 1) / (out - 1) if out > 1 else 0)
    half = np.dtype(kind).type(0.5)
    return np.dtype(kind).type(_step(n, out, scale)) * (i + half) - half


def _keys(x: Any, a: float) -> Any:
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Any) -> Any:
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)
