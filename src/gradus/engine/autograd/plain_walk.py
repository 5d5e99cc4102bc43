"""The backward walk as an algorithm: read this first. The walk that is run, `walk.py`, computes the same gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.engine.autograd.node import Edge, Node
from gradus.engine.autograd.record import Variable

if TYPE_CHECKING:
    from gradus.engine.tensor import Tensor

# By a node's number: the node, and the gradient that has arrived there so far.
Arrived = dict[int, tuple[Node, Any]]


def backward(root: Tensor, gradient: Tensor) -> None:
    """Add the derivative of root by every leaf, multiplied by gradient, to the leaf's `.grad`.

    Nodes are numbered downwards as they are made, so the smallest number is the newest node. Everything that uses its
    value is newer still and has run before it: all of its gradient has arrived.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> backward(y, torch.tensor(1.0))
    >>> x.grad
    tensor(6.)
    """
    arrived: Arrived = {}
    add(arrived, root._edge(), gradient._array)
    while arrived:
        node, dy = arrived.pop(min(arrived))
        gradients = node.backward(dy)  # the chain rule: one gradient for each input of the operation
        for target, dx in zip(node.edges, gradients if type(gradients) is tuple else (gradients,), strict=True):
            add(arrived, target, dx)


def add(arrived: Arrived, target: Edge, gradient: Any) -> None:
    """Add a gradient to what has arrived at a node, or to a leaf's `.grad`: where paths meet, gradients are summed."""
    if target is None or gradient is None:
        return  # this input wants no gradient
    if isinstance(target, Variable):
        target._accumulate(gradient)
    elif type(gradient) is tuple:  # for one of the several results of an operation, which are kept apart in a list
        index, part = gradient
        arrived.setdefault(target.number, (target, [None] * (target.outputs or 0)))[1][index] = part
    elif target.number in arrived:
        arrived[target.number] = target, arrived[target.number][1] + gradient
    else:
        arrived[target.number] = target, gradient
