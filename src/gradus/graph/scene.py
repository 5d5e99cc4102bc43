"""What is drawn: a graph's picture as a list of shapes, from which the SVG and the PNG are both written.

Boxes have a light fill and dark text of their own, and lines and captions a middle grey, so the same picture reads on
a light page and on a dark one. In a box: the label and the value, and the gradient under them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gradus.graph.layout import Branch, Item, Layout, Size, Spacing, layout
from gradus.graph.model import Computation, Detail, Direction, Node
from gradus.graph.words import measure, number, shape, shorten, tooltip

INK = "#1d2733"
QUIET = "#5d6b7a"
LINE = "#8793a1"
FAINT = "#a3aeba"
CAPTION = "#7a8694"
GRADIENT = "#b3400e"
HIGHLIGHT = "#e2711d"
SIGN = "#46586c"
LEAF, RESULT, OUTPUT, FOLDED = (
    ("#e4effb", "#8fb3da"),
    ("#ffffff", "#a9b4c0"),
    ("#e3f4e6", "#86bf92"),
    ("#ece8f8", "#a99bd6"),
)

FULL_UP_TO = 150
MARGIN = 16.0
SIGN_HEIGHT = 24.0  # the height of an operation's sign
TEXT = 12.0


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    radius: float
    fill: str
    stroke: str = "none"
    thickness: float = 1.0
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float  # of the baseline
    words: str
    fill: str
    size: float = TEXT
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Moves ("M", 1 point), straight pieces ("L", 1) and cubic curves ("C", 3)."""

    pieces: tuple[tuple[str, tuple[float, ...]], ...]
    stroke: str
    thickness: float


@dataclass(frozen=True, slots=True)
class Marked:
    """Shapes that belong together, under one tooltip."""

    title: str
    shapes: tuple[Rect | Text, ...]


@dataclass(slots=True)
class Scene:
    width: float
    height: float
    title: str
    shapes: list[Rect | Text | Line | Marked] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Marks:
    """One frame of a walk: what is highlighted, and the gradients so far."""

    nodes: Collection[int] = ()
    sign: int = -1  # the node whose operation is highlighted
    edge: tuple[int, int, int] | None = None  # from, to, and which of the lines between those two
    grads: Mapping[int, float] | None = None
    caption: str = ""


def scene(
    graph: Computation,
    *,
    detail: Detail | None = None,
    direction: Direction = "right",
    marks: Marks | None = None,
    placed: Layout | None = None,
) -> Scene:
    """The picture of a graph."""
    detail = detail or ("full" if len(graph) <= FULL_UP_TO else "map")
    marks = marks or Marks()
    placed = placed or arrange(graph, detail, direction, stepping=marks.grads is not None)
    caption = marks.caption or _caption(graph, detail)
    below = 22.0 if caption else 0.0
    width = max(placed.width, measure(caption, 11.0)) + 2 * MARGIN
    picture = Scene(width, placed.height + 2 * MARGIN + below, _title(graph))
    for group in sorted(placed.groups):
        picture.shapes.append(_group(graph, placed, group))
    picture.shapes += _lines(graph, placed, marks, thin=detail == "map")
    draw = _dot if detail == "map" else _box
    largest = max((abs(node.grad) for node in graph.nodes if node.grad), default=1.0)
    for i in range(len(graph)):
        picture.shapes.append(draw(graph, placed, i, marks, largest))
    if caption:
        picture.shapes.append(Text(MARGIN, picture.height - 12.0, caption, CAPTION, 11.0))
    return picture


