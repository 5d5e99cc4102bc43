"""Where everything goes: a layered layout, left to right (Sugiyama, Tagawa and Toda, 1981), done group by group.

A group is laid out by itself and is then one box for the group around it, so boxes never overlap and a folded group
is nothing special. Layers are by longest path, then tightened. All uses of one value share a wire: it runs once across
the picture and branches where it is needed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gradus.graph.layered import Layered
from gradus.graph.model import Computation

Point = tuple[float, float]
Item = tuple[str, int]  # ("node", i), ("group", g), ("in", source) or ("out", source)


@dataclass(slots=True)
class Size:
    """A node's room: the operation's sign, the gap after it, and the box of the result; the sign may be absent (0)."""

    sign: float
    gap: float
    box: float
    height: float

    @property
    def width(self) -> float:
        return self.sign + self.gap + self.box


@dataclass(slots=True)
class Branch:
    """A line from a wire's source to one of its ends: points joined by straight pieces and curves in turn."""

    end: Item
    points: list[Point]
    bulge: float = 0.0  # how far the last curve bends aside, for two lines between the same two nodes


@dataclass(slots=True)
class Wire:
    """Every line from `source` inside one group (-1: outside all groups)."""

    source: int
    group: int
    branches: list[Branch]


@dataclass(slots=True)
class Layout:
    """The finished layout, in units of one pixel, y downwards.

    Attributes:
        nodes: (left, centre, width) of each node; its height is in `sizes`.
        groups: (left, top, width, height) of each group that has nodes.
    """

    width: float = 0.0
    height: float = 0.0
    nodes: list[tuple[float, float, float]] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    groups: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    down: bool = False

    def turned(self, sizes: Sequence[Size]) -> Layout:
        """The same layout from top to bottom: x and y change places.

        nodes become (centre, top, height); the points of wires stay as they are, for whoever draws them to turn.

        Args:
            sizes: of the nodes as they are drawn.
        """
        nodes = [(centre, left, width) for left, centre, width in self.nodes]
        groups = {which: (y, x, height, width) for which, (x, y, width, height) in self.groups.items()}
        return Layout(self.height, self.width, nodes, list(sizes), groups, self.wires, down=True)


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances between things, in pixels."""

    rows: float = 14.0
    wires: float = 9.0
    columns: float = 30.0
    pad: float = 14.0
    title: float = 18.0  # room for a group's name, above its rows; ...
    down: bool = False  # ... or before its columns, when the picture will be turned to go down
    sweeps: int = 8
    settling: int = 3


def layout(graph: Computation, size: Callable[[int], Size], spacing: Spacing = Spacing()) -> Layout:
    """Lay out a graph whose node i needs the room size(i)."""
    sizes = [size(i) for i in range(len(graph))]
    levels = _split(graph)
    boxes: dict[int, _Level] = {}
    for group in [*reversed(range(len(graph.groups))), -1]:  # children before parents
        if group in levels:
            boxes[group] = _Level(group, levels[group], sizes, boxes, spacing)
    result = Layout(sizes=sizes, nodes=[(0.0, 0.0, 0.0)] * len(graph))
    top = boxes[-1]
    result.width, result.height = top.width, top.height
    _place(top, 0.0, 0.0, boxes, result)
    return result


@dataclass(slots=True)
class _Contents:
    """What a group holds: items in order, and for each source seen there, the ends that its wire reaches."""

    items: list[Item] = field(default_factory=list)
    wires: dict[int, list[Item]] = field(default_factory=dict)
    start: dict[int, Item] = field(default_factory=dict)


def _split(graph: Computation) -> dict[int, _Contents]:
    """Cut every edge where it crosses the border of a group, so that each group can be laid out by itself."""
    chains = {group: graph.enclosing(group) for group in range(-1, len(graph.groups))}
    levels = {-1: _Contents()}
    for i, node in enumerate(graph.nodes):
        inner: Item = ("node", i)
        for group in [*chains[node.group], -1]:
            contents = levels.setdefault(group, _Contents())
            if inner[0] == "node" or inner not in contents.items:
                contents.items.append(inner)
            inner = ("group", group)
    for edge in graph.edges:
        source, target = [*chains[graph.nodes[edge.source].group], -1], [*chains[graph.nodes[edge.target].group], -1]
        shared = next(group for group in source if group in target)
        inner = ("node", edge.source)
        for group in source[: source.index(shared)]:  # out of the source's groups
            _join(levels[group], edge.source, inner, ("out", edge.source))
            inner = ("group", group)
        ends: list[Item] = [("node", edge.target)]
        for group in target[: target.index(shared)]:  # and into the target's
            _join(levels[group], edge.source, ("in", edge.source), ends[-1])
            ends.append(("group", group))
        _join(levels[shared], edge.source, inner, ends[-1])
    return levels


def _join(contents: _Contents, source: int, start: Item, end: Item) -> None:
    ends = contents.wires.setdefault(source, [])
    contents.start[source] = start
    if end[0] == "node" or end not in ends:  # two uses by one node are two ends
        ends.append(end)


class _Level:
    """One group, laid out: `x`, `y` of its items' centres, and the lines between them, from its own top left corner."""

    def __init__(
        self, group: int, contents: _Contents, sizes: Sequence[Size], inner: dict[int, _Level], spacing: Spacing
    ) -> None:
        self.group, self.contents, self.sizes, self.inner, self.spacing = group, contents, sizes, inner, spacing
        self.items: list[Item] = [*contents.items]
        self.items += [start for start in contents.start.values() if start[0] == "in"]
        self.items += [("out", source) for source, ends in contents.wires.items() if ("out", source) in ends]
        self.number = {item: i for i, item in enumerate(self.items)}
        self.first = min([self._rank(item) for item in contents.items], default=0)
        self.vertices = Layered()
        for item, layer in zip(self.items, self._layers(), strict=True):
            self.vertices.add(layer, *self._room(item))
        self.paths = self._wires()
        self.vertices.order(self._ranks(), spacing.sweeps)
        self.vertices.settle(spacing.settling, spacing.rows, spacing.wires)
        self.vertices.straighten(path[-1][1][1:-1] for path in self.paths.values())
        self._rows()
        self._columns()

    # What an item is.

    def _room(self, item: Item) -> tuple[float, float]:
        """Width and height; where a wire crosses the border there is nothing but the wire."""
        kind, which = item
        if kind == "node":
            return self.sizes[which].width, self.sizes[which].height
        return (self.inner[which].width, self.inner[which].height) if kind == "group" else (0.0, 0.0)

    def _rank(self, item: Item) -> int:
        """Its place in the computation; a group's is its first node's."""
        return self.inner[item[1]].first if item[0] == "group" else item[1]

    def _outlet(self, item: Item, source: int) -> float:
        """How far below the item's centre the wire leaves it."""
        return self.inner[item[1]].port("out", source) if item[0] == "group" else 0.0

    def _inlet(self, item: Item, source: int) -> float:
        return self.inner[item[1]].port("in", source) if item[0] == "group" else 0.0

    def port(self, side: str, source: int) -> float:
        """Where a wire crosses this group's border, from the centre of its height."""
        item = (side, source)
        if item not in self.number:  # a wire that starts at a node or group of ours and goes nowhere outside
            return 0.0
        return self.y[self.number[item]] - self.height / 2

    # The four steps.

    def _layers(self) -> list[int]:
        """Longest path from the left, then everything that has more lines to the right than to the left moves right."""
        before: list[set[int]] = [set() for _ in self.items]
        after: list[set[int]] = [set() for _ in self.items]
        for source, ends in self.contents.wires.items():
            start = self.number[self.contents.start[source]]
            for end in ends:
                before[self.number[end]].add(start)
                after[start].add(self.number[end])
        has_inlets = any(item[0] == "in" for item in self.items)
        layer = [0] * len(self.items)
        waiting = [len(b) for b in before]
        order = [i for i, count in enumerate(waiting) if count == 0]
        for i in order:
            if self.items[i][0] != "in" and has_inlets:
                layer[i] = max(layer[i], 1)
            for j in after[i]:
                layer[j] = max(layer[j], layer[i] + 1)
                waiting[j] -= 1
                if waiting[j] == 0:
                    order.append(j)
        if len(order) < len(self.items):
            raise ValueError("this grouping cannot be drawn: a path leaves a group and comes back into it")
        last = max([layer[i] for i, item in enumerate(self.items) if item[0] != "out"], default=0) + 1
        for i, item in enumerate(self.items):
            if item[0] == "out":
                layer[i] = last
        for i in reversed(order):
            if self.items[i][0] in ("node", "group") and after[i] and len(after[i]) > len(before[i]):
                layer[i] = max(layer[i], min(layer[j] for j in after[i]) - 1)
        used = sorted(set(layer))
        return [bisect_left(used, place) for place in layer]

    def _wires(self) -> dict[int, list[tuple[Item, list[int]]]]:
        """Give each wire its vertices: one for every layer that it passes, shared by all of its ends."""
        vertices = self.vertices
        paths: dict[int, list[tuple[Item, list[int]]]] = {}
        for source, ends in self.contents.wires.items():
            start_item = self.contents.start[source]
            chain = [self.number[start_item]]
            first = vertices.layer[chain[0]]
            outlet = self._outlet(start_item, source)
            paths[source] = []
            for end in sorted(ends, key=lambda end: vertices.layer[self.number[end]]):
                target = self.number[end]
                while first + len(chain) < vertices.layer[target]:
                    bend = vertices.add(first + len(chain))
                    vertices.link(chain[-1], bend, outlet if len(chain) == 1 else 0.0, 0.0)
                    chain.append(bend)
                via = chain[: vertices.layer[target] - first]
                vertices.link(via[-1], target, outlet if len(via) == 1 else 0.0, self._inlet(end, source))
                paths[source].append((end, [*via, target]))
        return paths

    def _ranks(self) -> list[int]:
        """To begin with, nodes keep the order of the computation, and a wire lies where its source is."""
        rank = [self._rank(item) for item in self.items]
        rank += [0] * (len(self.vertices.layer) - len(rank))
        for path in self.paths.values():
            for _, vertices in path:
                for vertex in vertices[1:-1]:
                    rank[vertex] = rank[vertices[0]]
        return rank

    def _rows(self) -> None:
        """Heights from the top of the group, below its title."""
        y, h = self.vertices.y, self.vertices.h
        top = min((centre - height / 2 for centre, height in zip(y, h, strict=True)), default=0.0)
        bottom = max((centre + height / 2 for centre, height in zip(y, h, strict=True)), default=0.0)
        pad, title = (self.spacing.pad, self.spacing.title) if self.group >= 0 else (0.0, 0.0)
        title = 0.0 if self.spacing.down else title
        self.height = bottom - top + 2 * pad + title
        self.y = [centre - top + pad + title for centre in y]

    def _columns(self) -> None:
        """Widths: each layer is as wide as its widest item, and a gap is wider where its lines are steep."""
        vertices, spacing = self.vertices, self.spacing
        self.column = [max((vertices.w[v] for v in layer), default=0.0) for layer in vertices.layers]
        self.left_of, x = [], spacing.pad if self.group >= 0 and not self._edge(0, "in") else 0.0
        x += spacing.title if spacing.down and self.group >= 0 else 0.0
        for width, layer in zip(self.column, vertices.layers, strict=True):
            self.left_of.append(x)
            falls = [self.y[to] + delta - self.y[v] for v in layer for to, delta, _ in vertices.right[v]]
            x += width
            if falls:
                x += spacing.columns + min(0.16 * max(max(falls), -min(falls)), 200.0)
        self.width = x + (spacing.pad if self.group >= 0 and not self._edge(-1, "out") else 0.0)
        self.x = []
        for i, item in enumerate(self.items):
            # signs in line at the left, leaves at the right, near where they are used
            aside = 0.5 if item[0] == "group" else 0.0 if vertices.left[i] else 1.0
            place = vertices.layer[i]
            self.x.append(self.left_of[place] + (self.column[place] - vertices.w[i]) * aside)

    def _edge(self, place: int, kind: str) -> bool:
        """Whether the first or last column is the border itself."""
        return any(v < len(self.items) and self.items[v][0] == kind for v in self.vertices.layers[place])


