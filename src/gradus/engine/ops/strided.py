"""Arrays in memory: views by strides, and the memory behind an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradus.engine.autograd.node import NOTHING, Function
from gradus.engine.dtypes import Array

Shape = tuple[int, ...]


class Strided(Function):
    """y = the numbers of x's memory at the given strides, a view.    dx = dy there, Σ where a number is seen twice"""

    name_ = "AsStridedBackward0"
    view = True
    keeps = NOTHING

    def forward(self, x: Array, size: Shape, stride: Shape, offset: int) -> Array:
        whole, start = memory(x)
        steps = tuple(s // x.itemsize for s in x.strides)
        self.mine, self.seen, self.length = (x.shape, steps, start), (size, stride, offset), len(whole)
        return laid_out(whole, size, stride, offset)

    def backward(self, dy: Array) -> Array:
        whole, mine = np.zeros(self.length, dy.dtype), positions(*self.mine)
        np.add.at(whole, positions(*self.seen), dy)
        if any(step == 0 and n > 1 for n, step in zip(*self.mine[:2], strict=True)):
            shared = np.bincount(mine.reshape(-1), minlength=self.length)  # an expanded x: its numbers share a place
            whole /= np.maximum(shared, 1)
        return whole[mine]


def memory(x: Array) -> tuple[Array, int]:
    """All elements of an array's memory, as a vector, and the offset of its first element."""
    root: Any = x
    while True:
        base = root.base
        while base is not None and not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # as_strided puts an object of its own between the two
        if base is None or base.dtype != x.dtype:
            break
        root = base
    if root.flags.forc:
        whole = root.reshape(-1, order="A")
    else:
        whole = as_strided(root, (extent(root.shape, [s // root.itemsize for s in root.strides]),), (root.itemsize,))
    start = x.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return whole, start // x.itemsize


def extent(size: Any, stride: Any) -> int:
    """How many numbers of memory a shape spans at these strides."""
    return 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if 0 not in size else 0


def laid_out(whole: Array, size: Shape, stride: Shape, offset: int) -> Array:
    """The numbers of a memory at the given strides."""
    step = whole.itemsize
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: size={list(size)}, stride={list(stride)}")
    if offset < 0 or any(s < 0 for s in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"
            if offset >= 0
            else f"Tensor: invalid storage offset {offset}"
        )
    need = offset + extent(size, stride)
    if need > len(whole) and 0 not in size:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {step} "
            f"requiring a storage size of {need * step} are out of bounds for storage of size {len(whole) * step}"
        )
    return as_strided(whole[offset:], size, [s * step for s in stride])


def positions(size: Shape, stride: Shape, offset: int) -> Array:
    """The position of each element in memory."""
    place = np.full((), offset, np.int64)
    for n, step in zip(size, stride, strict=True):
        place = np.add.outer(place, np.arange(n) * step)
    return place