def arrange(graph: Computation, detail: Detail, direction: Direction = "right", *, stepping: bool = False) -> Layout:
    """The layout, with the room that each node needs at this level of detail."""
    down = direction == "down"
    if detail == "map":
        spacing = Spacing(rows=4.0, wires=2.5, columns=20.0, pad=8.0, title=14.0, down=down, sweeps=6, settling=1)
        sizes = [Size(0.0, 0.0, 9.0, 9.0)] * len(graph)
    else:
        graded = stepping or bool(graph.backward)
        spacing = Spacing(columns=22.0 if down else 30.0, down=down)
        sizes = [_size(graph, node, graded) for node in graph.nodes]
    if not down:
        return layout(graph, lambda i: sizes[i], spacing)
    return layout(graph, lambda i: _upright(sizes[i]), spacing).turned(sizes)


def _upright(size: Size) -> Size:
    """The room of a node whose sign is above its box, as a layout from left to right sees it."""
    return Size(SIGN_HEIGHT if size.sign else 0.0, size.gap, size.height if size.box else 0.0, max(size.sign, size.box))


# ---- boxes and captions


def _rows(graph: Computation, node: Node, grad: float | None, graded: bool) -> list[tuple[str, str]]:
    """(what, value) for each line in a node's box."""
    rows = []
    label = shorten(node.label.removeprefix(f"{graph.groups[node.group].name}." if node.group >= 0 else ""))
    if node.kind == "group":
        return [(label, ""), ("", f"{node.op} → {shape(node.shape)}" if node.shape else f"{node.op} · {node.note}")]
    if node.data is not None:
        rows.append((label, number(node.data)))
    elif label or node.shape:
        rows.append((label, shape(node.shape)))
    if graded and grad is not None:
        rows.append(("grad", number(grad)))
    elif graded and node.kind == "value":
        rows.append(("grad", "–"))
    elif node.note:
        rows.append(("", node.note))
    return rows


def _size(graph: Computation, node: Node, graded: bool) -> Size:
    rows = _rows(graph, node, -0.1234 if graded and node.kind == "value" else node.grad, graded)
    sign = _sign_width(node)
    box = 0.0
    for what, value in rows:
        wide = measure(what, TEXT, bold=True) + measure(value, TEXT) + (14.0 if what and value else 0.0)
        box = max(box, wide + 18.0)
    if node.kind == "value":
        box = max(box, 78.0 if not graded else 98.0)
    height = max(16.0 * len(rows) + 9.0 if rows else 0.0, 24.0)
    return Size(sign, 12.0 if sign and rows else 0.0, box, height)


def _sign_width(node: Node) -> float:
    return 0.0 if not node.op or node.kind == "group" else max(24.0, measure(node.op, 12.5) + 14.0)


def _title(graph: Computation) -> str:
    outputs = ", ".join(filter(None, (graph.nodes[i].label for i in graph.outputs)))
    return f"Computation graph{' of ' + outputs if outputs else ''}: {len(graph)} nodes"


def _caption(graph: Computation, detail: Detail) -> str:
    said = []
    if graph.backward is False:
        said.append("backward not run: there are no gradients yet")
    elif detail == "map" and any(node.grad is not None for node in graph.nodes):
        said.append("colour: gradient, orange positive, blue negative, deeper is larger; squares are leaves")
    if detail == "map":
        said.insert(0, f"{sum(node.members for node in graph.nodes):,} nodes")
    return " · ".join(said)


# ---- shapes


def _group(graph: Computation, placed: Layout, which: int) -> Marked:
    x, y, width, height = placed.groups[which]
    group = graph.groups[which]
    outer = graph.groups[group.parent].name + "." if group.parent >= 0 else ""
    name = group.name.removeprefix(outer)
    words = name if not group.kind or group.kind == name else f"{name}  {group.kind}"
    if measure(words, 11.0) > width - 16.0:
        words = name
    frame = Rect(x + MARGIN, y + MARGIN, width, height, 9.0, "#8aa0bd", "#8aa0bd", 1.0, 0.09)
    return Marked(
        f"{group.name} ({group.kind})",
        (frame, Text(x + MARGIN + 10.0, y + MARGIN + 15.0, words, CAPTION, 11.0, bold=True)),
    )


