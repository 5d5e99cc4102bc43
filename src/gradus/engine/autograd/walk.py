"""The backward walk: carries gradients from results back to leaves, along the edges of the graph, newest node first.

`plain_walk.py` says the same in twenty lines, and is what to read first. This one also serves hooks, `autograd.grad`
and `retain_graph`, refuses what was changed in place, and is written for speed: a step of a small model spends a third
of its time here.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.autograd.anomaly_mode import refuse_nan
from gradus.engine.autograd.grad_mode import no_grad
from gradus.engine.autograd.node import SECOND_TIME, Arrived, Edge, Node, Passed
from gradus.engine.autograd.record import Variable, wrap, writable
from gradus.engine.dtypes import Array
from gradus.engine.kernels.addition import add

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

Place = Node | Variable  # where an edge leads; found by its id, as tensors compare number by number

_ndarray = np.ndarray
_NONE: frozenset[int] = frozenset()


class Walk:
    """One walk: the gradients that have arrived at each node, and the nodes still to visit.

    Without `wanted` every leaf reached adds to its `.grad`. With it none does, only nodes on the way to a wanted place
    are run, and the gradients that arrive at those places are kept in `found`, by the place's id.
    """

    __slots__ = ("everywhere", "found", "leaves", "on_the_way", "sums", "wanted")

    def __init__(self, wanted: Sequence[Place] | None = None) -> None:
        self.everywhere = wanted is None
        self.wanted = _NONE if wanted is None else frozenset(map(id, wanted))
        self.found: dict[int, Array] = {}
        self.leaves: dict[int, tuple[Any, Array]] = {}  # those that wait until all of their gradient is there
        self.sums: set[int] = set()  # the nodes whose gradient was added up here, so that more can be added in place

    def run(self, edges: Sequence[Edge], passed: Passed, retain_graph: bool | None) -> dict[int, Array]:
        """Start with these gradients at the places to which these edges lead, and give what was found."""
        everywhere = self.everywhere
        if not everywhere:
            self.on_the_way = _leading_to(self.wanted, edges)
        # What has arrived and waits, by a node's number: the smallest in the heap is the newest node. One that was
        # only now reached is mostly the next to run, and need not wait: `node`, and `arriving` there.
        arrived: dict[int, tuple[Any, Any]] = {}
        waiting: list[int] = []
        target: Any
        node: Any
        arrival: Any = None
        arriving: Any = None
        while True:
            node = None
            i = -1
            for target in edges:  # with an index: zip takes longer than all that is done for an edge
                i += 1
                if target is None:
                    continue
                gradient: Any = passed[i]
                number = target.number
                if type(gradient) is not _ndarray:
                    if gradient is None:
                        continue
                    if type(gradient) is tuple:  # one of several results: which, and its own
                        index, piece = gradient
                        pieces = arriving if node is target else arrived[number][1] if number in arrived else None
                        if pieces is not None:
                            pieces[index] = piece
                            continue
                        gradient = [None] * target.outputs
                        gradient[index] = piece
                    else:
                        gradient = np.asarray(gradient)  # NumPy gives a 0-d result as a scalar
                if not number:
                    if (
                        everywhere
                        and target._grad is None
                        and gradient.base is None
                        and gradient is not arrival
                        and gradient.dtype is target._array.dtype
                        and gradient.flags.c_contiguous
                        and not target._watched
                    ):
                        target._grad = wrap(gradient)  # nobody else has it
                    else:
                        self._reach(target, gradient)
                elif number in arrived:
                    arrived[number] = target, self._meet(number, arrived[number][1], gradient)
                elif node is None:
                    node, arriving = target, gradient
                elif node is target:
                    arriving = self._meet(number, arriving, gradient)
                else:
                    arrived[number] = target, gradient
                    heappush(waiting, number)
            if waiting:
                if node is not None:
                    arrived[node.number] = node, arriving
                    heappush(waiting, node.number)
                node, arriving = arrived.pop(heappop(waiting))
            elif node is None:
                break
            arrival = arriving
            watched = node.watched
            if watched or not everywhere:
                arrival = self._look_at(node, arrival)
                if arrival is None:
                    edges = ()
                    continue
            notes = node.notes
            if notes is None:
                raise RuntimeError(SECOND_TIME)
            for version, noted, place, edge in notes:
                if version[0] != noted:
                    node.refuse_changed(version, noted, place, edge)
            edges, several = node.edges, node.backward(arrival)
            if notes and not retain_graph:
                node.release()
            passed = several if type(several) is tuple else (several,)
            if watched:
                refuse_nan(node, passed)
                if node.after:
                    passed = _call_after(node.after, passed, arrival)
        for leaf, gradient in self.leaves.values():
            self._arrive(leaf, gradient)
        return self.found

    def _meet(self, number: int, before: Array, gradient: Array) -> Array:
        """Another gradient for a node that has some."""
        if number in self.sums:
            return add(before, gradient, out=before)
        self.sums.add(number)
        return np.asarray(add(before, gradient))

    def _reach(self, leaf: Any, gradient: Array) -> None:
        """A gradient for a leaf. Where it is wanted or watched, nobody sees it before all of it is there."""
        if self.everywhere and not leaf._watched:
            leaf._accumulate(gradient)
        elif self.everywhere or id(leaf) in self.wanted:
            if id(leaf) in self.leaves:
                there = self.leaves[id(leaf)][1]
                np.add(there, gradient, out=there, casting="same_kind")
            else:
                self.leaves[id(leaf)] = leaf, np.array(gradient)

    def _arrive(self, leaf: Any, gradient: Array) -> None:
        """All of a leaf's gradient is there."""
        if leaf._hooks:
            gradient = _call(leaf._hooks, gradient)
        if self.everywhere:
            leaf._accumulate(gradient)
        else:
            self.found[id(leaf)] = gradient

    def _look_at(self, node: Node, gradient: Any) -> Any:
        """Before a node runs: call its hooks, keep its gradient if asked for. The gradient, or None if it is not to
        run at all.
        """
        wanted = id(node) in self.wanted
        runs = self.everywhere or id(node) in self.on_the_way
        if runs or wanted:
            if node.hooks:
                gradient = _call(node.hooks, gradient)
            if wanted:
                self.found[id(node)] = gradient
            if node.retained:
                _retain(node.retained(), gradient)
        return gradient if runs else None


