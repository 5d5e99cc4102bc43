"""Recording operations: the class that every tensor is, and the functions that compute an operation and record it.

A tensor has three things besides its array. The node that computed it (`_node`, its grad_fn), to which its gradient
goes. A version counter, incremented by each in-place operation (`in_place.py`) and shared by all tensors on the same
memory. And, for a view, the tensor of which it is a view (`_base`): `views.py` says what writing into a view changes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

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
)
from gradus.engine.autograd.views import follow_base
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
            follow_base(cast("Tensor", self))
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
