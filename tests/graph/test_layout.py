"""The layout: nothing overlaps, everything flows to the right, groups hold what is theirs."""

from __future__ import annotations

import itertools
import re
import sys
from types import FrameType
from typing import Any

import pytest

from gradus.graph import Graph, graph
from gradus.graph.layout import Layout, Size, Spacing, layout
from gradus.graph.scene import arrange
from gradus.scalar import Value
from tests.graph.graphs import classic, network, scrambled, twice

Box = tuple[float, float, float, float]


def boxes(placed: Layout) -> list[Box]:
    """(left, top, right, bottom) of every node."""
    return [
        (left, centre - size.height / 2, left + width, centre + size.height / 2)
        for (left, centre, width), size in zip(placed.nodes, placed.sizes, strict=True)
    ]


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] - 1e-6 and b[0] < a[2] - 1e-6 and a[1] < b[3] - 1e-6 and b[1] < a[3] - 1e-6


GRAPHS = {
    "classic": lambda: graph(classic()),
    "twice": lambda: graph(twice()),
    "mlp": lambda: network(3, [4, 4, 1]),
    "folded": lambda: network(3, [4, 4, 1]).fold(depth=2),
    "scrambled": lambda: graph(scrambled(120, 3)),
}


@pytest.fixture(params=GRAPHS)
def drawn(request: pytest.FixtureRequest) -> tuple[Graph, Layout]:
    chosen = GRAPHS[request.param]()
    return chosen, chosen.layout()


def test_no_two_nodes_overlap_and_all_are_inside(drawn: tuple[Graph, Layout]) -> None:
    _, placed = drawn
    for a, b in itertools.combinations(boxes(placed), 2):
        assert not overlap(a, b)
    for box in boxes(placed):
        assert box[0] >= -1e-6
        assert box[1] >= -1e-6
        assert box[2] <= placed.width + 1e-6
        assert box[3] <= placed.height + 1e-6


def test_every_operand_is_left_of_its_result(drawn: tuple[Graph, Layout]) -> None:
    found, placed = drawn
    for edge in found.edges:
        left, _, width = placed.nodes[edge.source]
        assert left + width < placed.nodes[edge.target][0]


def test_groups_hold_their_nodes_and_nobody_else(drawn: tuple[Graph, Layout]) -> None:
    found, placed = drawn
    for number, (x, y, width, height) in placed.groups.items():
        frame = (x, y, x + width, y + height)
        for node, box in zip(found.nodes, boxes(placed), strict=True):
            if number in found.enclosing(node.group):
                assert frame[0] <= box[0]
                assert frame[1] <= box[1]
                assert box[2] <= frame[2]
                assert box[3] <= frame[3]
            else:
                assert not overlap(frame, box)


def test_lines_are_unbroken_and_run_to_the_right(drawn: tuple[Graph, Layout]) -> None:
    """Each branch ends at the box it is for; those that end at a group's border go on inside at the same point."""
    found, placed = drawn
    arrived = dict.fromkeys(found.edges, 0)
    ends = {edge: edge for edge in found.edges}
    for wire in placed.wires:
        for branch in wire.branches:
            xs = [x for x, _ in branch.points]
            assert xs == pytest.approx(sorted(xs))  # to rounding: Python 3.12 sums floats more exactly than 3.11
            if branch.end[0] == "node":
                target = branch.end[1]
                left, centre, _ = placed.nodes[target]
                assert branch.points[-1][0] == pytest.approx(left)
                assert abs(branch.points[-1][1] - centre) <= placed.sizes[target].height / 2
                edge = next(e for e in ends if e.source == wire.source and e.target == target and not arrived[e])
                arrived[edge] = 1
            elif branch.end[0] == "group":
                inside = [w for w in placed.wires if w.source == wire.source and w.group == branch.end[1]]
                assert [w.branches[0].points[0] for w in inside] == [pytest.approx(branch.points[-1])]
    assert all(arrived.values())


