"""The backward walk: carries gradients from results back to leaves, along the edges of the graph, newest node first.

`plain_walk.py` is the same algorithm in twenty lines: read it first. This walk also

* runs the hooks of nodes and leaves (`watched`: whether there are any);
* serves `autograd.grad`: given `inputs`, it runs only the nodes on the way to them, and returns their gradients;
* checks that no saved tensor was changed in place since, and frees the saved tensors, unless `retain_graph` keeps them.

A step of a small model spends a third of its time here, so `run` is one long loop: the pending nodes are in a heap, by
number, which the next node mostly need not pass through; sums are computed in place; and a leaf's first gradient
becomes its `.grad` without a copy if nothing else refers to that array.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.anomaly_mode import refuse_nan
from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.autograd.node import SECOND_TIME, Edge, Incoming, Node, Outgoing
from gradus.engine.autograd.record import Variable, wrap, writable
from gradus.engine.dtypes import Array
from gradus.engine.kernels.addition import add

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

Target = Node | Variable  # where an edge leads; looked up by id, because == of tensors is elementwise

_ndarray = np.ndarray
_NONE: frozenset[int] = frozenset()


class Walk:
    """One backward walk.

    Without `inputs`, gradients accumulate into the `.grad` of every leaf. With `inputs`, no `.grad` changes, only the
    nodes between the roots and the inputs run, and the gradients of the inputs are captured, by the input's id.
    """

    __slots__ = ("accumulates", "captured", "inputs", "leaves", "needed", "sums")

    def __init__(self, inputs: Sequence[Target] | None = None) -> None:
        self.accumulates = inputs is None
        self.inputs = _NONE if inputs is None else frozenset(map(id, inputs))
        self.captured: dict[int, Array] = {}
        self.leaves: dict[int, tuple[Any, Array]] = {}  # gradients of leaves with hooks or in inputs, until complete
        self.sums: set[int] = set()  # nodes whose gradient was allocated here: more can be added in place

    def run(self, edges: Sequence[Edge], outgoing: Outgoing, retain_graph: bool | None) -> dict[int, Array]:
        """Walk from the targets of these edges, given the gradient for each; return the captured gradients."""
        accumulates = self.accumulates
        if not accumulates:
            self.needed = _needed_for(self.inputs, edges)
        # The pending nodes, by number, each with the sum of the gradients it has received; the newest has the smallest
        # number. `reached` is the first node that the last one's gradients reached, with `reached_sum`: mostly it is
        # the next to run, and it goes through the heap only if others are pending.
        pending: dict[int, tuple[Any, Any]] = {}
        heap: list[int] = []
        target: Any
        node: Any
        incoming: Any = None  # the gradient that the last node was given; `outgoing` are those that it returned
        while True:
            # 1. Add each gradient that the last node returned to the node or leaf that its edge leads to.
            reached: Any = None
            reached_sum: Any = None
            i = -1
            for target in edges:  # with an index: zip costs more than the rest of the work for an edge
                i += 1
                if target is None:
                    continue
                gradient: Any = outgoing[i]
                number = target.number
                if type(gradient) is not _ndarray:
                    if gradient is None:
                        continue
                    if type(gradient) is tuple:  # of one output of an operation with several
                        index, part = gradient
                        parts = reached_sum if reached is target else pending[number][1] if number in pending else None
                        if parts is not None:
                            parts[index] = part
                            continue
                        gradient = [None] * target.outputs
                        gradient[index] = part
                    else:
                        gradient = np.asarray(gradient)  # NumPy gives a 0-d result as a scalar
                if not number:  # a leaf: nodes have negative numbers
                    if (
                        accumulates
                        and target._grad is None
                        and gradient.base is None
                        and gradient is not incoming
                        and gradient.dtype is target._array.dtype
                        and gradient.flags.c_contiguous
                        and not target._watched
                    ):
                        target._grad = wrap(gradient)  # nothing else refers to this array
                    else:
                        self._deliver(target, gradient)
                elif number in pending:
                    pending[number] = target, self._add(number, pending[number][1], gradient)
                elif reached is None:
                    reached, reached_sum = target, gradient
                elif reached is target:
                    reached_sum = self._add(number, reached_sum, gradient)
                else:
                    pending[number] = target, gradient
                    heappush(heap, number)
            # 2. Take the newest of the nodes that were reached.
            if heap:
                if reached is not None:
                    pending[reached.number] = reached, reached_sum
                    heappush(heap, reached.number)
                node, incoming = pending.pop(heappop(heap))
            elif reached is not None:
                node, incoming = reached, reached_sum
            else:
                break
            # 3. Run it.
            watched = node.watched
            if watched or not accumulates:
                incoming = self._run_pre_hooks(node, incoming)
                if incoming is None:
                    edges = ()
                    continue
            saved = node.saved
            if saved is None:
                raise RuntimeError(SECOND_TIME)
            for counter, version, address, edge in saved:
                if counter[0] != version:
                    node.refuse_changed(counter, version, address, edge)
            edges, result = node.edges, node.backward(incoming)
            if saved and not retain_graph:
                node.release()
            outgoing = result if type(result) is tuple else (result,)
            if watched:
                refuse_nan(node, outgoing)
                if node.post_hooks:
                    outgoing = _run_post_hooks(node.post_hooks, outgoing, incoming)
        for leaf, gradient in self.leaves.values():
            self._finish_leaf(leaf, gradient)
        return self.captured

    def _add(self, number: int, total: Array, gradient: Array) -> Array:
        """Add another gradient to the total of a node."""
        if number in self.sums:
            return add(total, gradient, out=total)
        self.sums.add(number)
        return np.asarray(add(total, gradient))

    def _deliver(self, leaf: Any, gradient: Array) -> None:
        """Accumulate a gradient into a leaf; if it is captured or has hooks, only once all its gradients are summed."""
        if self.accumulates and not leaf._watched:
            leaf._accumulate(gradient)
        elif self.accumulates or id(leaf) in self.inputs:
            if id(leaf) in self.leaves:
                total = self.leaves[id(leaf)][1]
                np.add(total, gradient, out=total, casting="same_kind")
            else:
                self.leaves[id(leaf)] = leaf, np.array(gradient)

    def _finish_leaf(self, leaf: Any, gradient: Array) -> None:
        """Call a leaf's hooks with the sum of its gradients; then accumulate or capture it."""
        if leaf._hooks:
            gradient = _run_tensor_hooks(leaf._hooks, gradient)
        if self.accumulates:
            leaf._accumulate(gradient)
        else:
            self.captured[id(leaf)] = gradient

    def _run_pre_hooks(self, node: Node, gradient: Any) -> Any:
        """Call a node's hooks, capture and retain its gradient; return it, or None if the node must not run."""
        captured = id(node) in self.inputs
        runs = self.accumulates or id(node) in self.needed
        if runs or captured:
            if node.pre_hooks:
                gradient = _run_tensor_hooks(node.pre_hooks, gradient)
            if captured:
                self.captured[id(node)] = gradient
            if node.retained:
                _retain_grad(node.retained(), gradient)
        return gradient if runs else None


