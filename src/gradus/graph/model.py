"""A computation as data: nodes in topological order, the groups that they form, and what can be asked of them.

An operation and its result are one node: the result's label, value and gradient, and the operation that made it. The
edges are the operands, as positions in the list of nodes, in order; an operand that is used twice stands there twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["value", "tensor", "group"]
Detail = Literal["full", "map"]
Direction = Literal["right", "down"]


class Edge(NamedTuple):
    """`source` is the operand number `position` of `target`."""

    source: int
    target: int
    position: int


@dataclass(slots=True)
class Node:
    """A value or tensor and the operation that made it, or a folded group.

    Attributes:
        op: the operation, "" for a leaf.
        label: a name for people, "" for none.
        operands: positions in `Computation.nodes`, each smaller than the node's own.
        data, grad: numbers, where the node holds a single one.
        local: for a Value, the derivative with respect to each operand.
        shape: for a tensor, where it is known.
        note: one more line about a tensor, such as the size of its gradient.
        group: position in `Computation.groups`, -1 for none.
        members: how many nodes it stands for; more than 1 only for a folded group.
    """

    op: str = ""
    label: str = ""
    operands: tuple[int, ...] = ()
    data: float | None = None
    grad: float | None = None
    local: tuple[float, ...] = ()
    shape: tuple[int, ...] | None = None
    note: str = ""
    group: int = -1
    kind: Kind = "value"
    members: int = 1

    def __repr__(self) -> str:
        fields = ("op", "label", "data", "grad", "shape", "note")
        said = [f"{name}={value!r}" for name in fields if (value := getattr(self, name)) not in ("", None)]
        return f"Node({', '.join([self.kind, *said, f'{len(self.operands)} operands'])})"


@dataclass(frozen=True, slots=True)
class Group:
    """A neuron, a layer, a module: `name` is its path from the outside, `kind` its class, `parent` a position or -1."""

    name: str
    kind: str = ""
    parent: int = -1


@dataclass(slots=True)
class Computation:
    """Nodes in topological order, and the groups that they form.

    Attributes:
        nodes: in topological order, operands before results.
        outputs: positions of the nodes that were asked for.
        groups: what nodes belong to, parents before children.
        backward: whether a backward pass has been run; None where that cannot be told.
    """

    nodes: list[Node]
    outputs: tuple[int, ...] = ()
    groups: list[Group] = field(default_factory=list)
    backward: bool | None = None

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        results = [self.nodes[output].label or self.nodes[output].op or "a leaf" for output in self.outputs[:4]]
        more = ", …" if len(self.outputs) > 4 else ""
        groups = f" in {len(self.groups)} groups" if self.groups else ""
        return f"{type(self).__name__}({len(self):,} nodes{groups}, result {', '.join(results)}{more})"

    @property
    def edges(self) -> Iterator[Edge]:
        """Every use of an operand."""
        for target, node in enumerate(self.nodes):
            for position, source in enumerate(node.operands):
                yield Edge(source, target, position)

    def find(self, label: str) -> int:
        """The position of the node with this label.

        Raises:
            KeyError: if there is none.
        """
        for position, node in enumerate(self.nodes):
            if node.label == label:
                return position
        raise KeyError(f"no node is labelled {label!r}")

    def enclosing(self, group: int) -> list[int]:
        """The group and those around it, innermost first; empty for -1."""
        chain = []
        while group >= 0:
            chain.append(group)
            group = self.groups[group].parent
        return chain
