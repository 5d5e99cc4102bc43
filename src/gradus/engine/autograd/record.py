"""Recording operations on tensors, in place or not.

A tensor has three things besides its array. The node that computed it (`_node`, its grad_fn), to which its gradient
goes. A version counter, incremented by each in-place operation and shared by all tensors on the same memory. And, for
a view, the tensor of which it is a view (`_base`): writing into a view changes the base, so the base gets a new
grad_fn, a `CopySlices` node, and every other view of it gets a new one when it is next used.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradus.engine.autograd.grad_mode import no_grad, state
from gradus.engine.autograd.node import (
    INPUTS,
    LEAF,
    OUTPUT,
    AccumulateGrad,
    Edge,
    Function,
    Node,
    Output,
    SavedVersion,
    numbers,
    short,
)
from gradus.engine.dtypes import FLOATING, Array
from gradus.engine.kernels import FLOAT32, addition
from gradus.engine.ops.number_types import SPECIAL, suited

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor


_new = object.__new__
_ndarray = np.ndarray
_NOTHING = np.empty(0)
_Tensor: Any  # the class of results, set by `results_are`


class Variable:
    """An array and its grad_fn; `Tensor` adds the methods."""

    # What every tensor has is in slots; the rest are class attributes until a tensor sets its own.
    __slots__ = ("__dict__", "__weakref__", "_array", "_base", "_counter", "_grad", "_node")

    number: ClassVar[int] = 0  # of a leaf; those of nodes are negative

    _array: Array
    _counter: list[Any] | None  # the version; and, after a recorded in-place operation, its name
    _node: Node | None  # its grad_fn, or LEAF; None: it requires no gradient
    _grad: Tensor | None
    _base: Tensor | None

    _rewired: int = 0  # how often this base's grad_fn was replaced
    _seen: int = 0  # ... and the count that a view has seen
    _hooks: list[tuple[Callable[[Tensor], Tensor | None]]] | None = None
    _as_node: weakref.ref[AccumulateGrad] | None = None
    _retains: bool = False
    _watched: bool = False  # whether this leaf ever had hooks
    _after_accumulation: list[Callable[[Tensor], None]] | None = None
    _one_of_several: bool = False  # an output of an operation with several views, such as unbind or split

    def __new__(cls, *_: Any, **__: Any) -> Self:
        return cls._wrap(_NOTHING)  # `__init__` sets its array

    @classmethod
    def _wrap(cls, array: Array) -> Self:
        """A tensor of this class with this array, not a copy, that requires no gradient."""
        out = _new(cls)
        out._array = np.asarray(array)
        out._base = out._counter = out._grad = out._node = None
        return out

    @property
    def _version_counter(self) -> list[Any]:
        """The version counter, created when first needed, and shared by tensors on the same memory."""
        counter = self._counter
        if counter is None:
            counter = self._counter = [0]
        return counter

    def _edge(self) -> Edge:
        """Where this tensor's gradient goes."""
        base = self._base
        if base is not None and self._seen != base._rewired:
            _follow_base(cast("Tensor", self))
        return self if self._node is LEAF else self._node

    def _accumulator(self) -> AccumulateGrad:
        """The leaf's AccumulateGrad node; the same one as long as it is referenced."""
        node = None if self._as_node is None else self._as_node()
        if node is None:
            node = AccumulateGrad(self)
            self._as_node = weakref.ref(node)
        return node

    def _accumulate(self, gradient: Array) -> None:
        """Add to `.grad`; a first gradient is copied."""
        if self._grad is None:
            self._grad = wrap(np.array(gradient, dtype=self._array.dtype, order="C"))
        else:
            grad = self._grad._array
            np.add(grad, gradient, out=grad, casting="same_kind")
            self._grad._version_counter[0] += 1
        if self._after_accumulation is not None:
            with no_grad():
                for hook in self._after_accumulation:
                    hook(cast("Tensor", self))

    def _become(self, node: Node) -> None:
        """Replace this tensor's grad_fn."""
        old = self._node
        if self._retains and old is not None:
            old.retained = None
        self._node = node
        if self._retains:
            node.retained = weakref.ref(cast("Tensor", self))
            node.watched = True


def results_are(kind: type[Tensor]) -> None:
    """Set the class of results."""
    global _Tensor
    _Tensor = kind


