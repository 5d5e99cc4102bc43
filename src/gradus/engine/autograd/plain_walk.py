"""The backward walk as an algorithm: read this first. `walk.py`, the one that runs, computes the same gradients faster.

A node is a recorded operation. Its edges lead to the nodes that computed its inputs, or to leaves, one edge for each
input. Nodes are numbered -1, -2, -3, ... as they are recorded, so the newest has the smallest number. The walk runs the
newest first: all nodes that use a node's value are newer than it and have run, so the sum of its gradients is complete.

For y = x * x + x at x = 3, Mul is node -1 and Add, which computed y, node -2. Add's edges lead to Mul and x, both edges
of Mul to x:

    pending            runs   its gradients       x.grad
    {-2: (Add, 1)}     Add    1 to Mul, 1 to x    1
    {-1: (Mul, 1)}     Mul    3 to x, 3 to x      1 + 3 + 3 = 7
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.node import Edge, Node
from gradus.engine.autograd.record import Variable

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

# The nodes that were reached and have not run, by number: each with the sum of the gradients it has received so far.
Pending = dict[int, tuple[Node, Any]]


def backward(root: Tensor, gradient: Tensor) -> None:
    """Add gradient times the derivative of root with respect to each leaf to the leaf's `.grad`.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> y = x * x + x
    >>> backward(y, torch.tensor(1.0))
    >>> x.grad
    tensor(7.)
    """
    pending: Pending = {}
    add(pending, root._edge(), gradient._array)
    while pending:
        node, dy = pending.pop(min(pending))  # the newest
        gradients = node.backward(dy)  # the chain rule: one gradient for each input of the operation
        for target, dx in zip(node.edges, gradients if type(gradients) is tuple else (gradients,), strict=True):
            add(pending, target, dx)


def add(pending: Pending, target: Edge, gradient: Any) -> None:
    """Add a gradient to a node's pending sum, or to a leaf's `.grad`: where paths meet, gradients are summed."""
    if target is None or gradient is None:
        return  # this input needs no gradient
    if isinstance(target, Variable):
        target._accumulate(gradient)
    elif type(gradient) is tuple:  # of one output of an operation with several: its node gets a list, one for each
        index, part = gradient
        _, parts = pending.setdefault(target.number, (target, [None] * (target.outputs or 0)))
        parts[index] = part
    elif target.number in pending:
        pending[target.number] = target, pending[target.number][1] + gradient
    else:
        pending[target.number] = target, gradient
