"""A tensor's place in the graph: what `apply` records of an operation, and what a change in place does to the
record.

Three things are kept beside the array. The node that made it (`_node`), where a gradient would go. A version, counted
up by each change in place and shared by all tensors on the same memory. And, for a view, the tensor that it is a view
of (`_base`): writing into a view changes the base, so the base's place in the graph moves to a `CopySlices` node, and
every other view of it finds its new place when next used.
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
    Note,
    Output,
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
    """An array and its place in the graph; `Tensor` adds the methods."""

    # What every tensor has is in slots, the rest with the class until a tensor has its own.
    __slots__ = ("__dict__", "__weakref__", "_array", "_base", "_counter", "_grad", "_node")

    number: ClassVar[int] = 0  # a leaf has none: those of nodes are below

    _array: Array
    _counter: list[Any] | None  # how many changes in place; and, if one was recorded, what made the last
    _node: Node | None  # what made it, or LEAF; None: no gradient is wanted
    _grad: Tensor | None
    _base: Tensor | None

    _rewired: int = 0  # how often this base's place in the graph has moved
    _seen: int = 0  # ... and the count a view knows of
    _hooks: list[tuple[Callable[[Tensor], Tensor | None]]] | None = None
    _as_node: weakref.ref[AccumulateGrad] | None = None
    _retains: bool = False
    _watched: bool = False  # whether this leaf was ever given hooks
    _after_accumulation: list[Callable[[Tensor], None]] | None = None
    _one_of_several: bool = False  # a view that came with others, from unbind or split

    def __new__(cls, *_: Any, **__: Any) -> Self:
        return cls._wrap(_NOTHING)  # `__init__` puts its array in place

    @classmethod
    def _wrap(cls, array: Array) -> Self:
        """A tensor of this class, outside any graph, that holds this very array."""
        made = _new(cls)
        made._array = np.asarray(array)
        made._base = made._counter = made._grad = made._node = None
        return made

    @property
    def _version_counter(self) -> list[Any]:
        """The counter of changes, which most tensors never need, and which those on the same memory share."""
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
        """The node that stands for this leaf where a graph is looked at; the same one as long as somebody holds it."""
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
        """Take a new place in the graph."""
        old = self._node
        if self._retains and old is not None:
            old.retained = None
        self._node = node
        if self._retains:
            node.retained = weakref.ref(cast("Tensor", self))
            node.watched = True


def results_are(kind: type[Tensor]) -> None:
    """Have results be of this class."""
    global _Tensor
    _Tensor = kind


def wrap(array: Any) -> Tensor:
    """A tensor outside any graph that holds this array; a NumPy scalar becomes a 0-d one."""
    made = _new(_Tensor)
    made._array = array if type(array) is _ndarray else np.asarray(array)
    made._base = made._counter = made._grad = made._node = None
    return made


def writable(gradient: Array) -> Array:
    """A gradient for a program's own backward or hook, which may write into it."""
    return gradient if gradient.flags.writeable else gradient.copy()


def apply(op: type[Function], *inputs: Any, option: Any = None, **options: Any) -> Any:
    """Compute an operation on tensors and numbers, and record it if a gradient could be wanted.

    Positional inputs may be tensors (gradients flow), or anything else (constants); options never have gradients.
    Returns a Tensor, or a tuple of them where the operation's `forward` returns one.
    """
    enabled, recorded, letter = state.enabled, False, ""
    arrays: list[Any] = []
    edges: list[Edge] = []
    notes: list[Note] = []
    for x in inputs:
        edge: Edge = None
        if isinstance(x, Variable):
            if enabled:
                edge = x._edge()
            if edge is not None:
                recorded = True
            array, version = x._array, x._version_counter
            if array.dtype is not FLOAT32 and array.dtype.char in SPECIAL:
                letter = array.dtype.char
            arrays.append(array)
            notes.append((version, version[0], id(array), edge))
        else:
            arrays.append(x)
        edges.append(edge)
    if letter:
        op = suited(op, letter)
    if not recorded:
        return _unrecorded(op, arrays, inputs[0], option, **options)
    node = op()
    node.edges, node.notes = edges, notes if op.keeps & INPUTS else ()
    result = node.forward(*arrays, **options) if option is None else node.forward(*arrays, option)
    return _recorded(node, result, op.keeps, inputs[0])


