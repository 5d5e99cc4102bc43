"""The backward walk, one application of the chain rule at a time: as data, as a table, and as frames of the picture.

The result's gradient is 1. Then, from the result back to the leaves, each node hands each of its operands its own
gradient times the local derivative, and the operand adds that to what it has. Nothing here changes the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gradus import files
from gradus.graph.frames import MOST, Frames, stepper
from gradus.graph.picture import Graph
from gradus.graph.scene import FULL_UP_TO, Marks, arrange, scene
from gradus.graph.svg import to_svg
from gradus.graph.text import node_names
from gradus.graph.words import number


@dataclass(frozen=True, slots=True)
class Step:
    """One arrival of a gradient.

    Attributes:
        node: the position of the node that passes its gradient on, -1 for the seed (the result's own 1).
        operand: the position of the node that receives.
        position: which operand of the node it is.
        incoming: the node's gradient, d(result)/d(node).
        local: the local derivative, d(node)/d(operand).
        contribution: incoming * local.
        before, after: the operand's gradient.
        accumulates: whether the operand had received something before.
    """

    node: int
    operand: int
    position: int
    incoming: float
    local: float
    contribution: float
    before: float
    after: float
    accumulates: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """All steps of a backward walk over `graph`, the seed first."""

    graph: Graph
    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return f"Walk({len(self):,} steps over {len(self.graph):,} nodes)"

    def _repr_html_(self) -> str | None:
        return stepper(self.frames(MOST), len(self)) if len(self.graph) <= FULL_UP_TO else None

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def gradients(self, step: int) -> dict[int, float]:
        """What has arrived where, after the steps 0..step."""
        return {done.operand: done.after for done in self.steps[: step + 1]}

    def table(self) -> str:
        """One line a step: who passes how much to whom."""
        names = node_names(self.graph)
        head = ("step", "from", "to", "incoming", "local", "contribution", "gradient", "")
        rows = [head]
        for i, step in enumerate(self.steps):
            sign = self.graph.nodes[step.node].op if step.node >= 0 else ""
            giver = f"{names[step.node]} ({sign})" if step.node >= 0 else "seed"
            numbers = ("", "") if step.node < 0 else (number(step.incoming), number(step.local))
            adds = f"{number(step.before)} + {number(step.contribution)}: accumulates" if step.accumulates else ""
            rows.append(
                (str(i), giver, names[step.operand], *numbers, number(step.contribution), number(step.after), adds)
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        left = {1, 2, 7}
        lines = [
            "  ".join(
                f"{cell:<{width}}" if i in left else f"{cell:>{width}}"
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def frames(self, most: int | None = None) -> Frames:
        """One SVG a step, all of one size: the edge and the two nodes of the step highlighted, with the gradients so
        far. `most` is how many steps are drawn; None draws them all."""
        placed = arrange(self.graph, "full", stepping=True)
        return Frames(
            to_svg(scene(self.graph, detail="full", marks=self._marks(i), placed=placed))
            for i in range(len(self.steps))[:most]
        )

    def save(self, path: str | Path) -> list[Path]:
        """Write the frames as NAME-00.svg, NAME-01.svg ... for a path NAME.svg.

        Raises:
            ValueError: if the path does not end in .svg.
        """
        path = Path(path)
        if path.suffix != ".svg":
            raise ValueError(f"the frames of a walk are saved as .svg, got {path}")
        digits = max(2, len(str(len(self.steps) - 1)))
        written = []
        for i, frame in enumerate(self.frames()):
            written.append(path.with_stem(f"{path.stem}-{i:0{digits}}"))
            files.write(written[-1], frame.encode())
        return written

    def _marks(self, number_of: int) -> Marks:
        step = self.steps[number_of]
        names = node_names(self.graph)
        to = names[step.operand]
        said = f"step {number_of} of {len(self.steps) - 1}: "
        if step.node < 0:
            return Marks(
                (step.operand,), grads=self.gradients(number_of), caption=f"{said}the result's own gradient is 1"
            )
        product = f"{number(step.incoming)} · {number(step.local)} = {number(step.contribution)}"
        said += f"{names[step.node]} passes {product} to {to}" + (
            f", which had {number(step.before)} and now has {number(step.after)}" if step.accumulates else ""
        )
        nth = self.graph.nodes[step.node].operands[: step.position].count(step.operand)
        edge = (step.operand, step.node, nth)
        return Marks((step.node, step.operand), step.node, edge, self.gradients(number_of), said)


def walk(graph: Graph) -> Walk:
    """The backward walk over the graph of one Value.

    Raises:
        TypeError: for what is no graph.
        ValueError: if the graph has several results, folded groups, or no local derivatives (a tensor's graph has
            none).
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"walk takes a graph, as in walk(graph(loss)), got {type(graph).__name__}")
    if len(graph.outputs) != 1:
        raise ValueError(f"a backward walk starts at one result, this graph has {len(graph.outputs)}")
    for node in graph.nodes:
        if node.operands and len(node.local) != len(node.operands):
            what = node.label or node.op
            raise ValueError(f"stepping needs the local derivatives of Values; {what!r} is a {node.kind} and has none")
    result = graph.outputs[0]
    arrived: dict[int, float] = {result: 1.0}
    steps = [Step(-1, result, 0, 1.0, 1.0, 1.0, 0.0, 1.0, False)]
    for which in range(result, -1, -1):  # positions are a topological order
        if which not in arrived:
            continue
        node = graph.nodes[which]
        incoming = arrived[which]
        for position, (operand, local) in enumerate(zip(node.operands, node.local, strict=True)):
            before = arrived.get(operand, 0.0)
            after = before + incoming * local
            steps.append(
                Step(which, operand, position, incoming, local, incoming * local, before, after, operand in arrived)
            )
            arrived[operand] = after
    return Walk(graph, tuple(steps))
