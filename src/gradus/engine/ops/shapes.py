"""The same numbers, otherwise arranged: their gradients are rearranged back.

Those marked `view` give a window on their input's memory wherever NumPy can; the others copy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradus.engine.autograd.node import NOTHING, Function
from gradus.engine.dtypes import Array
from gradus.engine.ops.broadcast import sum_to

Shape = tuple[int, ...]


class View(Function):
    """y = x in another shape, the numbers in the same order.    dx = dy in x's shape"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, shape: Shape) -> Array:
        self.shape = x.shape
        return x.reshape(shape)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self.shape)


class Alias(Function):
    """y = x, another name for the same memory.    dx = dy"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return x[...]

    def backward(self, dy: Array) -> Array:
        return dy


class Transpose(Function):
    """y = x with two axes exchanged.    dx = dy with them exchanged back"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, a: int, b: int) -> Array:
        self.a, self.b = a, b
        return x.swapaxes(a, b) if x.ndim else x[...]

    def backward(self, dy: Array) -> Array:
        return dy.swapaxes(self.a, self.b) if dy.ndim else dy

    def name(self) -> str:
        return "TransposeBackward0"


class T(Function):
    """y = xᵀ.    dx = dyᵀ"""

    name_ = "TBackward0"
    view = True
    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return x.T

    def backward(self, dy: Array) -> Array:
        return dy.T


class Permute(Function):
    """y = x with its axes in the given order.    dx = dy in the inverse order"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, order: Shape) -> Array:
        self.order = order
        return x.transpose(order)

    def backward(self, dy: Array) -> Array:
        inverse = [0] * len(self.order)
        for new, old in enumerate(self.order):
            inverse[old] = new
        return dy.transpose(inverse)


class Expand(Function):
    """y = x repeated along axes of size 1, without copying.    dx = Σ dy over them"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, shape: Shape) -> Array:
        self.shape = x.shape
        y = np.broadcast_to(x, shape)
        y.flags.writeable = x.flags.writeable
        return y

    def backward(self, dy: Array) -> Array:
        return sum_to(dy, self.shape)


class Squeeze(Function):
    """y = x without the given axes of size 1.    dx = dy with them"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, axis: Shape | None, single: bool = False) -> Array:
        self.shape, self.axis, self.single = x.shape, axis, single
        keep = [n for i, n in enumerate(x.shape) if not (n == 1 and (axis is None or i in axis))]
        return x.reshape(keep)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self.shape)

    def name(self) -> str:
        return "SqueezeBackward0" if self.axis is None else f"SqueezeBackward{1 if self.single else 2}"


class Unsqueeze(Function):
    """y = x with an axis of size 1 put in.    dx = dy without it"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, axis: int) -> Array:
        self.axis = axis
        return np.expand_dims(x, axis)

    def backward(self, dy: Array) -> Array:
        return dy.squeeze(self.axis)


