"""The backward walk: carries gradients from results back to leaves, along the edges of the graph, newest node first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.node import AccumulateGrad, Gradients, Node

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

Place = tuple[Node, int]  # a node and which of its outputs


class Walk:
    """One walk: the gradients that have arrived at each node, and the nodes still to visit.

    Without `wanted` every leaf reached adds to its `.grad`. With it nothing is stored anywhere, only nodes on the way
    to a wanted place are run, and the gradients that arrive at those places are kept in `found`.
    """

    def __init__(self, kind: type[Tensor], retain_graph: bool, wanted: Sequence[Place] | None) -> None:
        self.kind = kind
        self.retain_graph = retain_graph
        self.wanted = None if wanted is None else set(wanted)
        self.found: dict[Place, Array] = {}
        self.arrived: dict[Node, list[Array | None]] = {}
        self.waiting: list[tuple[int, Node]] = []  # a heap: the largest number first

    def run(self, roots: Sequence[tuple[Node, int, Array]]) -> None:
        on_the_way = None if self.wanted is None else _leading_to(self.wanted, [node for node, _, _ in roots])
        for node, output, gradient in roots:
            self._deliver(node, output, gradient)
        while self.waiting:
            node = heapq.heappop(self.waiting)[1]
            gradients = self.arrived.pop(node)
            hooks = node.variable._hooks if isinstance(node, AccumulateGrad) else node.hooks
            if hooks:
                self._call(hooks, gradients)
            if self.wanted is not None:
                self._keep(node, gradients)
            elif node.retained:
                self._retain(node, gradients)
            if isinstance(node, AccumulateGrad):
                if self.wanted is None and gradients[0] is not None:
                    node.variable._accumulate(gradients[0])
            elif on_the_way is None or node in on_the_way:
                self._pass_on(node, gradients)

    def _deliver(self, node: Node, output: int, gradient: Array) -> None:
        slots = self.arrived.get(node)
        if slots is None:
            self.arrived[node] = slots = [None] * node.outputs
            heapq.heappush(self.waiting, (-node.number, node))
        there = slots[output]
        slots[output] = gradient if there is None else np.asarray(there + gradient)

    def _pass_on(self, node: Node, gradients: list[Array | None]) -> None:
        passed = node.run(gradients)
        if node.after:
            passed = self._call_after(node, passed, gradients)
        if not self.retain_graph:
            node.release()
        for i, edge in enumerate(node.edges):
            gradient = passed[i] if edge is not None else None
            if edge is None or gradient is None:
                continue
            if type(gradient) is not np.ndarray:
                gradient = np.asarray(gradient)  # NumPy gives a 0-d result as a scalar
            if isinstance(edge[0], AccumulateGrad) and _shared(gradient, gradients, passed[:i]):
                gradient = gradient.copy()  # a leaf keeps what it is given
            self._deliver(edge[0], edge[1], gradient)

    def _call(self, hooks: Any, gradients: list[Array | None]) -> None:
        for output, hook in list(hooks):
            gradient = gradients[output]
            if gradient is not None:
                changed = hook(self.kind._wrap(gradient))
                if changed is not None:
                    gradients[output] = changed._array.copy()

    def _call_after(self, node: Node, passed: Gradients, gradients: Gradients) -> Gradients:
        shown = [
            tuple(None if g is None else self.kind._wrap(np.asarray(g)) for g in group) for group in (passed, gradients)
        ]
        for hook in node.after or ():
            changed = hook(*shown)
            if changed is not None:
                shown[0] = changed if isinstance(changed, tuple) else (changed,)
        return [None if g is None else g._array for g in shown[0]]

    def _keep(self, node: Node, gradients: list[Array | None]) -> None:
        assert self.wanted is not None
        for output, gradient in enumerate(gradients):
            if gradient is not None and (node, output) in self.wanted:
                self.found[node, output] = gradient

    def _retain(self, node: Node, gradients: list[Array | None]) -> None:
        assert node.retained is not None
        for output, reference in node.retained.items():
            tensor, gradient = reference(), gradients[output]
            if tensor is not None and gradient is not None:
                if tensor._grad is None:
                    tensor._grad = self.kind._wrap(np.array(gradient))
                else:
                    tensor._grad = self.kind._wrap(np.asarray(tensor._grad._array + gradient))


def _shared(array: Array, *others: Gradients) -> bool:
    return array.base is not None or any(array is other for group in others for other in group)


def _leading_to(wanted: set[Place], roots: Sequence[Node]) -> set[Node]:
    """The nodes from which a step leads to a wanted place, or to another such node."""
    seen = set(roots)
    waiting = list(roots)
    while waiting:
        for edge in waiting.pop().edges:
            if edge is not None and edge[0] not in seen:
                seen.add(edge[0])
                waiting.append(edge[0])
    goals = {node for node, _ in wanted}
    leading: set[Node] = set()
    for node in sorted(seen, key=lambda node: node.number):  # what a node depends on comes before it
        if any(edge is not None and (edge[0] in goals or edge[0] in leading) for edge in node.edges):
            leading.add(node)
    return leading