def _box(graph: Computation, placed: Layout, which: int, marks: Marks, largest: float) -> Marked:  # noqa: ARG001 (as _dot)
    node, size = graph.nodes[which], placed.sizes[which]
    spot = _spot(placed, which)
    highlighted = which in marks.nodes
    shapes: list[Rect | Text] = []
    graded = bool(graph.backward) or marks.grads is not None
    grad = node.grad if marks.grads is None else marks.grads.get(which)
    rows = _rows(graph, node, grad, graded)
    if size.sign:
        if rows:
            shapes.append(Rect(*spot.link, 0.0, LINE))
        x, y = spot.sign
        shapes.append(
            Rect(x, y - SIGN_HEIGHT / 2, size.sign, SIGN_HEIGHT, 12.0, HIGHLIGHT if which == marks.sign else SIGN)
        )
        shapes.append(
            Text(x + size.sign / 2, y + 4.5, node.op, "#ffffff", 12.5 if len(node.op) > 1 else 15.0, "middle")
        )
    if rows:
        left, y = spot.box
        fill, stroke = (
            FOLDED
            if node.kind == "group"
            else LEAF
            if not node.operands
            else OUTPUT
            if which in graph.outputs
            else RESULT
        )
        shapes.append(
            Rect(
                left,
                y - size.height / 2,
                size.box,
                size.height,
                6.0,
                fill,
                HIGHLIGHT if highlighted else stroke,
                2.0 if highlighted else 1.0,
            )
        )
        base = y - 8.0 * len(rows) + 12.2
        for what, value in rows:
            is_grad = what == "grad"
            if what and value:
                shapes.append(
                    Text(left + 9.0, base, what, QUIET if is_grad else INK, 11.0 if is_grad else TEXT, bold=not is_grad)
                )
                shapes.append(Text(left + size.box - 9.0, base, value, GRADIENT if is_grad else INK, TEXT, "end"))
            else:
                ink = INK if what or value != node.note else GRADIENT
                shapes.append(Text(left + size.box / 2, base, what or value, ink, TEXT, "middle", bool(what)))
            base += 16.0
    return Marked(tooltip(node), tuple(shapes))


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the parts of a node go: the left ends of the sign and of the box with the height of their middles, and the
    short line between the two as (x, y, width, height)."""

    sign: tuple[float, float]
    box: tuple[float, float]
    link: tuple[float, float, float, float]


def _spot(placed: Layout, which: int) -> _Spot:
    size, (x, y, _) = placed.sizes[which], placed.nodes[which]
    x, y = x + MARGIN, y + MARGIN
    if not placed.down:  # the sign, the line and the box from left to right
        return _Spot((x, y), (x + size.sign + size.gap, y), (x + size.sign, y - 0.75, size.gap, 1.5))
    below = y + (SIGN_HEIGHT + size.gap if size.sign else 0.0)
    return _Spot(
        (x - size.sign / 2, y + SIGN_HEIGHT / 2),
        (x - size.box / 2, below + size.height / 2),
        (x - 0.75, y + SIGN_HEIGHT, 1.5, size.gap),
    )


def _dot(graph: Computation, placed: Layout, which: int, marks: Marks, largest: float) -> Marked:
    """A dot: round for an operation, square for a leaf."""
    node = graph.nodes[which]
    left, centre, width = placed.nodes[which]
    if placed.down:
        left, centre = left - width / 2, centre + width / 2
    grad = node.grad if marks.grads is None else marks.grads.get(which)
    radius = 2.0 if not node.operands else width / 2
    dot = Rect(left + MARGIN, centre + MARGIN - width / 2, width, width, radius, heat(grad, largest), "#6d7a88", 0.75)
    return Marked(tooltip(node), (dot,))


def heat(grad: float | None, largest: float) -> str:
    """White at no gradient, orange for a positive one and blue for a negative one, on a scale that shows small ones."""
    if not grad or not math.isfinite(grad):
        return "#ffffff"
    strength = min(1.0, abs(grad) / (largest or 1.0)) ** 0.4
    end = (217, 89, 15) if grad > 0 else (32, 100, 190)
    return "#" + "".join(f"{round(255 + (channel - 255) * strength):02x}" for channel in end)


def _lines(graph: Computation, placed: Layout, marks: Marks, *, thin: bool) -> list[Line]:
    """All wires as one long path, and the highlighted ones as another."""
    plain: list[tuple[str, tuple[float, ...]]] = []
    highlighted: list[tuple[str, tuple[float, ...]]] = []
    for wire in placed.wires:
        drawn: set[tuple[float, ...]] = set()
        nth: dict[Item, int] = {}
        for branch in wire.branches:
            nth[branch.end] = nth.get(branch.end, -1) + 1
            if (
                marks.edge
                and marks.edge[0] == wire.source
                and _leads(graph, wire.group, branch.end, nth[branch.end], marks.edge)
            ):
                _trace(branch, set(), highlighted)
            else:
                _trace(branch, drawn, plain)
    if placed.down:
        plain, highlighted = [_turned(piece) for piece in plain], [_turned(piece) for piece in highlighted]
    lines = [Line(tuple(plain), FAINT if thin else LINE, 0.6 if thin else 1.4)] if plain else []
    return lines + ([Line(tuple(highlighted), HIGHLIGHT, 2.6)] if highlighted else [])


def branch_path(branch: Branch, *, down: bool = False) -> str:
    """One line of a layout as the path of an SVG, in the coordinates of a scene."""
    pieces: list[tuple[str, tuple[float, ...]]] = []
    _trace(branch, set(), pieces)
    turned = [_turned(piece) for piece in pieces] if down else pieces
    return "".join(command + " ".join(f"{value:.1f}" for value in values) for command, values in turned)


def _turned(piece: tuple[str, tuple[float, ...]]) -> tuple[str, tuple[float, ...]]:
    """A piece of a line with x and y in each other's place."""
    kind, numbers = piece
    return kind, tuple(numbers[i ^ 1] for i in range(len(numbers)))


