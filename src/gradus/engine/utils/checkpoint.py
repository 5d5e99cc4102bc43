"""Gradient checkpointing (Chen et al., 2016): less memory for more arithmetic.

What an operation saves for its derivative is most of the memory of a training step. `checkpoint` lets go of it: of a
whole part of the model only the inputs are kept, and backward computes the part a second time, with the random numbers
of the first, just before it needs what is inside. Outputs and gradients are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gradus.engine.autograd.grad_mode import enable_grad, state
from gradus.engine.autograd.node import Edge, Function, Node, Output, SavedVersion, changed, numbers
from gradus.engine.autograd.record import Variable, wrap
from gradus.engine.autograd.walk import Walk
from gradus.engine.compat.absent import refuse
from gradus.engine.random import default_generator


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    debug: bool = False,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, computed again in backward instead of keeping what its operations save.

    >>> x = torch.ones(3, requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint(lambda x: x.exp().sin().sum(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor([-2.4785, -2.4785, -2.4785])

    Args:
        function: gives a tensor, or a tuple or list of tensors and other things; must compute the same a second time.
        use_reentrant, determinism_check, debug: accepted; what PyTorch's `use_reentrant=False` allows is allowed.
        preserve_rng_state: let the second time draw the random numbers of the first.
    """
    if not state.enabled:
        return function(*args, **kwargs)
    random = default_generator.get_state() if preserve_rng_state else None
    before = next(numbers)
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Variable)]
    versions = [(t._version_counter, t._version_counter[0], id(t._array), None) for t in tensors]
    out = function(*args, **kwargs)
    parts = list(out) if isinstance(out, (tuple, list)) else [out]
    inside = [i for i, part in enumerate(parts) if isinstance(part, Variable) and _is_inside(part._edge(), before)]
    if not inside:
        return out
    ends = _ends([parts[i]._edge() for i in inside], before)
    node = Checkpoint(lambda: function(*args, **kwargs), inside, ends, random, tensors)
    node.join(ends, [_ALWAYS, *versions])
    node.outputs = len(inside)
    for index, i in enumerate(inside):
        parts[i] = wrap(parts[i]._array)
        parts[i]._node = Output(node, index)
    if isinstance(out, (tuple, list)):
        return tuple(parts) if isinstance(out, tuple) else parts
    return parts[0]


def checkpoint_sequential(
    functions: Sequence[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """The functions (or the layers of a Sequential) one after the other, in so many segments of equal length, each but
    the last a `checkpoint`."""
    functions = list(functions)
    size = max(1, len(functions) // segments)
    for number in range(segments - 1):
        input = checkpoint(_sequence(functions[number * size : (number + 1) * size]), input, **kwargs)
    return _sequence(functions[(segments - 1) * size :])(input)


class Checkpoint(Function):
    """The node of a part that is computed again. Its edges lead to all that the part depends on: the nodes that were
    there before it, and the parameters inside."""

    name_ = "CheckpointFunctionBackward"

    def __init__(
        self,
        again: Callable[[], Any],
        inside: Sequence[int],
        ends: Sequence[Edge],
        random: Any,
        tensors: Sequence[Variable],
    ) -> None:
        self.again, self.inside, self.random, self.tensors = again, inside, random, tensors
        self.ends = ends  # the edges, also after a part around this one has let them lead elsewhere

    def backward(self, dy: Any) -> Any:
        """Compute the part again, and walk back through it to the edges of this node, and not further."""
        after, before = default_generator.get_state(), next(numbers)
        if self.random is not None:
            default_generator.set_state(self.random)
        try:
            with enable_grad():
                out = self.again()
        finally:
            default_generator.set_state(after)
        parts = out if isinstance(out, (tuple, list)) else (out,)
        given = [(parts[i]._edge(), part) for i, part in zip(self.inside, dy, strict=True) if part is not None]
        edges = [edge for edge, _ in given]
        leaves = {id(edge): _leaf() for edge in self.ends}
        for node in _nodes(edges, before):
            node.edges = [leaves.get(id(edge), edge) for edge in node.edges]
        found = Walk(list(leaves.values())).run(edges, [part for _, part in given], None)
        return tuple(found.get(id(leaves[id(edge)])) for edge in self.ends)

    def refuse_changed(self, counter: list[Any], version: int, address: int, edge: Edge | bool) -> None:
        """Raise: an input that is needed again was changed in place."""
        array = next(tensor._array for tensor in self.tensors if id(tensor._array) == address)
        raise RuntimeError(changed(array, counter[0], version, "", self.name()))

    def release(self) -> None:
        """Let go of the inputs; a second backward is refused."""
        del self.again, self.tensors
        self.saved = None


_ALWAYS: SavedVersion = ([0], 0, 0, None)  # of no tensor: makes the walk call `release`


def _is_inside(edge: Edge, before: int) -> bool:
    """Whether an edge leads to a node that was recorded after a number was given: later numbers are smaller."""
    return isinstance(edge, Node) and edge.number < before


def _nodes(edges: Sequence[Edge], before: int) -> Iterator[Node]:
    """The nodes of a part, each once."""
    seen: set[int] = set()
    stack = list(edges)
    while stack:
        node = stack.pop()
        if id(node) not in seen and isinstance(node, Node) and node.number < before:
            seen.add(id(node))
            stack.extend(node.edges)
            yield node


def _ends(edges: Sequence[Edge], before: int) -> list[Edge]:
    """What the nodes of a part lead to: the earlier nodes and the leaves, each once."""
    leading = (edge for node in _nodes(edges, before) for edge in node.edges)
    return list({id(edge): edge for edge in leading if edge is not None and not _is_inside(edge, before)}.values())


def _leaf() -> Variable:
    """In place of one of these ends in the graph of the second time: it takes the gradient, and has no hooks."""
    return wrap(np.empty(0, np.float32))


def _sequence(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for function in functions:
            x = function(x)
        return x

    return run


__getattr__ = refuse(__name__)
