"""The nodes of the autograd graph. Every recorded operation is one.

An operation is a `Function`: `forward` computes with arrays and saves what its derivative needs as attributes;
`backward` turns the gradient of the output into the gradients of the inputs. Its `edges` lead to the nodes that
computed its inputs, or to the inputs themselves if they are leaves. Nodes are numbered -1, -2, -3, ... as they are
recorded, so a node's number is smaller than those of the nodes it depends on: running the smallest number first is a
topological order, without recursion (`plain_walk.py`). The derivative rules are in `ops/`; `record.py` makes nodes of
them and tensors of their results.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.dtypes.names import scalar_name

if TYPE_CHECKING:
    from gradus.engine.autograd.record import Variable
    from gradus.engine.tensor import Tensor

# Where a gradient goes: the node that computed a value, or the leaf itself; None if no gradient is needed.
Edge: TypeAlias = "Node | Variable | None"
Incoming = Array | list[Array | None]  # what `backward` is given: the output's gradient, or those of several outputs
Outgoing = Sequence[Incoming | None]  # what it returns: a gradient for each edge

numbers = itertools.count(-1, -1)  # of the nodes, in the order they are recorded


class Node:
    """A node of the graph: `backward` takes the gradient of its output, `edges` say where its results go."""

    # What every node has is in slots; `__dict__` has only what an operation saves.
    __slots__ = ("__dict__", "__weakref__", "edges", "number", "saved")

    name_: ClassVar[str] = ""  # PyTorch's name for the node, where it differs from the class's

    edges: Sequence[Edge]
    saved: Sequence[SavedVersion] | None  # the versions of saved tensors; None once they are freed
    number: int

    # Class attributes, at no cost to the many nodes that never set them.
    outputs: int | None = None  # how many, if there are several
    watched: bool = False  # whether any of the following was ever set
    pre_hooks: list[tuple[Callable[[Tensor], Tensor | None]]] | None = None
    post_hooks: list[Callable[[Any, Any], Any]] | None = None
    retained: weakref.ref[Tensor] | None = None  # the tensor that retains its `.grad`

    def __init_subclass__(cls) -> None:
        if "name_" not in cls.__dict__:
            cls.name_ = cls.__name__ + "Backward0"

    def name(self) -> str:
        return self.name_

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that the gradients go to, each with the index of its output."""
        return tuple((None, 0) if edge is None else _as_node(edge) for edge in self.edges)

    def register_hook(self, hook: Callable[[Any, Any], Any]) -> RemovableHook:
        """Call `hook(grad_inputs, grad_outputs)` after this node has run; what it returns replaces grad_inputs, unless
        it is None.
        """
        self.post_hooks = [*(self.post_hooks or ()), hook]
        self.watched = True
        return RemovableHook(self, "post_hooks", hook)

    def backward(self, dy: Any) -> Any:
        """The gradients for `edges`, given that of the output; a single one needs no tuple."""
        raise NotImplementedError


# Which arrays `forward` may save on its node, apart from new ones of its own: their versions are checked by backward.
NOTHING, INPUTS, OUTPUT = 0, 1, 2

# Of a saved tensor: its version counter, the version when it was saved, the id of its array, and the edge to its
# grad_fn (True: this node).
SavedVersion: TypeAlias = "tuple[list[Any], int, int, Edge | bool]"