def _call(hooks: Any, gradient: Array) -> Array:
    gradient = writable(gradient)
    with no_grad():
        for (hook,) in list(hooks):
            changed = hook(wrap(gradient))
            if changed is not None:
                gradient = _replacement(hook, gradient, changed)
    return gradient


def _call_after(hooks: Any, passed: Passed, arrival: Arrived) -> Passed:
    shown: list[Any] = [
        tuple(None if g is None else wrap(writable(np.asarray(g))) for g in group)
        for group in (passed, arrival if type(arrival) is list else [arrival])
    ]
    with no_grad():
        for hook in list(hooks):
            changed = hook(*shown)
            if changed is not None:
                shown[0] = changed if isinstance(changed, tuple) else (changed,)
    return tuple(None if g is None else g._array.view() for g in shown[0])  # views: a hook may have kept what it saw


def _retain(tensor: Tensor | None, gradient: Array) -> None:
    if tensor is not None:
        before = tensor._grad
        tensor._grad = wrap(np.array(gradient) if before is None else np.asarray(before._array + gradient))


def _replacement(hook: Any, before: Array, changed: Any) -> Array:
    """What a hook returned, which must be a tensor like the gradient it was given."""
    array = getattr(changed, "_array", None)
    name = getattr(hook, "__name__", repr(hook))
    if array is None:
        raise TypeError(f"expected a tensor, but hook {name!r} returned {type(changed).__name__!r}")
    if array.shape != before.shape:
        raise RuntimeError(f"hook {name!r} has changed the size of value: {before.shape} became {array.shape}")
    if array.dtype != before.dtype:
        raise RuntimeError(f"hook {name!r} has changed the type of value: {before.dtype} became {array.dtype}")
    return np.array(array)


def _leading_to(wanted: frozenset[int], roots: Sequence[Edge]) -> set[int]:
    """The nodes, by id, from which a step leads to a wanted place, or to another such node."""
    seen = {root for root in roots if isinstance(root, Node)}
    waiting = list(seen)
    while waiting:
        for edge in waiting.pop().edges:
            if isinstance(edge, Node) and edge not in seen:
                seen.add(edge)
                waiting.append(edge)
    leading: set[int] = set()
    for node in sorted(seen, key=lambda node: -node.number):  # what a node depends on comes before it
        if any(id(edge) in wanted or id(edge) in leading for edge in node.edges):
            leading.add(id(node))
    return leading