def _run_tensor_hooks(hooks: Any, gradient: Array) -> Array:
    gradient = writable(gradient)
    with no_grad():
        for (hook,) in list(hooks):
            returned = hook(wrap(gradient))
            if returned is not None:
                gradient = _replacement(hook, gradient, returned)
    return gradient


def _run_post_hooks(hooks: Any, outgoing: Outgoing, incoming: Incoming) -> Outgoing:
    arguments: list[Any] = [  # grad_inputs, grad_outputs
        tuple(None if g is None else wrap(writable(np.asarray(g))) for g in group)
        for group in (outgoing, incoming if type(incoming) is list else [incoming])
    ]
    with no_grad():
        for hook in list(hooks):
            returned = hook(*arguments)
            if returned is not None:
                arguments[0] = returned if isinstance(returned, tuple) else (returned,)
    return tuple(None if g is None else g._array.view() for g in arguments[0])  # views: a hook may hold the array


def _retain_grad(tensor: Tensor | None, gradient: Array) -> None:
    if tensor is not None:
        before = tensor._grad
        tensor._grad = wrap(np.array(gradient) if before is None else np.asarray(before._array + gradient))


def _replacement(hook: Any, before: Array, returned: Any) -> Array:
    """The array that a hook returned; raises unless it is a tensor with the gradient's shape and dtype."""
    array = getattr(returned, "_array", None)
    name = getattr(hook, "__name__", repr(hook))
    if array is None:
        raise TypeError(f"expected a tensor, but hook {name!r} returned {type(returned).__name__!r}")
    if array.shape != before.shape:
        raise RuntimeError(f"hook {name!r} has changed the size of value: {before.shape} became {array.shape}")
    if array.dtype != before.dtype:
        raise RuntimeError(f"hook {name!r} has changed the type of value: {before.dtype} became {array.dtype}")
    return np.array(array)


def _needed_for(inputs: frozenset[int], roots: Sequence[Edge]) -> set[int]:
    """The ids of the nodes on a path from the roots to the inputs."""
    seen = {root for root in roots if isinstance(root, Node)}
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if isinstance(edge, Node) and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    needed: set[int] = set()
    for node in sorted(seen, key=lambda node: -node.number):  # oldest first: a node after all that it depends on
        if any(id(edge) in inputs or id(edge) in needed for edge in node.edges):
            needed.add(id(node))
    return needed