def apply_one(op: type[Function], x: Tensor, option: Any = None) -> Any:
    """`apply`, written out for one tensor and at most one option: this and `apply_two` are nine of ten calls."""
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
        version = x._counter or x._version_counter
        node.notes = ((version, version[0], id(array), edge),)
    else:
        node.notes = ()
    if type(result) is not _ndarray or node.view:
        return _recorded(node, result, keeps, x)
    made = _new(_Tensor)
    made._array = result
    made._base = made._counter = made._grad = None
    made._node = node
    node.number = next(numbers)
    if keeps & OUTPUT:
        made._counter = version = [0]
        node.notes = (*node.notes, (version, 0, id(result), True))
    return made


def apply_two(op: type[Function], a: Any, b: Any, option: Any = None) -> Any:
    """`apply`, written out for two tensors and at most one option."""
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
        version, other = a._counter or a._version_counter, b._counter or b._version_counter
        node.notes = ((version, version[0], id(x), to_a), (other, other[0], id(y), to_b))
    else:
        node.notes = ()
    if type(result) is not _ndarray:
        return _recorded(node, result, keeps, a)
    made = _new(_Tensor)
    made._array = result
    made._base = made._counter = made._grad = None
    made._node = node
    node.number = next(numbers)
    if keeps & OUTPUT:
        made._counter = version = [0]
        node.notes = (*node.notes, (version, 0, id(result), True))
    return made


def _unrecorded(op: type[Function], arrays: Sequence[Any], first: Any, option: Any = None, **options: Any) -> Any:
    """Compute an operation that leaves no trace."""
    node = op()
    node.edges = (None,) * len(arrays)
    result = node.forward(*arrays, **options) if option is None else node.forward(*arrays, option)
    if type(result) is tuple:
        return _several(node, result, first, recorded=False)
    made = wrap(result)
    if op.view:
        _share(made, first)
    return made


def _recorded(node: Function, result: Any, keeps: int, first: Any) -> Any:
    """What an operation gave, as a tensor or several, whose place in the graph is behind its node."""
    if type(result) is not _ndarray:
        if type(result) is tuple:
            return _several(node, result, first, recorded=True)
        result = node.keep_as_array(result)
    node.number = next(numbers)
    made = _new(_Tensor)
    made._array = result
    made._base = made._counter = made._grad = None
    made._node = node if result.dtype.kind in FLOATING else None  # integers have no gradient
    if not keeps:
        if node.view:
            _share(made, first)
    elif keeps & OUTPUT:
        made._counter = version = [0]
        node.notes = (*node.notes, (version, 0, id(result), True))  # type: ignore[misc]
    return made


def _several(node: Function, arrays: tuple[Array, ...], first: Any, *, recorded: bool) -> tuple[Tensor, ...]:
    node.outputs, node.number = len(arrays), next(numbers)
    several = []
    for i, array in enumerate(arrays):
        made = wrap(array)
        if node.view:
            _share(made, first)
        if recorded and array.dtype.kind in FLOATING:
            made._node = Output(node, i)
            made._one_of_several = node.view
            note = (made._version_counter, made._version_counter[0], id(array), True)
            node.notes = (*(node.notes or ()), note)
        several.append(made)
    return tuple(several)


def _share(view: Tensor, source: Tensor) -> None:
    """If an operation gave a view of its input, or the input itself, they have one base and one version."""
    part, whole = view._array, source._array
    owner = whole.base
    if part.base is (whole if owner is None else owner) or _same_memory(part, whole):
        base = source if source._base is None else source._base
        view._base, view._counter = base, base._version_counter
        if base._rewired:
            view._seen = base._rewired


def viewed(source: Tensor, view: Array, op: type[Function], index: Any) -> Tensor:
    """A view of source's array as a tensor: `apply_one(op, source, index)` where the view is at hand already."""
    edge = source._node if source._base is None else source._edge()
    made = _new(_Tensor)
    made._array = view
    made._grad = made._node = None
    made._base = base = source if source._base is None else source._base
    made._counter = base._counter or base._version_counter
    if base._rewired:
        made._seen = base._rewired
    if edge is not None and state.enabled:
        node = made._node = op()
        node.edges, node.notes, node.number = (source if edge is LEAF else edge,), (), next(numbers)
        node.shape, node.index = source._array.shape, index  # type: ignore[attr-defined]
    return cast("Tensor", made)


