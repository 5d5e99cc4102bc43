"""The backward walk, a step at a time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gradus.graph import graph, walk
from gradus.scalar import Value
from tests.graph.graphs import classic, network, scrambled, twice


@pytest.mark.parametrize("root", [classic(), twice(), scrambled(200, 2)])
def test_after_the_last_step_every_gradient_is_what_backward_found(root: Value) -> None:
    found = graph(root)
    taken = walk(found)
    last = taken.gradients(len(taken) - 1)
    for position, node in enumerate(found.nodes):
        assert last.get(position, 0.0) == pytest.approx(node.grad, rel=1e-12, abs=1e-300)


def test_a_used_twice_is_a_step_each_and_the_second_accumulates() -> None:
    """a = 1; b = a + a; c = b + b."""
    steps = [
        (s.node, s.operand, s.incoming, s.local, s.contribution, s.after, s.accumulates) for s in walk(graph(twice()))
    ]
    assert steps == [
        (-1, 2, 1, 1, 1, 1, False),
        (2, 1, 1, 1, 1, 1, False),
        (2, 1, 1, 1, 1, 2, True),
        (1, 0, 2, 1, 2, 2, False),
        (1, 0, 2, 1, 2, 4, True),
    ]


def test_a_node_passes_on_only_what_is_complete() -> None:
    taken = walk(graph(scrambled(150, 4)))
    giving: dict[int, float] = {}
    for step in taken:
        assert step.operand not in giving  # who has passed on receives no more
        if step.node >= 0:
            assert giving.setdefault(step.node, step.incoming) == step.incoming
        assert step.contribution == step.incoming * step.local
        assert step.after == step.before + step.contribution


def test_walking_changes_nothing() -> None:
    root = classic(backward=False)
    assert len(walk(graph(root))) == 7
    assert root.grad == 0.0


def test_the_table_says_who_gives_what_to_whom() -> None:
    lines = walk(graph(classic())).table().splitlines()
    assert lines[0].split() == ["step", "from", "to", "incoming", "local", "contribution", "gradient"]
    assert lines[1].split() == ["0", "seed", "L", "1.0000", "1.0000"]
    assert lines[3].split() == ["2", "L", "(×)", "f", "1.0000", "4.0000", "4.0000", "4.0000"]
    assert sum("accumulates" in line for line in walk(graph(twice())).table().splitlines()) == 2


def test_frames_are_of_one_size_and_show_the_gradients_as_they_arrive() -> None:
    frames = [ET.fromstring(frame) for frame in walk(graph(classic(backward=False))).frames()]
    assert len(frames) == 7
    assert len({(frame.get("width"), frame.get("height")) for frame in frames}) == 1
    waiting = [sum(text.text == "–" for text in frame.iter("{http://www.w3.org/2000/svg}text")) for frame in frames]
    assert waiting == [6, 5, 4, 3, 2, 1, 0]


def test_each_of_two_lines_between_the_same_nodes_is_lit_in_its_turn() -> None:
    frames = walk(graph(twice())).frames()
    lit = [frame[frame.index('stroke-width="2.6"') - 200 : frame.index('stroke-width="2.6"')] for frame in frames[1:3]]
    assert lit[0] != lit[1]
    assert 'stroke-width="2.6"' not in frames[0]


def test_frames_are_saved_with_numbers(tmp_path: Path) -> None:
    taken = walk(graph(twice()))
    written = taken.save(tmp_path / "walk.svg")
    assert [path.name for path in written] == [f"walk-{i:02}.svg" for i in range(5)]
    assert [path.read_text(encoding="utf-8") for path in written] == taken.frames()
    with pytest.raises(ValueError, match=r"\.svg"):
        taken.save(tmp_path / "walk.png")


def test_what_has_no_local_derivatives_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'layers\.0' is a group"):
        walk(network(2, [2, 1]).fold("layers.0"))
    engine = pytest.importorskip("gradus.engine")
    with pytest.raises(ValueError, match="is a tensor"):
        walk(graph(engine.ones(2, requires_grad=True).sum()))


def test_two_results_have_no_single_walk() -> None:
    a = Value(1.0)
    with pytest.raises(ValueError, match="this graph has 2"):
        walk(graph([a + 1, a * 2]))
