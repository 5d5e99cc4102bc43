"""Selecting elements by indices: indexing, lookup, gather and scatter. Gradients of duplicate indices accumulate."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.engine.autograd.node import NOTHING, Function
from gradus.engine.dtypes import Array
from gradus.engine.kernels import embedding as kernels
from gradus.engine.ops.broadcast import sum_to


class Slice(Function):
    """y = x[i, :, a:b, None, ...], a view.    dx = dy there, 0 elsewhere"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, index: Any) -> Array:
        self.shape, self.index = x.shape, index
        y = x[index]
        return y if type(y) is np.ndarray else x[(*index, ...)]  # a single number, too, as a view

    def backward(self, dy: Array) -> Array:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        dx[self.index] = dy
        return dx

    def name(self) -> str:
        parts = self.index if isinstance(self.index, tuple) else (self.index,)
        kinds = [p for p in parts if p is not Ellipsis and p != slice(None)]
        last = kinds[-1] if kinds else None
        if last is None:
            return "UnsqueezeBackward0" if any(p is None for p in parts) else "AliasBackward0"
        return "SelectBackward0" if isinstance(last, int) else "SliceBackward0"


class Index(Function):
    """y = x[index], the index holding arrays of positions or truth values.    dx[index] += dy"""

    keeps = NOTHING
    of_rows = False  # whether it is one array of positions

    def forward(self, x: Array, index: Any) -> Array:
        self.shape, self.index = x.shape, index
        if len(index) == 1 and index[0].dtype.kind == "i":
            self.of_rows = True
            return x.take(index[0], 0)
        return np.asarray(x[index])

    def backward(self, dy: Array) -> Array:
        dx = np.zeros(self.shape, dy.dtype)
        if self.of_rows:
            kernels.add_rows(dx, self.index[0], dy)
        else:
            np.add.at(dx, self.index, dy)
        return dx


class IndexPut(Function):
    """In place: x[index] = value (or += value).    dx = 0 there (or dy),  dvalue = dy[index]"""

    into_repeated = "index_put_"

    def forward(self, x: Array, value: Any, index: Any, accumulate: bool) -> Array:
        self.index, self.accumulate = index, accumulate
        self.shape = value.shape if isinstance(value, np.ndarray) else ()
        y = x.copy()
        if accumulate:
            np.add.at(y, index, value)
        else:
            y[index] = value
        return y

    def backward(self, dy: Array) -> Any:
        dvalue = sum_to(np.asarray(dy[self.index]), self.shape) if self.edges[1] is not None else None
        if self.accumulate:
            return dy, dvalue
        dx = dy.copy()
        dx[self.index] = 0
        return dx, dvalue


class IndexSelect(Function):
    """y = x at the given positions of one axis.    dx += dy at them"""

    def forward(self, x: Array, index: Array, axis: int) -> Array:
        self.shape, self.index, self.axis = x.shape, index, axis
        return np.take(x, index, axis=axis)

    def backward(self, dy: Array) -> Any:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        np.add.at(np.moveaxis(dx, self.axis, 0), self.index, np.moveaxis(dy, self.axis, 0))
        return dx, None


def along(index: Array, axis: int) -> tuple[Array, ...]:
    """The full index that picks x[i, index[i, j], ...] along one axis, every other position its own."""
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    return tuple(places)


class Gather(Function):
    """y[i, j] = x[i, index[i, j]] (along axis 1, say).    dx[i, index[i, j]] += dy[i, j]"""

    def forward(self, x: Array, index: Array, axis: int) -> Array:
        self.shape, self.index, self.axis = x.shape, index, axis
        return x[along(index, axis)] if x.ndim else x.copy()

    def backward(self, dy: Array) -> Any:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        if dx.ndim:
            np.add.at(dx, along(self.index, self.axis), dy)
        else:
            dx += dy
        return dx, None


class Scatter(Function):
    """y = x with y[i, index[i, j]] = (or +=) src[i, j].    dx = dy, 0 where replaced;  dsrc = dy[i, index[i, j]]"""

    def forward(self, x: Array, src: Any, index: Array, *, axis: int, add: bool) -> Array:
        self.index, self.axis, self.add = index, axis, add
        self.src_shape = src.shape if isinstance(src, np.ndarray) else None
        y = x.copy()
        if not index.size:
            return y
        places: Any = along(index, axis) if x.ndim else ()
        values = src[tuple(slice(n) for n in index.shape)] if isinstance(src, np.ndarray) else src
        if add:
            np.add.at(y, places, values)
        else:
            y[places] = values
        return y

    def backward(self, dy: Array) -> Any:
        if not self.index.size:
            return dy, None if self.src_shape is None else np.zeros(self.src_shape, dy.dtype), None
        places: Any = along(self.index, self.axis) if dy.ndim else ()
        dsrc = None
        if self.edges[1] is not None and self.src_shape is not None:
            dsrc = np.zeros(self.src_shape, dtype=dy.dtype)
            dsrc[tuple(slice(n) for n in self.index.shape)] = dy[places]
        if self.add:
            return dy, dsrc, None
        dx = dy.copy()
        dx[places] = 0
        return dx, dsrc, None

    def name(self) -> str:
        return "ScatterAddBackward0" if self.add else "ScatterBackward0"