def unrecorded(x: Variable) -> bool:
    """Whether what is done to this tensor leaves no trace in a graph."""
    return not state.enabled or (x._node is None and (x._base is None or x._edge() is None))


def _same_memory(part: Array, whole: Array) -> bool:
    return part is whole or not part.size or np.may_share_memory(part, whole)


# ---- changes in place


def apply_(target: Tensor, op: type[Function], *inputs: Any, option: Any = None, **options: Any) -> Tensor:
    """Compute `op(target, *inputs)` and write the result into `target`, moving its place in the graph if it has one.

    Raises:
        RuntimeError: if target is a leaf that wants a gradient, or the result does not fit its shape.
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
        kept = (node.wrapped or node).__dict__
        for name, value in kept.items():
            if value is before:
                kept[name] = before.copy()  # backward wants what was there
            elif value is result:
                kept[name] = before  # ... or what is there now
    whole = result.base is None and before.base is None and result is not before
    if not whole and np.may_share_memory(result, before):
        result = result.copy()
    if repeated:
        np.copyto(before, result, where=result != before)
    else:
        before[...] = result
    target._version_counter[0] += 1
    if recorded:
        notes: list[Note] = []
        for x, edge in zip(arguments, edges, strict=True):
            if isinstance(x, Variable):
                notes.append((x._version_counter, x._version_counter[0], id(x._array), x is target or edge))
        node.join(edges, notes)
        rewire(target, node)
    return target


def rewire(target: Tensor, node: Function | Output) -> None:
    """After a recorded change in place: `node`, whose first edge is target's old place, made what target now holds."""
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
    whole.join((base._edge(), *node.edges[1:]), node.notes or ())
    base._become(whole)
    base._rewired += 1
    _follow_base(target)


def become_view(target: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
    """Make of this very tensor what a view of it is: the same memory, its place in the graph behind the view's."""
    before = wrap(target._array)  # stands for what target was
    recorded = state.enabled and target._edge() is not None
    if recorded:
        _refuse_leaf(target)
        before._node = target._node
    made = view(before)
    target._array = made._array
    target._version_counter[0] += 1
    if recorded and made._node is not None and made is not before:
        target._become(made._node)
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
    """Raise if two blocks of memory share numbers, but do not hold the same ones in the same order."""
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
    """Whether an array's numbers fill a block of memory, in whatever order of its axes."""
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
    """Raise if an array that is to be written has several elements in one place, as an expanded one has; or only warn
    of an operation that is allowed to do it.
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
    """Give a view its place behind the one its base has now."""
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
    """Where a view lies in its base: offset and strides, which hold on any memory laid out as the base's."""

    def __init__(self, base: Variable, view: Variable) -> None:
        whole, part = base._array, view._array
        self.dtype, self.part_dtype = whole.dtype, part.dtype
        self.whole_shape, self.whole_strides = whole.shape, whole.strides
        self.part_shape, self.part_strides = part.shape, part.strides
        self.offset = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        spans = [(size - 1) * stride for size, stride in zip(whole.shape, whole.strides, strict=True)]
        self.extent = 1 + sum(spans) // whole.itemsize

    def zeros(self) -> tuple[Array, Array]:
        """Zeros laid out as the base, and the view's part of them."""
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
        passed = self.written.backward(part.copy())
        first, *others = passed if type(passed) is tuple else (passed,)
        part[...] = 0 if first is None else first
        return whole, *others

    def refuse_changed(self, version: list[Any], noted: int, place: int, edge: Edge | bool) -> None:
        self.written.refuse_changed(version, noted, place, edge)

    def release(self) -> None:
        self.written.release()
        self.notes = self.written.notes


class AsStrided(Function):
    """A view's grad_fn after its base changed: y = x at the view's strides and offset.    dx = dy there, 0 elsewhere"""

    name_ = "AsStridedBackward0"

    def __init__(self, base: Variable, view: Variable) -> None:
        self.geometry = Geometry(base, view)

    def backward(self, dy: Array) -> Array:
        whole, part = self.geometry.zeros()
        repeated = tuple(
            i for i, stride in enumerate(part.strides) if stride == 0
        )  # an expanded axis: its gradients add
        wide = np.float32 if dy.dtype.char in "eE" else None  # 16 bits are too few to add many numbers in
        part[...] = dy.sum(axis=repeated, keepdims=True, dtype=wide) if repeated else dy
        return whole
