"""Reading the graph that a computation left behind: of Values, or of tensors (ours and PyTorch's alike).

A Value carries `_prev`, `_op` and `_local`. A tensor carries `grad_fn`, whose `next_functions` lead on to the nodes
that its inputs came from, down to the leaves, whose nodes have a `.variable`. Nothing else is asked of either, and
neither package is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gradus.graph.model import Group, Node
from gradus.graph.picture import Graph
from gradus.graph.watch import Call, watch
from gradus.order import topological_order

# What PyTorch calls its nodes, as a reader would write them.
SIGNS = {
    "add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "neg", "mm": "@", "bmm": "@", "mv": "@", "dot": "@",
    "native_layer_norm": "layer_norm", "native_dropout": "dropout", "matmul": "@", "t": "transpose", "re_lu": "relu",
    "log_softmax": "log_softmax", "r_sub": "−", "mat_mul": "@", "unsafe_view": "view", "linear": "linear",
}  # fmt: skip


def graph(
    root: Any, *, names: Mapping[str, Any] | Any | None = None, calls: watch | Iterable[Call] | None = None
) -> Graph:
    """The computation graph that ends in `root`.

    Args:
        root: a Value or a tensor, or a list of them.
        names: labels for tensors (Values carry their own): a mapping of names to tensors, or a module, whose
            parameters' names are taken.
        calls: what `watch(module)` saw; its calls become the groups of the graph.

    Raises:
        TypeError: if root is neither a Value nor a tensor.
        ValueError: if a tensor has no graph: it was computed under no_grad, or needs no gradient.
    """
    roots = [*root] if isinstance(root, (list, tuple)) else [root]
    if not roots:
        raise ValueError("there is nothing to draw: the list of results is empty")
    for item in roots:
        if not (hasattr(item, "_prev") or hasattr(item, "grad_fn")):
            raise TypeError(f"expected Values or tensors to draw the graph of, got {type(item).__name__}")
        if not hasattr(item, "_prev") and item.grad_fn is None and not item.requires_grad:
            raise ValueError(
                "this tensor has no graph: nothing behind it has requires_grad=True, or it was computed under no_grad"
            )
    reader = _Values() if hasattr(roots[0], "_prev") else _Tensors(roots, _names(names), calls)
    place: dict[int, int] = {}
    nodes: list[Node] = []
    for item in topological_order([reader.key(item) for item in roots], reader.operands):
        place[id(item)] = len(nodes)
        nodes.append(reader.node(item, tuple(place[id(operand)] for operand in reader.operands(item))))
    result = Graph(nodes, tuple(place[id(reader.key(item))] for item in roots), backward=reader.backward(nodes))
    if calls is not None:
        _group(result, calls, lambda item: place.get(id(reader.key(item)), -1))
    return result


class _Values:
    """How to read a Value."""

    def key(self, value: Any) -> Any:
        return value

    def operands(self, value: Any) -> Sequence[Any]:
        return tuple(value._prev)

    def node(self, value: Any, operands: tuple[int, ...]) -> Node:
        op = {"*": "×", "/": "÷", "-": "−"}.get(value._op, value._op)
        return Node(op, value.label, operands, value.data, value.grad, tuple(getattr(value, "_local", ())))

    def backward(self, nodes: list[Node]) -> bool:
        return any(node.grad for node in nodes)


class _Tensors:
    """How to read the nodes behind a tensor."""

    def __init__(self, roots: list[Any], names: Mapping[str, Any], calls: watch | Iterable[Call] | None) -> None:
        self.keep: list[Any] = []  # PyTorch creates a node's Python object again once no reference is left
        self.leaves: dict[int, Any] = {}
        self.known: dict[int, Any] = {}
        for tensor in [*roots, *(tensor for call in calls or () for tensor in call.outputs)]:
            self._know(tensor)
        self.labels: dict[int, str] = {}
        for name, tensor in names.items():
            self.labels[id(self._know(tensor))] = name

    def _know(self, tensor: Any) -> Any:
        key = self.key(tensor)
        self.known[id(key)] = tensor
        return key

    def key(self, tensor: Any) -> Any:
        if tensor.grad_fn is None:
            return tensor
        self.keep.append(tensor.grad_fn)
        return tensor.grad_fn

    def operands(self, item: Any) -> Sequence[Any]:
        if not hasattr(item, "next_functions"):
            return ()
        found = []
        for function, _ in item.next_functions:
            if function is not None:
                variable = getattr(function, "variable", None)
                self.keep.append(function)
                found.append(function if variable is None else variable)
        return found

    def node(self, item: Any, operands: tuple[int, ...]) -> Node:
        tensor = self.known.get(id(item))
        if not hasattr(item, "next_functions"):
            tensor = item
        label = self.labels.get(id(item), "")
        op = "" if not hasattr(item, "next_functions") else _operation(item)
        if tensor is None:
            return Node(op, label, operands, shape=_shape(item), kind="tensor")
        grad = getattr(tensor, "grad", None) if tensor is item or getattr(tensor, "retains_grad", False) else None
        one = tensor.numel() == 1
        note = "" if grad is None or one else f"|grad| {_norm(grad):.3g}"
        return Node(
            op, label, operands, data=float(tensor.detach().item()) if one else None,
            grad=float(grad.item()) if one and grad is not None else None, shape=tuple(tensor.shape), note=note,
            kind="tensor",
        )  # fmt: skip

    def backward(self, nodes: list[Node]) -> bool:
        return any(node.grad is not None or node.note for node in nodes)


def _norm(tensor: Any) -> float:
    return float((tensor.detach() * tensor.detach()).sum().item() ** 0.5)


def _shape(function: Any) -> tuple[int, ...] | None:
    """The shape of a node's first result, where the node tells."""
    metadata = getattr(function, "_input_metadata", None)
    return tuple(metadata[0].shape) if metadata else None


