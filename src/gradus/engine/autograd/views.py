"""Views whose base was written into.

Writing into a view changes its base, so the base gets a new grad_fn, a `CopySlices` node. Every other view of that base
gets a new one, an `AsStrided` node on top of the base's, when it is next used (`follow_base`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradus.engine.autograd.node import Edge, Function, Output, short
from gradus.engine.dtypes import Array

if TYPE_CHECKING:
    from gradus.engine.autograd.record import Variable
    from gradus.engine.tensor import Tensor


def follow_base(view: Tensor) -> None:
    """Give a view a grad_fn on top of its base's present one."""
    base = view._base
    assert base is not None
    if view._one_of_several:
        refuse_one_of_several(view, "its base or another view of its base has been modified inplace")
    view._seen = base._rewired
    edge = base._edge()
    if edge is None:
        view._node = None
        return
    node = AsStrided(base, view)
    node.join((edge,))
    view._become(node)


def refuse_one_of_several(view: Tensor, what: str) -> None:
    """Raise for a view of which the operation that made it returned several, as unbind does."""
    node = view._node
    maker, index = "(none)" if node is None else short(node.name()), node.index if isinstance(node, Output) else 0
    raise RuntimeError(
        f"Output {index} of {maker} is a view and {what}. This view is the output of a function that returns "
        "multiple views. Such functions do not allow the output views to be modified inplace. You should replace the "
        "inplace operation by an out-of-place one."
    )


class Geometry:
    """A view's offset and strides in its base, valid for any memory with the base's layout."""

    def __init__(self, base: Variable, view: Variable) -> None:
        whole, part = base._array, view._array
        self.dtype, self.part_dtype = whole.dtype, part.dtype
        self.whole_shape, self.whole_strides = whole.shape, whole.strides
        self.part_shape, self.part_strides = part.shape, part.strides
        self.offset = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        spans = [(size - 1) * stride for size, stride in zip(whole.shape, whole.strides, strict=True)]
        self.extent = 1 + sum(spans) // whole.itemsize

    def zeros(self) -> tuple[Array, Array]:
        """Zeros with the base's layout, and the view of them."""
        memory = np.zeros(self.extent, dtype=self.dtype)
        whole = as_strided(memory, shape=self.whole_shape, strides=self.whole_strides)
        start = memory.view(np.uint8)[self.offset :]
        part = as_strided(start[: self.part_dtype.itemsize].view(self.part_dtype), self.part_shape, self.part_strides)
        return whole, part


class CopySlices(Function):
    """The base's new grad_fn after an in-place operation on a view of it.

    The gradient of the overwritten elements goes to the operation that wrote them, the rest to the base's old grad_fn.
    """

    name_ = "torch::autograd::CopySlices"

    def __init__(self, written: Function, base: Variable, view: Variable) -> None:
        self.written = written
        self.geometry = Geometry(base, view)

    def backward(self, dy: Array) -> Any:
        whole, part = self.geometry.zeros()
        whole[...] = dy
        gradients = self.written.backward(part.copy())
        first, *others = gradients if type(gradients) is tuple else (gradients,)
        part[...] = 0 if first is None else first
        return whole, *others

    def refuse_changed(self, counter: list[Any], version: int, address: int, edge: Edge | bool) -> None:
        self.written.refuse_changed(counter, version, address, edge)

    def release(self) -> None:
        self.written.release()
        self.saved = self.written.saved


class AsStrided(Function):
    """A view's grad_fn after its base changed: y = x at the view's strides and offset.    dx = dy there, 0 elsewhere"""

    name_ = "AsStridedBackward0"

    def __init__(self, base: Variable, view: Variable) -> None:
        self.geometry = Geometry(base, view)

    def backward(self, dy: Array) -> Array:
        whole, part = self.geometry.zeros()
        expanded = tuple(i for i, stride in enumerate(part.strides) if stride == 0)  # axes whose gradients are summed
        wide = np.float32 if dy.dtype.char in "eE" else None  # 16 bits are too few to accumulate in
        part[...] = dy.sum(axis=expanded, keepdims=True, dtype=wide) if expanded else dy
        return whole