def _leads(graph: Computation, level: int, end: Item, nth: int, edge: tuple[int, int, int]) -> bool:
    """Whether a branch that ends here is part of the edge."""
    (kind, which), (_, target, number) = end, edge
    around = [*graph.enclosing(graph.nodes[target].group), -1]
    return (
        (which, nth) == (target, number)
        if kind == "node"
        else which in around
        if kind == "group"
        else level not in around
    )


def _trace(branch: Branch, drawn: set[tuple[float, ...]], pieces: list[tuple[str, tuple[float, ...]]]) -> None:
    """Add a branch's pieces that have not been drawn: curves across gaps, straight lines within columns."""
    points = branch.points
    pen: tuple[float, float] | None = None
    for i in range(1, len(points)):
        (x0, y0), (x1, y1) = points[i - 1], points[i]
        straight = i % 2 == 1
        key = (x0, y0, x1, y1)
        last_curve = i == len(points) - 2
        if (straight and x1 - x0 < 0.05) or (key in drawn and not (last_curve and branch.bulge)):
            continue
        drawn.add(key)
        x0, y0, x1, y1 = x0 + MARGIN, y0 + MARGIN, x1 + MARGIN, y1 + MARGIN
        if pen != (x0, y0):
            pieces.append(("M", (x0, y0)))
        if abs(y1 - y0) < 0.05 and not (last_curve and branch.bulge):
            pieces.append(("L", (x1, y1)))
        else:
            half, bulge = (x1 - x0) / 2, branch.bulge if last_curve else 0.0
            pieces.append(("C", (x0 + half, y0 + bulge, x1 - half, y1 + bulge, x1, y1)))
        pen = (x1, y1)