def test_two_uses_by_one_node_are_two_different_lines() -> None:
    placed = graph(twice()).layout()
    first, second = placed.wires[0].branches
    assert first.points[-1] != second.points[-1]
    assert first.bulge == -second.bulge != 0


def test_a_tree_is_drawn_without_a_crossing() -> None:
    """Heights keep the order of the leaves in every layer, so that no two lines of a tree cross."""

    def tree(depth: int) -> Value:
        return Value(1.0) if depth == 0 else tree(depth - 1) * tree(depth - 1)

    found = graph(tree(5))
    placed = found.layout()
    lines = [(placed.nodes[e.source][1], placed.nodes[e.target][1], placed.nodes[e.target][0]) for e in found.edges]
    for a, b in itertools.combinations(lines, 2):
        if a[2] == b[2]:  # into the same layer
            assert (a[0] - b[0]) * (a[1] - b[1]) >= 0


def test_an_operation_sits_at_the_middle_of_its_operands_in_a_tree() -> None:
    found = graph(classic())
    placed = found.layout()
    for node, (_, centre, _) in zip(found.nodes, placed.nodes, strict=True):
        if node.operands:
            middle = sum(placed.nodes[operand][1] for operand in node.operands) / len(node.operands)
            assert centre == pytest.approx(middle)


def test_a_long_line_is_straight() -> None:
    """x joins a chain at both ends: its line passes the whole chain at one height."""
    x = y = Value(1.0)
    for _ in range(8):
        y = y.tanh()
    found = graph(x * y)
    wire = next(wire for wire in found.layout().wires if wire.source == 0)
    heights = {round(y, 6) for _, y in max((branch.points for branch in wire.branches), key=len)[2:-2]}
    assert len(heights) == 1


def test_sizes_are_kept() -> None:
    found = graph(classic())
    placed = layout(found, lambda i: Size(10.0, 5.0, 20.0 + i, 30.0), Spacing())
    assert [width for _, _, width in placed.nodes] == [35.0 + i for i in range(7)]


def test_the_work_for_a_thousand_nodes_is_a_bounded_number_of_calls() -> None:
    """Function calls, Python's and C's, of layout and SVG together. Recorded: 420,000, about 0.11 s."""
    whole = network(3, [16, 16, 1])
    assert len(whole) == 1028
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ARG001
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        whole.svg()
    finally:
        sys.setprofile(before)
    assert 1028 < calls < 700_000


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_can_go_down_instead(name: str) -> None:
    found = GRAPHS[name]()
    placed = arrange(found, "full", "down")
    rooms = [
        (x - max(size.sign, size.box) / 2, top, x + max(size.sign, size.box) / 2, top + height)
        for (x, top, height), size in zip(placed.nodes, placed.sizes, strict=True)
    ]
    for a, b in itertools.combinations(rooms, 2):
        assert not overlap(a, b)
    for edge in found.edges:
        assert rooms[edge.source][3] <= rooms[edge.target][1] + 1e-6
    for left, top, right, bottom in rooms:
        assert -1e-6 <= left <= right <= placed.width + 1e-6
        assert -1e-6 <= top <= bottom <= placed.height + 1e-6
    for which, (left, top, width, height) in placed.groups.items():
        for room, node in zip(rooms, found.nodes, strict=True):
            if which in found.enclosing(node.group):
                assert left <= room[0] <= room[2] <= left + width + 1e-6
                assert top + 18.0 <= room[1] <= room[3] <= top + height + 1e-6  # below the group's name


def test_a_deep_graph_that_goes_down_fits_a_phone() -> None:
    x = Value(1.0)
    for _ in range(12):
        x = x.tanh()
    wide, high = (graph(x).svg(direction=direction) for direction in ("right", "down"))
    width, height = (float(value) for value in re.findall(r'(?:width|height)="([\d.]+)"', high)[:2])
    assert width < 360 < height
    assert float(re.findall(r'width="([\d.]+)"', wide)[0]) > 1000
