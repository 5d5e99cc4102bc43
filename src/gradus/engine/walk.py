"""The backward walk: carries gradients from results back to leaves, along the edges of the graph, newest node first."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.node import LEAF, Gradients, Node

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

    def __init__(self, kind: type[Tensor], retain_graph: bool, wanted: Sequence[Place] | None) -> None:
        self.kind = kind
        self.retain_graph = retain_graph
        self.wanted = None if wanted is None else {key(*place) for place in wanted}
        self.goals = {target for target, _ in self.wanted or ()}
        self.found: dict[Key, Array] = {}
        # Both by a node's number, negative, so that the smallest in the heap is the newest node.
        self.arrived: dict[int, tuple[Node, list[Array | None]]] = {}
        self.waiting: list[int] = []
        self.sums: set[Key] = set()  # gradients that were added up here, so that more can be added in place
        self.leaves: dict[int, tuple[Any, Array]] = {}  # those that wait until all of their gradient is there

    def run(self, roots: Sequence[tuple[Any, int, Array]]) -> None:
        on_the_way = None if self.wanted is None else _leading_to(self.wanted, [root for root, _, _ in roots])
        for root, output, gradient in roots:
            if output == LEAF:
                self._reach(root, gradient, False)
            else:
                self._deliver(root, output, gradient)
        while self.waiting:
            node, gradients = self.arrived.pop(heappop(self.waiting))
            runs = on_the_way is None or id(node) in on_the_way
            if not (runs or self._wants(node)):
                continue
            if node.hooks:
                self._call(node.hooks, gradients)
            if self.wanted is not None:
                self._keep(node, gradients)
            if node.retained:
                self._retain(node, gradients)
            if runs:
                self._pass_on(node, gradients)
        for leaf, gradient in self.leaves.values():
            self._arrive(leaf, gradient)

    def _pass_on(self, node: Node, gradients: list[Array | None]) -> None:
        passed = node.run(gradients)
        if node.after:
            passed = self._call_after(node, passed, gradients)
        if not self.retain_graph:
            node.release()
        for i, edge in enumerate(node.edges):
            if edge is None:
                continue
            gradient = passed[i]
            if gradient is None:
                continue
            if type(gradient) is not np.ndarray:
                gradient = np.asarray(gradient)  # NumPy gives a 0-d result as a scalar
            target, output = edge
            if output == LEAF:
                self._reach(target, gradient, not _shared(gradient, gradients, passed[:i]))
            else:
                self._deliver(target, output, gradient)

    def _deliver(self, node: Any, output: int, gradient: Array) -> None:
        place = -node.number
        found = self.arrived.get(place)
        if found is None:
            slots: list[Array | None] = [None] * node.outputs
            self.arrived[place] = node, slots
            heappush(self.waiting, place)
        else:
            slots = found[1]
        before = slots[output]
        if before is None:
            slots[output] = gradient
        elif (place, output) in self.sums:
            np.add(before, gradient, out=before, casting="same_kind")
        else:
            slots[output] = np.asarray(before + gradient)
            self.sums.add((place, output))

    def _reach(self, leaf: Any, gradient: Array, own: bool) -> None:
        """A gradient for a leaf, which may keep the array if it is its own, held by nobody else."""
        if self.wanted is None and leaf._hooks is None and leaf._after_accumulation is None:
            leaf._accumulate(gradient, own)
        elif not self._wants(leaf):
            return
        elif id(leaf) in self.leaves:
            there = self.leaves[id(leaf)][1]
            np.add(there, gradient, out=there, casting="same_kind")
        else:
            self.leaves[id(leaf)] = leaf, gradient if own else np.array(gradient)

    def _arrive(self, leaf: Any, gradient: Array) -> None:
        """All of a leaf's gradient is there."""
        gradients: list[Array | None] = [gradient]
        if leaf._hooks:
            self._call(leaf._hooks, gradients)
        if self.wanted is None:
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

    def _call_after(self, node: Node, passed: Gradients, gradients: Gradients) -> Gradients:
        shown = [
            tuple(None if g is None else self.kind._wrap(np.asarray(g)) for g in group) for group in (passed, gradients)
        ]
        for hook in node.after or ():
            changed = hook(*shown)
            if changed is not None:
                shown[0] = changed if isinstance(changed, tuple) else (changed,)
        return [None if g is None else g._array for g in shown[0]]

    def _wants(self, where: Any) -> bool:
        return self.wanted is None or id(where) in self.goals

    def _keep(self, where: Any, gradients: list[Array | None], first: int = 0) -> None:
        assert self.wanted is not None
        for output, gradient in enumerate(gradients, first):
            if gradient is not None and key(where, output) in self.wanted:
                self.found[key(where, output)] = gradient

    def _retain(self, node: Node, gradients: list[Array | None]) -> None:
        assert node.retained is not None
        for output, reference in node.retained.items():
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


def _shared(array: Array, *others: Gradients) -> bool:
    if array.base is not None:
        return True
    for group in others:
        for other in group:
            if other is array:
                return True
    return False


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
    for node in sorted(seen, key=lambda node: node.number):  # what a node depends on comes before it
        if any(edge is not None and (id(edge[0]) in goals or id(edge[0]) in leading) for edge in node.edges):
            leading.add(id(node))
    return leading
