"""What each use of an input contributes to its gradient, read off the graph of a computation that is known to be right.

From this follows what a broken backward pass would give: one that overwrites where it should add, one that walks
without a topological order.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradus.gradcheck.inputs import Array
from gradus.order import topological_order
from gradus.scalar import Value

LONGEST = 100_000  # arrivals in a walk without an order, whose number can grow exponentially


def keep_last(before: Any, new: Any) -> Any:  # noqa: ARG001
    """What `grad = ...` does where `grad += ...` is meant."""
    return new


def keep_first(before: Any, new: Any) -> Any:  # noqa: ARG001
    return before


def recursive(results: Sequence[Value], weights: Array, inputs: Sequence[Any]) -> list[float] | None:
    """The gradients of the inputs, if every node passed on all it has at every arrival. None: that takes too long."""
    grads: dict[int, float] = {}
    todo: list[tuple[Value, int]] = []
    for result, weight in zip(results, weights, strict=True):
        grads[id(result)] = grads.get(id(result), 0.0) + float(weight)
        todo.append((result, 0))
        steps = 0
        while todo:
            node, position = todo.pop()
            if position < len(node._prev):
                operand = node._prev[position]
                grads[id(operand)] = grads.get(id(operand), 0.0) + node._local[position] * grads[id(node)]
                todo += [(node, position + 1), (operand, 0)]
            steps += 1
            if steps > LONGEST:
                return None
    return [grads.get(id(value), 0.0) for value in inputs]


def walk(
    results: Sequence[Value],
    weights: Array,
    inputs: Sequence[Any],
    rule: Callable[[float, float], float] = operator.add,
) -> list[float]:
    """The gradients of the inputs; `rule` says what to keep of what a node has and what arrives."""
    grads: dict[int, float] = {}
    order = topological_order(results, lambda node: node._prev)
    for result, weight in zip(results, weights, strict=True):
        grads[id(result)] = float(weight)
    for node in reversed(order):
        incoming = grads.get(id(node), 0.0)
        for operand, local in zip(node._prev, node._local, strict=True):
            new = local * incoming
            grads[id(operand)] = rule(grads[id(operand)], new) if id(operand) in grads else new
    return [grads.get(id(value), 0.0) for value in inputs]


class TensorWalk:
    """Backward over a tensor's graph, ours or PyTorch's, one node at a time; nothing is stored on any tensor.

    Attributes:
        arrivals: what came to each leaf from each of its uses, by the id of the leaf.
    """

    def __init__(self, total: Any, rule: Callable[[Any, Any], Any] = operator.add) -> None:
        """Walk from the scalar `total`; `rule` says what to keep of what a node has and what arrives."""
        self.arrivals: dict[int, list[Array]] = {}
        self.leaves: dict[int, Any] = {}
        waiting: dict[int, dict[int, Any]] = {id(total.grad_fn): {0: _one(total)}}
        for node in reversed(topological_order([total.grad_fn], _operands)):
            gradients = waiting.pop(id(node), None)
            if gradients is None:
                continue
            for (function, output), gradient in zip(node.next_functions, _run(node, gradients), strict=False):
                if function is None or gradient is None:
                    continue
                leaf = getattr(function, "variable", None)
                slots = waiting.setdefault(id(function), {}) if leaf is None else self.leaves
                slot = output if leaf is None else id(leaf)
                slots[slot] = rule(slots[slot], gradient) if slot in slots else gradient
                if leaf is not None:
                    self.arrivals.setdefault(slot, []).append(_numbers(gradient))

    def gradient(self, leaf: Any) -> Array:
        """What the leaf ends up with."""
        return _numbers(self.leaves[id(leaf)]) if id(leaf) in self.leaves else np.zeros(tuple(leaf.shape))


def _operands(node: Any) -> list[Any]:
    """The nodes that a node's gradients go to; leaves left out."""
    return [f for f, _ in node.next_functions if f is not None and not hasattr(f, "variable")]


def _one(total: Any) -> Any:
    """The gradient to begin with, as the nodes of this graph take it."""
    one = total.detach() * 0 + 1
    return one.numpy() if _ours(total.grad_fn) else one


def _ours(node: Any) -> bool:
    """Whether it is our engine's: arrays in, arrays out."""
    return hasattr(node, "saved")


def _run(node: Any, gradients: dict[int, Any]) -> Sequence[Any]:
    """What a node passes to each of the nodes it leads to."""
    if _ours(node):
        several = None if node.outputs is None else [gradients.get(i) for i in range(node.outputs)]
        node.check()
        passed = node.backward(gradients[0] if several is None else several)
    else:
        outputs = len(getattr(node, "_input_metadata", None) or [0])
        call = node if callable(node) else node.apply  # a Function written in Python has apply
        passed = call(*[gradients.get(i) for i in range(outputs)])
    return passed if isinstance(passed, tuple) else (passed,)


def _numbers(gradient: Any) -> Array:
    return np.array(gradient.detach().numpy() if hasattr(gradient, "detach") else gradient, dtype=np.float64)