class Function(Node):
    """An operation and its derivative: a subclass defines `forward` and `backward`.

        class Mul(Function):
            def forward(self, a, b):
                self.a, self.b = a, b
                return a * b

            def backward(self, dy):
                return dy * self.b, dy * self.a

    `forward(*arrays, **options)` returns an array, or a tuple of arrays. What it saves on `self`, backward finds there;
    saved arrays are freed after backward has run. Which arrays it may save `keeps` says: INPUTS, OUTPUT, both, or
    NOTHING but new arrays of its own. Their versions are recorded, and a later change in place is detected.

    `backward(dy)` returns the gradient of each positional argument of forward, in order: a tuple, or one array for one
    argument; None for no gradient. `self.edges[i]` is None if argument i needs none. If forward returns a tuple, dy is
    a list of views, with None for an output that received no gradient.

    A new array that backward returns becomes a leaf's `.grad` without a copy. So backward may return `dy` or views of
    it, but not a saved array or a view of one, and no new array twice.
    """

    view: ClassVar[bool] = False  # the result may share its input's memory
    keeps: ClassVar[int] = INPUTS | OUTPUT
    into_repeated: ClassVar[str] = ""  # its name in PyTorch, if it may write into an expanded tensor (deprecated)
    wrapped: Function | None = None  # the operation inside, if this one wraps another
    ufunc: ClassVar[Any] = None  # the NumPy ufunc that `forward` of two inputs is: it can write into the first

    def join(self, edges: Sequence[Edge], saved: Sequence[SavedVersion] = ()) -> None:
        """Join the graph, as its newest node."""
        self.edges, self.saved, self.number = edges, saved, next(numbers)

    def forward(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    def keep_as_array(self, number: np.generic) -> Array:
        """NumPy returns a 0-d result as a scalar: convert it to an array, also if `forward` has saved it."""
        array = np.asarray(number)
        for name, value in self.__dict__.items():
            if value is number:
                self.__dict__[name] = array
        return array

    def check(self) -> None:
        """Raise if what `backward` needs was freed, or changed in place. The walk does the same, inlined."""
        if self.saved is None:
            raise RuntimeError(SECOND_TIME)
        for counter, version, address, edge in self.saved:
            if counter[0] != version:
                self.refuse_changed(counter, version, address, edge)

    def refuse_changed(self, counter: list[Any], version: int, address: int, edge: Edge | bool) -> None:
        """Raise if the tensor that was changed in place is one that `forward` saved."""
        for value in self.__dict__.values():
            if id(value) == address:
                grad_fn = self if edge is True else edge if isinstance(edge, Node) else None
                name = counter[1] if len(counter) > 1 and grad_fn is not self else grad_fn.name() if grad_fn else ""
                raise RuntimeError(changed(value, counter[0], version, name, self.name()))

    def release(self) -> None:
        """Free the arrays that `forward` saved."""
        attributes = self.__dict__
        for name, value in attributes.items():
            if type(value) is np.ndarray:
                attributes[name] = self.saved = None


class Output(Node):
    """One of the several outputs of an operation, to which it passes its gradient on, with its index."""

    def __init__(self, of: Function, index: int) -> None:
        self.of, self.index = of, index
        self.edges, self.saved, self.number = (of,), (), next(numbers)

    def name(self) -> str:
        return self.of.name()

    def backward(self, dy: Any) -> Any:
        return ((self.index, dy.view()),)


SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


def short(name: str) -> str:
    """A node's name as PyTorch's messages give it, such as Mul."""
    return name.rpartition("::")[2].partition("Backward")[0]


def changed(array: Array, version: int, expected: int, grad_fn: str, needed_by: str) -> str:
    """The message for a saved tensor that was changed in place."""
    source = f", which is output 0 of {short(grad_fn)}" if grad_fn else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{_describe(array)}{source}, is at version {version}; expected version {expected} instead. Hint: {needed_by} "
        "needs the original value; change a copy instead (`x = x + 1`, not `x += 1`)."
    )


def _describe(array: Array) -> str:
    return f"[torch.{scalar_name(array.dtype)}Tensor {list(array.shape)}]"


class AccumulateGrad(Node):
    """The node that accumulates gradients into a leaf's `.grad`, as `next_functions` shows it."""

    name_ = "torch::autograd::AccumulateGrad"

    def __init__(self, variable: Variable) -> None:
        self.edges = ()
        self.variable = variable


# The gradient that most walks begin with, of a scalar loss; a view, so that it does not become a `.grad`.
ONE: Array = np.ones((), np.float32).view()
ONE.flags.writeable = False

LEAF = Node()  # the `_node` of every leaf that requires a gradient, so that none refers to itself


def _as_node(edge: Node | Variable) -> tuple[Node, int]:
    if isinstance(edge, Output):
        return edge.of, edge.index
    return (edge if isinstance(edge, Node) else edge._accumulator()), 0


class RemovableHook:
    """The handle that `register_hook` returns; `remove()` removes the hook."""

    def __init__(self, owner: Any, name: str, entry: Any) -> None:
        self.owner, self.name, self.entry = owner, name, entry

    def remove(self) -> None:
        setattr(self.owner, self.name, [e for e in getattr(self.owner, self.name) or () if e is not self.entry])