class Diagonal(Function):
    """y = the diagonal of two axes, as the last axis.    dx = dy on the diagonal, 0 elsewhere"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, offset: int, a: int, b: int) -> Array:
        self.shape, self.where = x.shape, (offset, a, b)
        y = np.diagonal(x, offset, a, b)
        y.flags.writeable = x.flags.writeable
        return y

    def backward(self, dy: Array) -> Array:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        part = np.diagonal(dx, *self.where)
        part.flags.writeable = True
        part[...] = dy
        return dx


class Unfold(Function):
    """y = windows of a size along one axis, as a new last axis.    dx = Σ dy over the windows a number is in"""

    name_ = "UnfoldBackward0"
    view = True
    keeps = NOTHING

    def forward(self, x: Array, axis: int, size: int, step: int) -> Array:
        self.shape, self.axis, self.size, self.step = x.shape, axis, size, step
        if not x.ndim:
            return x.reshape(1)[:size]
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=x.flags.writeable)
        return windows[(slice(None),) * axis + (slice(None, None, step),)]

    def backward(self, dy: Array) -> Array:
        if not self.shape:
            return np.asarray(dy.sum())
        dx = np.zeros(self.shape, dtype=dy.dtype)
        n = dy.shape[self.axis]
        for i in range(self.size):
            place = (slice(None),) * self.axis + (slice(i, i + self.step * (n - 1) + 1, self.step),)
            dx[place] += dy[..., i]
        return dx


class Split(Function):
    """y₁ ... yₖ = x cut into pieces along one axis, each a view.    dx = the dyᵢ put together again"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, sizes: Shape, axis: int) -> tuple[Array, ...]:
        self.shape, self.axis, self.sizes = x.shape, axis, sizes
        before: tuple[slice, ...] = (slice(None),) * axis
        ends = np.cumsum(sizes).tolist()
        return tuple(x[(*before, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True))

    def backward(self, dys: list[Array | None]) -> Array:
        whole = _whole(dys, self.shape, self.axis)
        if whole is not None:
            return whole
        kind = next(dy.dtype for dy in dys if dy is not None)
        dx = np.empty(self.shape, dtype=kind)
        start = 0
        before: tuple[slice, ...] = (slice(None),) * self.axis
        for size, dy in zip(self.sizes, dys, strict=True):
            dx[(*before, slice(start, start + size))] = 0 if dy is None else dy
            start += size
        return dx


def _whole(pieces: list[Array | None], shape: Shape, axis: int) -> Array | None:
    """The array of this shape of which these are the pieces along an axis, in their order, if it is there already."""
    base = None if pieces[0] is None else pieces[0].base
    if type(base) is not np.ndarray or base.size != math.prod(shape) or not base.flags.c_contiguous:
        return None
    whole: Array = base.reshape(shape)
    place = whole.__array_interface__["data"][0]
    for piece in pieces:
        if piece is None or piece.dtype != whole.dtype or piece.strides != whole.strides:
            return None
        if piece.__array_interface__["data"][0] != place:
            return None
        place += piece.shape[axis] * whole.strides[axis]
    return whole


class Unbind(Function):
    """y₁ ... yₙ = the slices of x along one axis, each a view.    dx = the dyᵢ stacked again"""

    view = True
    keeps = NOTHING

    def forward(self, x: Array, axis: int) -> tuple[Array, ...]:
        self.shape, self.axis = x.shape, axis
        first = np.moveaxis(x, axis, 0)
        return tuple(first[i, ...] for i in range(len(first)))

    def backward(self, dys: list[Array | None]) -> Array:
        kind = next(dy.dtype for dy in dys if dy is not None)
        dx = np.zeros(self.shape, dtype=kind)
        first = np.moveaxis(dx, self.axis, 0)
        for i, dy in enumerate(dys):
            if dy is not None:
                first[i] = dy
        return dx


class Cat(Function):
    """y = the xᵢ one after the other along an axis.    dxᵢ = dy's part"""

    keeps = NOTHING

    def forward(self, *xs: Array, axis: int) -> Array:
        self.axis, self.sizes = axis, [x.shape[axis] for x in xs]
        return np.concatenate(xs, axis=axis)

    def backward(self, dy: Array) -> Any:
        pieces = np.split(dy, np.cumsum(self.sizes)[:-1].tolist(), axis=self.axis)
        return tuple(None if edge is None else piece for piece, edge in zip(pieces, self.edges, strict=True))


class Stack(Function):
    """y = the xᵢ along a new axis.    dxᵢ = dy's slice"""

    keeps = NOTHING

    def forward(self, *xs: Array, axis: int) -> Array:
        self.axis = axis
        return np.stack(xs, axis=axis)

    def backward(self, dy: Array) -> Any:
        return tuple(np.moveaxis(dy, self.axis, 0))


class Contiguous(Function):
    """y = x, copied to lie in order in memory.    dx = dy"""

    name_ = "CloneBackward0"
    keeps = NOTHING

    def forward(self, x: Array) -> Array:
        return np.array(x, order="C")

    def backward(self, dy: Array) -> Array:
        return dy


class Flip(Function):
    """y = x backwards along the given axes.    dx = dy backwards"""

    def forward(self, x: Array, axis: Shape) -> Array:
        self.axis = axis
        return np.flip(x, axis).copy()

    def backward(self, dy: Array) -> Array:
        return np.flip(dy, self.axis).copy()


class Roll(Function):
    """y = x shifted around along the given axes.    dx = dy shifted back"""

    def forward(self, x: Array, shifts: Any, axis: Any) -> Array:
        self.shifts, self.axis = shifts, axis
        return np.roll(x, shifts, axis)

    def backward(self, dy: Array) -> Array:
        back = tuple(-s for s in self.shifts) if isinstance(self.shifts, tuple) else -self.shifts
        return np.roll(dy, back, self.axis)


class Repeat(Function):
    """y = copies of x side by side.    dx = Σ dy over the copies"""

    def forward(self, x: Array, times: Shape) -> Array:
        self.shape, self.times = x.shape, times
        return np.tile(x, times)

    def backward(self, dy: Array) -> Array:
        padded = (1,) * (len(self.times) - len(self.shape)) + self.shape
        pairs = [n for pair in zip(self.times, padded, strict=True) for n in pair]
        return dy.reshape(pairs).sum(axis=tuple(range(0, len(pairs), 2))).reshape(self.shape)


class RepeatInterleave(Function):
    """y = each x several times in a row.    dx = Σ dy over its copies"""

    def forward(self, x: Array, repeats: Any, axis: int) -> Array:
        self.shape, self.axis = x.shape, axis
        self.index = np.repeat(np.arange(x.shape[axis]), repeats)
        return np.repeat(x, repeats, axis)

    def backward(self, dy: Array) -> Array:
        dx = np.zeros(self.shape, dtype=dy.dtype)
        np.add.at(np.moveaxis(dx, self.axis, 0), self.index, np.moveaxis(dy, self.axis, 0))
        return dx


class Triangle(Function):
    """y = x on and below (tril) or on and above (triu) a diagonal, 0 elsewhere.    dx = the same part of dy"""

    def forward(self, x: Array, diagonal: int, lower: bool) -> Array:
        self.diagonal, self.lower = diagonal, lower
        return np.tril(x, diagonal) if lower else np.triu(x, diagonal)

    def backward(self, dy: Array) -> Array:
        return np.tril(dy, self.diagonal) if self.lower else np.triu(dy, self.diagonal)

    def name(self) -> str:
        return "TrilBackward0" if self.lower else "TriuBackward0"
