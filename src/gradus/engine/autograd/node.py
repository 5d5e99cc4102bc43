"""Nodes, the parts of the graph that a computation leaves behind. Every operation is one.

An operation is a `Function`: `forward` computes with arrays and keeps what its derivative will need as attributes;
`backward` turns the gradient of the result into the gradients of the inputs. Its `edges` lead to the nodes that its
inputs came from, or to the inputs themselves where they are leaves. Nodes are numbered downwards as they are made, so
a node's number is smaller than those of everything it depends on: visiting the smallest number first is a topological
order, and no recursion is needed (`walk.py`).
Nothing here knows a derivative rule, and no tensor either; `variable.py` joins the two.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from gradus.engine.dtypes import Array

if TYPE_CHECKING:
    from gradus.engine.autograd.record import Variable
    from gradus.engine.tensor import Tensor

# Where a gradient goes: the node that made a value, or the leaf itself; None where no gradient is wanted.
Edge: TypeAlias = "Node | Variable | None"
# What waits at a node: the gradient of its value, or a list of them, one for each of an operation's several results
# (each of which comes as a pair, with its place).
Arrived = Array | list[Array | None]
Passed = Sequence[Arrived | None]

numbers = itertools.count(-1, -1)

SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


class Node:
    """A place in the graph: where the gradient of one value arrives, and the edges along which it goes on."""

    # What every node has is in slots; what an operation keeps of its own is in `__dict__`, and nothing else.
    __slots__ = ("__dict__", "__weakref__", "edges", "notes", "number")

    name_: ClassVar[str] = ""  # PyTorch's name for the node, where it differs from the class's

    edges: Sequence[Edge]
    notes: Sequence[Note] | None  # about what is kept for `backward`; None: that is dropped
    number: int

    # These stay with the class, at no cost to the many nodes that never change them.
    outputs: int | None = None  # how many, where it has several
    watched: bool = False  # whether one of the following was ever set
    hooks: list[tuple[Callable[[Tensor], Tensor | None]]] | None = None
    after: list[Callable[[Any, Any], Any]] | None = None
    retained: weakref.ref[Tensor] | None = None  # the tensor whose `.grad` is to be kept

    def __init_subclass__(cls) -> None:
        if "name_" not in cls.__dict__:
            cls.name_ = cls.__name__ + "Backward0"

    def name(self) -> str:
        return self.name_

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that the gradient goes to next, and which output of theirs it is for."""
        return tuple((None, 0) if edge is None else _as_node(edge) for edge in self.edges)

    def register_hook(self, hook: Callable[[Any, Any], Any]) -> RemovableHook:
        """Call `hook(grad_inputs, grad_outputs)` after this node has run; what it returns replaces grad_inputs, unless
        it is None.
        """
        self.after = [*(self.after or ()), hook]
        self.watched = True
        return RemovableHook(self, "after", hook)

    def backward(self, dy: Any) -> Any:
        """The gradients for `edges`, given what arrived here; one alone needs no tuple."""
        raise NotImplementedError


# Which arrays `forward` may store on its node, beside what it makes for itself: where there are none, there is nothing
# to watch.
NOTHING, INPUTS, OUTPUT = 0, 1, 2

# A tensor's version counter, what it said, whose array it is (by id), and the edge to what made that; True: this node.
Note: TypeAlias = "tuple[list[Any], int, int, Edge | bool]"