def _place(level: _Level, x: float, y: float, boxes: dict[int, _Level], result: Layout) -> None:
    """Move a level and all inside it to where it belongs, and write it down."""
    if level.group >= 0:
        result.groups[level.group] = (x, y, level.width, level.height)
    for i, (kind, which) in enumerate(level.items):
        if kind == "node":
            result.nodes[which] = (x + level.x[i], y + level.y[i], level.vertices.w[i])
        elif kind == "group":
            _place(boxes[which], x + level.x[i], y + level.y[i] - boxes[which].height / 2, boxes, result)
    slots = _slots(level)
    for source, ends in level.paths.items():
        start_item = level.contents.start[source]
        branches = []
        seen: dict[Item, int] = {}
        for end, vertices in ends:
            nth = seen[end] = seen.get(end, -1) + 1
            total = sum(other == end for other, _ in ends)
            start, target = vertices[0], vertices[-1]
            arrive = level.y[target] + level._inlet(end, source) + slots.get((target, source, nth), 0.0)
            apart = (nth - (total - 1) / 2) * 10.0 if total > 1 else 0.0
            leave = level.y[start] + level._outlet(start_item, source)
            points = [(level.x[start] + level.vertices.w[start], leave)]
            for before, after in pairwise(vertices):
                # a straight piece to the end of the column, a curve across the gap, a straight piece into the next
                edge = level.left_of[level.vertices.layer[before]] + level.column[level.vertices.layer[before]]
                points += [
                    (edge, points[-1][1]),
                    (level.left_of[level.vertices.layer[after]], arrive if after == target else level.y[after]),
                ]
            points.append((level.x[target], points[-1][1]))
            branches.append(Branch(end, [(x + px, y + py) for px, py in points], apart))
        result.wires.append(Wire(source, level.group, branches))


def _slots(level: _Level) -> dict[tuple[int, int, int], float]:
    """Lines into one node end a little apart, in the order of the heights that they come from."""
    arriving: dict[int, list[tuple[float, int, int]]] = {}
    for source, ends in level.paths.items():
        seen: dict[Item, int] = {}
        for end, vertices in ends:
            nth = seen[end] = seen.get(end, -1) + 1
            if end[0] == "node":
                from_y = level.y[vertices[-2]] + (
                    level._outlet(level.contents.start[source], source) if len(vertices) == 2 else 0
                )
                arriving.setdefault(vertices[-1], []).append((from_y, source, nth))
    slots = {}
    for target, lines in arriving.items():
        size = level.sizes[level.items[target][1]]
        step = min(6.0, max(size.height - 12.0, 0.0) / len(lines))
        for place, (_, source, nth) in enumerate(sorted(lines, key=lambda line: (line[0], line[2]))):
            slots[target, source, nth] = (place - (len(lines) - 1) / 2) * step
    return slots
