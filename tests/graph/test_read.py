"""Reading graphs of Values and of tensors."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from gradus.graph import graph, watch
from gradus.scalar import Value
from tests.graph.graphs import classic, network, scrambled, twice


@pytest.fixture(params=["gradus.engine", "torch"])
def torch(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def nn_of(torch: Any) -> Any:
    return importlib.import_module(f"{torch.__name__}.nn")


def test_a_value_graph_holds_labels_values_gradients_and_operations() -> None:
    found = {n.label: (n.op, n.data, n.grad) for n in graph(classic()).nodes}
    assert found == {
        "a": ("", 2, 6), "b": ("", -3, -4), "c": ("", 10, -2), "f": ("", -2, 4),
        "e": ("×", -6, -2), "d": ("+", 4, -2), "L": ("×", -8, 1),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_nodes_are_in_topological_order_each_once(seed: int) -> None:
    root = scrambled(200, seed)
    found = graph(root)
    assert all(edge.source < edge.target for edge in found.edges)
    assert len(found) == len(root.topological())
    assert sum(len(node.operands) for node in found.nodes) == sum(len(v._prev) for v in root.topological())


def test_an_operand_that_is_used_twice_is_one_node_with_two_edges() -> None:
    found = graph(twice())
    assert [node.label for node in found.nodes] == ["a", "b", "c"]
    assert [tuple(edge) for edge in found.edges] == [(0, 1, 0), (0, 1, 1), (1, 2, 0), (1, 2, 1)]


def test_whether_backward_was_run_is_known() -> None:
    assert graph(classic()).backward is True
    assert graph(classic(backward=False)).backward is False


def test_a_chain_of_ten_thousand_operations_is_read_without_recursion() -> None:
    x = Value(1.0)
    for _ in range(10_000):
        x = x + 1.0
    assert len(graph(x)) == 20_001


def test_several_results_share_one_graph() -> None:
    a = Value(2.0, "a")
    found = graph([a * 3, a + 1])
    assert len(found.outputs) == 2
    assert sum(node.label == "a" for node in found.nodes) == 1


def test_a_tensor_graph_has_operations_shapes_and_the_leaves_gradients(torch: Any) -> None:
    w = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    loss = ((w @ w).tanh() * x).sum()
    before = graph(loss, names={"w": w, "x": x})
    assert before.backward is False
    assert [node.op for node in before.nodes if node.op] == ["@", "tanh", "×", "sum"]
    leaf = before.nodes[before.find("w")]
    assert leaf.shape == (2, 2)
    assert before.nodes[before.find("x")].shape == (2,)
    product = next(node for node in before.nodes if node.op == "@")
    assert product.operands == (before.find("w"), before.find("w"))  # used twice
    assert before.nodes[-1].data == pytest.approx(14.0, abs=1e-3)  # tanh of 7 and more is 1 within 2e-6
    loss.backward()
    after = graph(loss, names={"w": w, "x": x})
    assert after.backward is True
    assert after.nodes[after.find("x")].note == "|grad| 2.83"


def test_modules_become_groups_that_own_their_parameters(torch: Any) -> None:
    nn = nn_of(torch)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with watch(model) as calls:
        out = model(torch.tensor([[1.0, 2.0, 3.0]]))
    found = graph(out.sum(), names=model, calls=calls)
    assert [(group.name, group.kind) for group in found.groups] == [
        ("Sequential", "Sequential"), ("0", "Linear"), ("1", "Tanh"), ("2", "Linear"),
    ]  # fmt: skip
    assert {group.parent for group in found.groups} == {-1, 0}
    for number in ("0", "2"):
        for kind in ("weight", "bias"):
            node = found.nodes[found.find(f"{number}.{kind}")]
            assert found.groups[node.group].name == number
    assert found.nodes[-1].group == -1  # the sum is outside


def test_watching_changes_no_class_for_good() -> None:
    from gradus.scalar.nn import MLP, Layer, Neuron

    before = [cls.__call__ for cls in (MLP, Layer, Neuron)]
    network(2, [2, 1])
    assert [cls.__call__ for cls in (MLP, Layer, Neuron)] == before
    with pytest.raises(ZeroDivisionError), watch(MLP(2, [1])):
        raise ZeroDivisionError
    assert [cls.__call__ for cls in (MLP, Layer, Neuron)] == before


def test_a_module_called_twice_is_two_groups() -> None:
    from gradus.scalar.nn import Neuron

    neuron = Neuron(1)
    with watch(neuron) as calls:
        out = neuron([neuron([Value(1.0)])])
    found = graph(out, calls=calls)
    assert [group.name for group in found.groups] == ["Neuron", "Neuron (2)"]


def test_layers_and_neurons_are_nested_groups() -> None:
    found = network(2, [3, 1])
    names = [group.name for group in found.groups]
    assert names[:3] == ["MLP", "layers.0", "layers.0.neurons.0"]
    assert len(names) == 1 + 2 + 4
    inner = names.index("layers.1.neurons.0")
    assert [names[i] for i in found.enclosing(inner)] == ["layers.1.neurons.0", "layers.1", "MLP"]


@pytest.mark.parametrize("wrong", [3.0, "L", None])
def test_what_has_no_graph_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected Values or tensors"):
        graph(wrong)


def test_a_tensor_without_a_graph_is_refused(torch: Any) -> None:
    with pytest.raises(ValueError, match="requires_grad"):
        graph(torch.tensor([1.0]) * 2)