class Function(Node):
    """An operation and its derivative. A subclass gives

    forward(self, *arrays, **options) -> array (or a tuple of arrays)
    backward(self, dy) -> the gradient of each positional argument of forward, in order; one argument needs no tuple,
        and None says that there is none to give. It may return `dy` itself or views of it, but nothing of an array that
        it keeps, nor the same new one twice: what is new becomes a leaf's `.grad` as it is. Where forward returns a
        tuple, dy is a list of views, with None for what nothing came back to.

    `keeps` says which arrays `forward` may store on `self`: its inputs, its output, both, or NOTHING. Those are noted
    together with their versions, so that a later change in place is found out, and what is stored is dropped as soon as
    the walk has passed. `self.edges[i]` is None where argument i wants no gradient.
    """

    view: ClassVar[bool] = False  # the result may share its input's memory
    keeps: ClassVar[int] = INPUTS | OUTPUT
    into_repeated: ClassVar[str] = ""  # its name in PyTorch, if it may still write into an expanded tensor
    wrapped: Function | None = None  # what it computes with, where it stands around another operation
    ufunc: ClassVar[Any] = None  # NumPy's function that `forward` of two inputs is: it can write over the first

    def join(self, edges: Sequence[Edge], notes: Sequence[Note] = ()) -> None:
        """Take a place in the graph, after everything that is in it already."""
        self.edges, self.notes, self.number = edges, notes, next(numbers)

    def forward(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    def keep_as_array(self, number: np.generic) -> Array:
        """NumPy gives a 0-d result as a scalar: make it an array again, also where `forward` has kept it."""
        array = np.asarray(number)
        for name, value in self.__dict__.items():
            if value is number:
                self.__dict__[name] = array
        return array

    def check(self) -> None:
        """Raise if what `backward` needs is dropped, or was changed in place. The walk does this, written out."""
        if self.notes is None:
            raise RuntimeError(SECOND_TIME)
        for version, noted, place, edge in self.notes:
            if version[0] != noted:
                self.refuse_changed(version, noted, place, edge)

    def refuse_changed(self, version: list[Any], noted: int, place: int, edge: Edge | bool) -> None:
        """Raise if what was changed in place is an array that `forward` kept."""
        for value in self.__dict__.values():
            if id(value) == place:
                maker = self if edge is True else edge if isinstance(edge, Node) else None
                made = version[1] if len(version) > 1 and maker is not self else maker.name() if maker else ""
                raise RuntimeError(changed(value, version[0], noted, made, self.name()))

    def release(self) -> None:
        """Drop the arrays that `forward` kept."""
        kept = self.__dict__
        for name, value in kept.items():
            if type(value) is np.ndarray:
                kept[name] = self.notes = None


class Output(Node):
    """One of the several results of an operation: its gradient joins those of the others there."""

    def __init__(self, of: Function, index: int) -> None:
        self.of, self.index = of, index
        self.edges, self.notes, self.number = (of,), (), next(numbers)

    def name(self) -> str:
        return self.of.name()

    def backward(self, dy: Any) -> Any:
        return ((self.index, dy.view()),)


def short(name: str) -> str:
    """A node's name as PyTorch's messages give it, such as Mul."""
    return name.rpartition("::")[2].partition("Backward")[0]


def changed(array: Array, version: int, noted: int, maker: str, needed_by: str) -> str:
    """What to say when a value that a derivative needs was changed in place."""
    made = f", which is output 0 of {short(maker)}" if maker else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{_describe(array)}{made}, is at version {version}; expected version {noted} instead. Hint: {needed_by} needs "
        "the value as it was; change a copy instead (`x = x + 1`, not `x += 1`)."
    )


def _describe(array: Array) -> str:
    kinds = {
        "float32": "Float",
        "float64": "Double",
        "float16": "Half",
        "bfloat16": "BFloat16",
        "complex64": "ComplexFloat",
        "complex128": "ComplexDouble",
        "int64": "Long",
        "int32": "Int",
        "bool": "Bool",
    }
    return f"[torch.{kinds.get(array.dtype.name, array.dtype.name.title())}Tensor {list(array.shape)}]"


class AccumulateGrad(Node):
    """The end of the line, as `next_functions` shows it: a leaf, to whose `.grad` is added what arrives."""

    name_ = "torch::autograd::AccumulateGrad"

    def __init__(self, variable: Variable) -> None:
        self.edges = ()
        self.variable = variable


# What a walk mostly begins with, the derivative of a loss by itself; a view, so that it is nobody's `.grad`.
ONE: Array = np.ones((), np.float32).view()
ONE.flags.writeable = False

LEAF = Node()  # the place of every leaf that wants a gradient, so that none refers to itself


def _as_node(edge: Node | Variable) -> tuple[Node, int]:
    if isinstance(edge, Output):
        return edge.of, edge.index
    return (edge if isinstance(edge, Node) else edge._accumulator()), 0


class RemovableHook:
    """What `register_hook` returns; `remove()` takes the hook away."""

    def __init__(self, owner: Any, name: str, entry: Any) -> None:
        self.owner, self.name, self.entry = owner, name, entry

    def remove(self) -> None:
        setattr(self.owner, self.name, [e for e in getattr(self.owner, self.name) or () if e is not self.entry])