def wrap(array: Any) -> Tensor:
    """A tensor with this array, not a copy, that requires no gradient; a NumPy scalar becomes a 0-d tensor."""
    out = _new(_Tensor)
    out._array = array if type(array) is _ndarray else np.asarray(array)
    out._base = out._counter = out._grad = out._node = None
    return out


def writable(gradient: Array) -> Array:
    """A gradient that a custom backward or a hook may write into."""
    return gradient if gradient.flags.writeable else gradient.copy()


def apply(op: type[Function], *inputs: Any, option: Any = None, **options: Any) -> Any:
    """Compute an operation, and record it if an input requires a gradient.

    Positional inputs may be tensors, to which gradients flow, or constants; options never have gradients. Returns a
    Tensor, or a tuple of them if the operation's `forward` returns one.
    """
    enabled, recorded, letter = state.enabled, False, ""
    arrays: list[Any] = []
    edges: list[Edge] = []
    saved: list[SavedVersion] = []
    for x in inputs:
        edge: Edge = None
        if isinstance(x, Variable):
            if enabled:
                edge = x._edge()
            if edge is not None:
                recorded = True
            array, counter = x._array, x._version_counter
            if array.dtype is not FLOAT32 and array.dtype.char in SPECIAL:
                letter = array.dtype.char
            arrays.append(array)
            saved.append((counter, counter[0], id(array), edge))
        else:
            arrays.append(x)
        edges.append(edge)
    if letter:
        op = suited(op, letter)
    if not recorded:
        return _unrecorded(op, arrays, inputs[0], option, **options)
    node = op()
    node.edges, node.saved = edges, saved if op.keeps & INPUTS else ()
    result = node.forward(*arrays, **options) if option is None else node.forward(*arrays, option)
    return _recorded(node, result, op.keeps, inputs[0])


def apply_one(op: type[Function], x: Tensor, option: Any = None) -> Any:
    """`apply`, specialized for one tensor and at most one option: this and `apply_two` are nine of ten calls."""
    edge = x._node if x._base is None else x._edge()
    array = x._array
    if array.dtype is not FLOAT32 and array.dtype.char in SPECIAL:
        op = suited(op, array.dtype.char)
    if edge is None or not state.enabled:
        return _unrecorded(op, (array,), x, option)
    node = op()
    node.edges = (x if edge is LEAF else edge,)
    result = node.forward(array) if option is None else node.forward(array, option)
    keeps = node.keeps
    if keeps & INPUTS:
        counter = x._counter or x._version_counter
        node.saved = ((counter, counter[0], id(array), edge),)
    else:
        node.saved = ()
    if type(result) is not _ndarray or node.view:
        return _recorded(node, result, keeps, x)
    out = _new(_Tensor)
    out._array = result
    out._base = out._counter = out._grad = None
    out._node = node
    node.number = next(numbers)
    if keeps & OUTPUT:
        out._counter = counter = [0]
        node.saved = (*node.saved, (counter, 0, id(result), True))
    return out


def apply_two(op: type[Function], a: Any, b: Any, option: Any = None) -> Any:
    """`apply`, specialized for two tensors and at most one option."""
    to_a = a._node if a._base is None else a._edge()
    to_b = b._node if b._base is None else b._edge()
    x, y = a._array, b._array
    if x.dtype is not FLOAT32 and x.dtype.char in SPECIAL:
        op = suited(op, x.dtype.char)
    if (to_a is None and to_b is None) or not state.enabled:
        if option is None and x.size < addition.LEAST and (ufunc := op.ufunc) is not None:
            return wrap(ufunc(x, y))
        return _unrecorded(op, (x, y), a, option)
    node = op()
    node.edges = (a if to_a is LEAF else to_a, b if to_b is LEAF else to_b)
    result = node.forward(x, y) if option is None else node.forward(x, y, option)
    keeps = node.keeps
    if keeps & INPUTS:
        counter, other = a._counter or a._version_counter, b._counter or b._version_counter
        node.saved = ((counter, counter[0], id(x), to_a), (other, other[0], id(y), to_b))
    else:
        node.saved = ()
    if type(result) is not _ndarray:
        return _recorded(node, result, keeps, a)
    out = _new(_Tensor)
    out._array = result
    out._base = out._counter = out._grad = None
    out._node = node
    node.number = next(numbers)
    if keeps & OUTPUT:
        out._counter = counter = [0]
        node.saved = (*node.saved, (counter, 0, id(result), True))
    return out


