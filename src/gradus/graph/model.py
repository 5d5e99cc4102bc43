"""A computation as data: nodes in topological order, the groups that they form, and what can be asked of them.

An operation and its result are one node: the result's label, value and gradient, and the operation that made it. The
edges are the operands, as positions in the list of nodes, in order; an operand that is used twice stands there twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from gradus.graph.layout import Layout

Kind = Literal["value", "tensor", "group"]
Detail = Literal["full", "map"]


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
        operands: positions in `Graph.nodes`, each smaller than the node's own.
        data, grad: numbers, where the node holds a single one.
        local: for a Value, the derivative with respect to each operand.
        shape: for a tensor, where it is known.
        note: one more line about a tensor, such as the size of its gradient.
        group: position in `Graph.groups`, -1 for none.
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


@dataclass(frozen=True, slots=True)
class Group:
    """A neuron, a layer, a module: `name` is its path from the outside, `kind` its class, `parent` a position or -1."""

    name: str
    kind: str = ""
    parent: int = -1


@dataclass(slots=True)
class Graph:
    """A computation graph. In a notebook it shows itself; `save` writes it as .svg, .png, .dot or .txt.

    Attributes:
        nodes: in topological order, operands before results.
        outputs: positions of the nodes that the graph was asked for.
        groups: what nodes belong to, parents before children.
        backward: whether a backward pass has been run; None where that cannot be told.
    """

    nodes: list[Node]
    outputs: tuple[int, ...] = ()
    groups: list[Group] = field(default_factory=list)
    backward: bool | None = None

    def __len__(self) -> int:
        return len(self.nodes)

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

    def fold(self, *names: str, depth: int | None = None) -> Graph:
        """A new graph in which groups are single nodes.

        Args:
            names: the groups to fold, by full name ("layers.0") ; none and no depth: all of the outermost ones.
            depth: fold every group that has this many groups around it.

        Raises:
            KeyError: if there is no group of that name.
            ValueError: if a group cannot be folded because a path leaves it and comes back.
        """
        known = {group.name for group in self.groups}
        for name in names:
            if name not in known:
                raise KeyError(f"no group is called {name!r}; there are {', '.join(sorted(known)) or 'none'}")
        level = 0 if depth is None and not names else depth
        chosen = {
            position
            for position, group in enumerate(self.groups)
            if group.name in names or len(self.enclosing(position)) - 1 == level
        }
        from gradus.graph.fold import contract

        return contract(self, chosen)

    def svg(self, *, detail: Detail | None = None) -> str:
        """The picture as SVG text: no scripts, no fonts of its own, readable on light and on dark.

        Args:
            detail: "full" writes every value and gradient; "map" draws a dot for each node, coloured by its gradient,
                and leaves the numbers to the tooltips. None takes "full" up to 150 nodes.
        """
        from gradus.graph.scene import scene
        from gradus.graph.svg import to_svg

        return to_svg(scene(self, detail=detail))

    def png(self, *, detail: Detail | None = None, scale: float = 2.0) -> bytes:
        """The same picture as PNG bytes, `scale` pixels to a unit of the SVG."""
        from gradus.graph.png import to_png
        from gradus.graph.scene import scene

        return to_png(scene(self, detail=detail), scale=scale)

    def dot(self) -> str:
        """The graph in Graphviz's DOT language."""
        from gradus.graph.dot import to_dot

        return to_dot(self)

    def text(self, *, limit: int = 200) -> str:
        """The graph as an indented tree for a terminal, at most `limit` lines of it."""
        from gradus.graph.text import to_text

        return to_text(self, limit=limit)

    def layout(self) -> Layout:
        """Where everything goes in the full picture."""
        from gradus.graph.scene import arrange

        return arrange(self, "full")

    def save(self, path: str | Path, *, detail: Detail | None = None) -> Path:
        """Write the file, in the form that its ending names: .svg, .png, .dot or .txt.

        Raises:
            ValueError: for another ending.
        """
        path = Path(path)
        match path.suffix:
            case ".svg":
                path.write_text(self.svg(detail=detail), encoding="utf-8")
            case ".png":
                path.write_bytes(self.png(detail=detail))
            case ".dot":
                path.write_text(self.dot(), encoding="utf-8")
            case ".txt":
                path.write_text(self.text(), encoding="utf-8")
            case other:
                raise ValueError(
                    f"a graph is saved as .svg, .png, .dot or .txt, got {other or 'no ending'!r} in {path}"
                )
        return path

    def _repr_svg_(self) -> str:
        return self.svg()
