"""The backward walk: carries gradients from results back to leaves, along the edges of the graph, newest node first."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.kernels.addition import add
from gradus.engine.node import LEAF, Edge, Gradients, Node

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor
    from gradus.engine.variable import Variable

Place = tuple["Node | Variable", int]  # where an edge leads
Key = tuple[int, int]


class Walk:
    """One walk: the gradients that have arrived at each node, and the nodes still to visit.

    Without `wanted` every leaf reached adds to its `.grad`. With it none does, only nodes on the way to a wanted place
    are run, and the gradients that arrive at those places are kept in `found`.
    """

    __slots__ = ("everywhere", "found", "goals", "kind", "leaves", "on_the_way", "retain_graph", "wanted")

    def __init__(self, kind: type[Tensor], retain_graph: bool, wanted: Sequence[Place] | None) -> None:
        self.kind = kind
        self.retain_graph = retain_graph
        self.everywhere = wanted is None
        self.found: dict[Key, Array] = {}
        self.leaves: dict[int, tuple[Any, Array]] = {}  # those that wait until all of their gradient is there
        self.wanted: set[Key] | None = None
        if wanted is not None:
            self.wanted = {key(*place) for place in wanted}
            self.goals = {id(target) for target, _ in wanted}

    def run(self, edges: Sequence[Edge], passed: Gradients) -> None:
        """Start with these gradients at the places to which these edges lead."""
        everywhere, retain_graph = self.everywhere, self.retain_graph
        # What has arrived and waits, by a node's number: the smallest in the heap is the newest node.
        arrived: dict[int, tuple[Node, list[Array | None]]] = {}
        waiting: list[int] = []
        sums: dict[Key, bool] = {}  # gradients that were added up here, so that more can be added in place
        if self.wanted is not None:
            self.on_the_way = _leading_to(self.wanted, [edge[0] for edge in edges if edge is not None])
        gradients = passed
        while True:
            i = -1
            for edge in edges:  # with an index: zip takes longer than all that is done for an edge
                i += 1
                if edge is None:
                    continue
                gradient = passed[i]
                if gradient is None:
                    continue
                if type(gradient) is not np.ndarray:
                    gradient = np.asarray(gradient)  # NumPy gives a 0-d result as a scalar
                target: Any
                target, output = edge
                if output == LEAF:
                    own = _unshared(gradient, gradients, passed)
                    if everywhere and not target._watched:
                        target._accumulate(gradient, own)
                    else:
                        self._reach(target, gradient, own)
                    continue
                place = target.number
                found = arrived.get(place)
                if found is None:
                    slots: list[Array | None] = [gradient]
                    if target.outputs > 1:
                        slots = [None] * target.outputs
                        slots[output] = gradient
                    arrived[place] = target, slots
                    heappush(waiting, place)
                else:
                    _add(found[1], output, gradient, (place, output), sums)
            if not waiting:
                break
            node, gradients = arrived.pop(heappop(waiting))
            if (node.watched or not everywhere) and not self._look_at(node, gradients):
                edges = ()
                continue
            edges, passed = node.edges, node.run(gradients, retain_graph)
            if node.watched and node.after:
                passed = self._call_after(node.after, passed, gradients)
        for leaf, gradient in self.leaves.values():
            self._arrive(leaf, gradient)

    def _look_at(self, node: Node, gradients: list[Array | None]) -> bool:
        """Before a node runs: call its hooks, keep the gradients that are asked for. Whether it is to run at all."""
        runs = self.everywhere or id(node) in self.on_the_way
        if runs or id(node) in self.goals:
            if node.hooks:
                self._call(node.hooks, gradients)
            self._keep(node, gradients)
            if node.retained:
                self._retain(node.retained, gradients)
        return runs

    def _reach(self, leaf: Any, gradient: Array, own: bool) -> None:
        """A gradient for a leaf that is wanted or watched: nobody sees it before all of it is there."""
        if not (self.everywhere or id(leaf) in self.goals):
            return
        if id(leaf) in self.leaves:
            there = self.leaves[id(leaf)][1]
            np.add(there, gradient, out=there, casting="same_kind")
        else:
            self.leaves[id(leaf)] = leaf, gradient if own else np.array(gradient)

    def _arrive(self, leaf: Any, gradient: Array) -> None:
        """All of a leaf's gradient is there."""
        gradients: list[Array | None] = [gradient]
        if leaf._hooks:
            self._call(leaf._hooks, gradients)
        if self.everywhere:
            leaf._accumulate(gradients[0], not leaf._hooks)
        else:
            self._keep(leaf, gradients, LEAF)

    def _call(self, hooks: Any, gradients: list[Array | None]) -> None:
        for output, hook in list(hooks):
            gradient = gradients[output]
            if gradient is not None:
                changed = hook(self.kind._wrap(gradient))
                if changed is not None:
                    gradients[output] = _replacement(hook, gradient, changed)

    def _call_after(self, hooks: Any, passed: Gradients, gradients: Gradients) -> Gradients:
        shown = [
            tuple(None if g is None else self.kind._wrap(np.asarray(g)) for g in group) for group in (passed, gradients)
        ]
        for hook in list(hooks):
            changed = hook(*shown)
            if changed is not None:
                shown[0] = changed if isinstance(changed, tuple) else (changed,)
        return [None if g is None else g._array for g in shown[0]]

    def _keep(self, where: Any, gradients: list[Array | None], first: int = 0) -> None:
        wanted = self.wanted or ()
        for output, gradient in enumerate(gradients, first):
            if gradient is not None and key(where, output) in wanted:
                self.found[key(where, output)] = gradient

    def _retain(self, retained: Any, gradients: list[Array | None]) -> None:
        for output, reference in retained.items():
            tensor, gradient = reference(), gradients[output]
            if tensor is not None and gradient is not None:
                if tensor._grad is None:
                    tensor._grad = self.kind._wrap(np.array(gradient))
                else:
                    tensor._grad = self.kind._wrap(np.asarray(tensor._grad._array + gradient))


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