def _unrecorded(op: type[Function], arrays: Sequence[Any], first: Any, option: Any = None, **options: Any) -> Any:
    """Compute an operation without recording it."""
    node = op()
    node.edges = (None,) * len(arrays)
    result = node.forward(*arrays, **options) if option is None else node.forward(*arrays, option)
    if type(result) is tuple:
        return _several(node, result, first, recorded=False)
    out = wrap(result)
    if op.view:
        _share(out, first)
    return out


def _recorded(node: Function, result: Any, keeps: int, first: Any) -> Any:
    """Wrap the result of a recorded operation, one array or several."""
    if type(result) is not _ndarray:
        if type(result) is tuple:
            return _several(node, result, first, recorded=True)
        result = node.keep_as_array(result)
    node.number = next(numbers)
    out = _new(_Tensor)
    out._array = result
    out._base = out._counter = out._grad = None
    out._node = node if result.dtype.kind in FLOATING else None  # integers have no gradient
    if not keeps:
        if node.view:
            _share(out, first)
    elif keeps & OUTPUT:
        out._counter = counter = [0]
        node.saved = (*node.saved, (counter, 0, id(result), True))  # type: ignore[misc]
    return out


def _several(node: Function, arrays: tuple[Array, ...], first: Any, *, recorded: bool) -> tuple[Tensor, ...]:
    node.outputs, node.number = len(arrays), next(numbers)
    several = []
    for i, array in enumerate(arrays):
        out = wrap(array)
        if node.view:
            _share(out, first)
        if recorded and array.dtype.kind in FLOATING:
            out._node = Output(node, i)
            out._one_of_several = node.view
            saved_version = (out._version_counter, out._version_counter[0], id(array), True)
            node.saved = (*(node.saved or ()), saved_version)
        several.append(out)
    return tuple(several)


def _share(view: Tensor, source: Tensor) -> None:
    """Let a result share its input's base and version counter, if it is a view of it."""
    part, whole = view._array, source._array
    owner = whole.base
    if part.base is (whole if owner is None else owner) or _same_memory(part, whole):
        base = source if source._base is None else source._base
        view._base, view._counter = base, base._version_counter
        if base._rewired:
            view._seen = base._rewired


def viewed(source: Tensor, view: Array, op: type[Function], index: Any) -> Tensor:
    """`apply_one(op, source, index)`, given the view of source's array that it would compute."""
    edge = source._node if source._base is None else source._edge()
    out = _new(_Tensor)
    out._array = view
    out._grad = out._node = None
    out._base = base = source if source._base is None else source._base
    out._counter = base._counter or base._version_counter
    if base._rewired:
        out._seen = base._rewired
    if edge is not None and state.enabled:
        node = out._node = op()
        node.edges, node.saved, node.number = (source if edge is LEAF else edge,), (), next(numbers)
        node.shape, node.index = source._array.shape, index  # type: ignore[attr-defined]
    return cast("Tensor", out)


def unrecorded(x: Variable) -> bool:
    """Whether operations on this tensor are not recorded."""
    return not state.enabled or (x._node is None and (x._base is None or x._edge() is None))


def _same_memory(part: Array, whole: Array) -> bool:
    return part is whole or not part.size or np.may_share_memory(part, whole)


# ---- in-place operations


