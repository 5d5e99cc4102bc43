"""Groups folded to single nodes."""

from __future__ import annotations

import pytest

from gradus.graph import Graph, Group, Node
from tests.graph.graphs import network


def test_folding_keeps_every_node_counted_and_the_order_topological() -> None:
    whole = network(3, [4, 4, 1])
    for folded in (whole.fold("layers.1"), whole.fold(depth=1), whole.fold(depth=2), whole.fold()):
        assert sum(node.members for node in folded.nodes) == len(whole)
        assert all(edge.source < edge.target for edge in folded.edges)


def test_a_folded_layer_is_one_node_between_its_neighbours() -> None:
    folded = network(2, [3, 1]).fold(depth=1)
    assert [node.label for node in folded.nodes] == ["x0", "x1", "layers.0", "layers.1"]
    assert [node.operands for node in folded.nodes] == [(), (), (0, 1), (2,)]
    assert [group.name for group in folded.groups] == ["MLP"]


def test_a_group_inside_a_folded_one_goes_with_it() -> None:
    whole = network(2, [2, 1])
    assert whole.fold("layers.0", "layers.0.neurons.1").fold().nodes[-1].members == len(whole) - 2


def test_folding_a_name_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(KeyError, match=r"layers\.0\.neurons\.0"):
        network(2, [1]).fold("layer 0")


def test_a_group_that_a_path_leaves_and_enters_again_cannot_be_folded() -> None:
    a = Node(label="a", group=0)
    b = Node(op="tanh", operands=(0,))
    c = Node(op="+", operands=(0, 1), group=0)
    with pytest.raises(ValueError, match="leaves it and comes back"):
        Graph([a, b, c], (2,), [Group("g")]).fold()