def key(target: Node | Variable, output: int) -> Key:
    """A place as a dictionary can look it up: tensors compare number by number."""
    return id(target), output


def _unshared(array: Array, gradients: Gradients, passed: Gradients) -> bool:
    """Whether a node made this array itself and passed it on once, so that who gets it may keep and change it."""
    if array.base is not None or array is gradients[0]:
        return False
    if len(gradients) == 1 and len(passed) == 2:  # most
        return passed[0] is not passed[1]
    times = 0
    for other in (*gradients, *passed):
        times += other is array
    return times < 2


def _add(slots: list[Array | None], output: int, gradient: Array, place: Key, sums: dict[Key, bool]) -> None:
    """Another gradient for a node that has some."""
    before = slots[output]
    if before is None:
        slots[output] = gradient
    elif place in sums:
        add(before, gradient, out=before)
    else:
        slots[output] = np.asarray(add(before, gradient))
        sums[place] = True


def _leading_to(wanted: set[Key], roots: Sequence[Any]) -> set[int]:
    """The nodes, by id, from which a step leads to a wanted place, or to another such node."""
    seen = {root for root in roots if isinstance(root, Node)}
    waiting = list(seen)
    while waiting:
        for edge in waiting.pop().edges:
            if edge is not None and isinstance(edge[0], Node) and edge[0] not in seen:
                seen.add(edge[0])
                waiting.append(edge[0])
    goals = {target for target, _ in wanted}
    leading: set[int] = set()
    for node in sorted(seen, key=lambda node: -node.number):  # what a node depends on comes before it
        if any(edge is not None and (id(edge[0]) in goals or id(edge[0]) in leading) for edge in node.edges):
            leading.add(id(node))
    return leading