def apply_(target: Tensor, op: type[Function], *inputs: Any, option: Any = None, **options: Any) -> Tensor:
    """Compute `op(target, *inputs)`, write the result into `target`, and record it if an input requires a gradient.

    Raises:
        RuntimeError: if target is a leaf that requires a gradient, or the result has another shape.
    """
    arguments = (target, *inputs)
    edges: list[Edge] = [x._edge() if isinstance(x, Variable) and state.enabled else None for x in arguments]
    recorded = any(edge is not None for edge in edges)
    if recorded:
        _refuse_leaf(target)
    for x in inputs:
        if isinstance(x, Variable) and x._version_counter is target._version_counter:
            _refuse_partial_overlap(target._array, x._array)
    before = target._array
    repeated = before.base is not None and 0 in before.strides
    if repeated:
        refuse_repeated(before, op.into_repeated)
    if before.dtype.char in SPECIAL:
        op = suited(op, before.dtype.char)
    node = op()
    node.edges = edges
    arrays = [x._array if isinstance(x, Variable) else x for x in arguments]
    result = node.forward(*arrays, **options) if option is None else node.forward(*arrays, option)
    if isinstance(result, np.generic):
        result = node.keep_as_array(result)
    if result.shape != before.shape:
        raise RuntimeError(
            f"output with shape {list(before.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    if recorded:
        attributes = (node.wrapped or node).__dict__
        for name, value in attributes.items():
            if value is before:
                attributes[name] = before.copy()  # backward needs the old values
            elif value is result:
                attributes[name] = before  # ... or the new ones
    whole = result.base is None and before.base is None and result is not before
    if not whole and np.may_share_memory(result, before):
        result = result.copy()
    if repeated:
        np.copyto(before, result, where=result != before)
    else:
        before[...] = result
    target._version_counter[0] += 1
    if recorded:
        saved: list[SavedVersion] = []
        for x, edge in zip(arguments, edges, strict=True):
            if isinstance(x, Variable):
                saved.append((x._version_counter, x._version_counter[0], id(x._array), x is target or edge))
        node.join(edges, saved)
        rewire(target, node)
    return target


def rewire(target: Tensor, node: Function | Output) -> None:
    """Make `node`, whose first edge leads to target's old grad_fn, its new one, after an in-place operation."""
    base = target._base
    target._version_counter[1:] = [node.name() if base is None else "CopySlices"]
    if base is None:
        target._become(node)
        target._rewired += 1
        return
    if base._node is LEAF and state.enabled and base._rewired == 0:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    assert isinstance(node, Function)
    whole = CopySlices(node, base, target)
    whole.join((base._edge(), *node.edges[1:]), node.saved or ())
    base._become(whole)
    base._rewired += 1
    _follow_base(target)


def become_view(target: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
    """Turn a tensor into a view of itself, in place: with the view's shape, strides and grad_fn."""
    before = wrap(target._array)  # stands for the old target
    recorded = state.enabled and target._edge() is not None
    if recorded:
        _refuse_leaf(target)
        before._node = target._node
    out = view(before)
    target._array = out._array
    target._version_counter[0] += 1
    if recorded and out._node is not None and out is not before:
        target._become(out._node)
        target._rewired += target._base is None
    return target


def _refuse_leaf(target: Tensor) -> None:
    if target._base is not None:
        if target._one_of_several:
            _refuse_one_of_several(target, "is being modified inplace")
        base = target._base
        if base._node is LEAF:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    elif target._node is LEAF:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def _refuse_partial_overlap(a: Array, b: Array) -> None:
    """Raise if two arrays overlap in memory, unless they are the same elements in the same order."""
    if not (a.size and b.size and _dense(a) and _dense(b)):
        return
    start_a, start_b = (x.__array_interface__["data"][0] for x in (a, b))
    same = start_a == start_b and a.nbytes == b.nbytes and a.strides == b.strides
    if not same and start_a < start_b + b.nbytes and start_b < start_a + a.nbytes:
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )


def _dense(array: Array) -> bool:
    """Whether an array's elements fill a block of memory without gaps, in any order of its axes."""
    step = array.itemsize
    for stride, size in sorted(zip(array.strides, array.shape, strict=True)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def _refuse_one_of_several(view: Tensor, what: str) -> None:
    node = view._node
    maker, index = "(none)" if node is None else short(node.name()), node.index if isinstance(node, Output) else 0
    raise RuntimeError(
        f"Output {index} of {maker} is a view and {what}. This view is the output of a function that returns "
        "multiple views. Such functions do not allow the output views to be modified inplace. You should replace the "
        "inplace operation by an out-of-place one."
    )


def refuse_repeated(array: Array, deprecated: str = "") -> None:
    """Raise if several elements of an array to write to share memory, as in an expanded tensor; if the operation is
    deprecated there, only warn.
    """
    if not any(stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True)):
        return
    if not array.size:
        return
    if not deprecated:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )
    warnings.warn(
        f"Use of {deprecated} on expanded tensors is deprecated. Please clone() the tensor before performing this "
        "operation. This also applies to advanced indexing e.g. tensor[indices] = tensor",
        UserWarning,
        stacklevel=4,
    )


def _follow_base(view: Tensor) -> None:
    """Give a view a grad_fn on top of its base's present one."""
    base = view._base
    assert base is not None
    if view._one_of_several:
        _refuse_one_of_several(view, "its base or another view of its base has been modified inplace")
    view._seen = base._rewired
    edge = base._edge()
    if edge is None:
        view._node = None
        return
    node = AsStrided(base, view)
    node.join((edge,))
    view._become(node)


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