def _operation(function: Any) -> str:
    """ "NativeLayerNormBackward0" -> "layer_norm". A power says which, where the node tells."""
    bare = re.sub(r"Backward\d*$", "", function.name().rsplit("::", 1)[-1])
    exponent = getattr(function, "_saved_exponent", None)
    if bare == "Pow" and isinstance(exponent, (int, float)):
        return f"**{exponent:g}"
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", bare).lower()
    return "attention" if snake.startswith("scaled_dot_product") else SIGNS.get(snake, snake)


def _names(names: Any) -> Mapping[str, Any]:
    if names is None:
        return {}
    return dict(names.named_parameters()) if hasattr(names, "named_parameters") else dict(names)


def _group(graph: Graph, calls: Iterable[Call], position: Callable[[Any], int]) -> None:
    """Turn calls into groups: a call owns what its outputs came from and its inputs did not."""
    ancestors: list[int] = []  # as bit sets
    for i, node in enumerate(graph.nodes):
        bits = 1 << i
        for operand in node.operands:
            bits |= ancestors[operand]
        ancestors.append(bits)

    def behind(items: Sequence[Any]) -> int:
        bits = 0
        for item in items:
            place = position(item)
            bits |= ancestors[place] if place >= 0 else 0
        return bits

    calls = [*calls]
    owners: list[list[int]] = [[] for _ in graph.nodes]
    for number, call in enumerate(calls):
        own = behind(call.outputs) & ~behind(call.inputs)
        while own:
            low = own & -own
            owners[low.bit_length() - 1].append(number)
            own ^= low

    def around(number: int) -> list[int]:
        chain = []
        while number >= 0:
            chain.append(number)
            number = calls[number].parent
        return chain[::-1]

    # A node that two calls share, one not inside the other, belongs to what is around both.
    chosen: list[int] = []
    for numbers in owners:
        chains = [around(number) for number in numbers]
        longest = max(chains, key=len, default=[])
        common = [
            call
            for depth, call in enumerate(longest)
            if all(chain[depth : depth + 1] in ([call], []) for chain in chains)
        ]
        chosen.append(common[-1] if common else -1)
    used = sorted({call for number in chosen for call in around(number)})
    place = {-1: -1} | {number: i for i, number in enumerate(used)}
    names: dict[str, int] = {}
    for number in used:
        call = calls[number]
        names[call.name] = names.get(call.name, 0) + 1
        again = f" ({names[call.name]})" if names[call.name] > 1 else ""
        graph.groups.append(Group(call.name + again, call.kind, place[call.parent]))
    for node, number in zip(graph.nodes, chosen, strict=True):
        node.group = place[number]
