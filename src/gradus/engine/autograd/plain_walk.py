"""The backward walk as an algorithm: read this first. `walk.py`, which runs, computes the same gradients faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.node import Edge, Node
from gradus.engine.autograd.record import Variable

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

# By a node's number: the node, and the sum of the gradients that it has received so far.
Pending = dict[int, tuple[Node, Any]]


def backward(root: Tensor, gradient: Tensor) -> None:
    """Add gradient times the derivative of root with respect to each leaf to the leaf's `.grad`.

    New nodes get ever smaller numbers, so the smallest number is that of the newest node. The nodes that use its value
    are newer still and have run before it, so its gradient is complete.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> backward(y, torch.tensor(1.0))
    >>> x.grad
    tensor(6.)
    """
    pending: Pending = {}
    add(pending, root._edge(), gradient._array)
    while pending:
        node, dy = pending.pop(min(pending))
        gradients = node.backward(dy)  # the chain rule: one gradient for each input of the operation
        for target, dx in zip(node.edges, gradients if type(gradients) is tuple else (gradients,), strict=True):
            add(pending, target, dx)


def add(pending: Pending, target: Edge, gradient: Any) -> None:
    """Add a gradient to a node's pending sum, or to a leaf's `.grad`: where paths meet, gradients are summed."""
    if target is None or gradient is None:
        return  # this input wants no gradient
    if isinstance(target, Variable):
        target._accumulate(gradient)
    elif type(gradient) is tuple:  # for one of an operation's several outputs, which have a gradient each, in a list
        index, part = gradient
        pending.setdefault(target.number, (target, [None] * (target.outputs or 0)))[1][index] = part
    elif target.number in pending:
        pending[target.number] = target, pending[target.number][1] + gradient
    else:
        pending[target.number] = target, gradient
