"""Containers hold, order, print and refuse as PyTorch's."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import assert_same_run, build_both, normal

Change = Callable[[Any, Any], Any]


def sequential(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 2))


SEQUENTIAL: list[tuple[str, Change]] = [
    ("as it is", lambda m, nn: m),
    ("item", lambda m, nn: m[-1]),
    ("slice", lambda m, nn: m[1:4]),
    ("append", lambda m, nn: m.append(nn.ReLU())),
    ("extend", lambda m, nn: m.extend([nn.ReLU(), nn.Tanh()])),
    ("insert", lambda m, nn: m.insert(1, nn.ReLU())),
    ("insert from the end", lambda m, nn: m.insert(-1, nn.ReLU())),
    ("set", lambda m, nn: m.__setitem__(1, nn.ReLU()) or m),
    ("delete", lambda m, nn: m.__delitem__(1) or m),
    ("delete slice", lambda m, nn: m.__delitem__(slice(1, 3)) or m),
    ("pop", lambda m, nn: nn.Sequential(m.pop(-1), m)),
    ("add", lambda m, nn: m + nn.Sequential(nn.ReLU())),
    ("times", lambda m, nn: m * 2),
    ("times from the left", lambda m, nn: 2 * m),
    ("names", lambda m, nn: nn.Sequential(OrderedDict([("first", m[0]), ("act", nn.ReLU())]))),
    ("slice of names", lambda m, nn: nn.Sequential(OrderedDict([("first", m[0]), ("act", nn.ReLU())]))[:1]),
    ("nested", lambda m, nn: nn.Sequential(m[:2], nn.Sequential())),
    ("list", lambda m, nn: nn.ModuleList(list(m))),
    ("list slice", lambda m, nn: nn.ModuleList(m)[::2]),
    ("list append", lambda m, nn: nn.ModuleList().append(m[0])),
    ("list insert", lambda m, nn: [x := nn.ModuleList(m), x.insert(1, nn.ReLU()), x][-1]),
    ("list delete", lambda m, nn: [x := nn.ModuleList(m), x.__delitem__(0), x][-1]),
    ("list add", lambda m, nn: nn.ModuleList(m[:1]) + nn.ModuleList([nn.ReLU()])),
    ("list of equals", lambda m, nn: nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.ReLU(), m])),
    ("empty list", lambda m, nn: nn.ModuleList()),
    ("dict", lambda m, nn: nn.ModuleDict({"b": m[0], "a": m[1]})),
    ("dict of pairs", lambda m, nn: nn.ModuleDict([("b", m[0]), ["a", m[1]]])),
    ("dict delete", lambda m, nn: [x := nn.ModuleDict({"b": m[0], "a": m[1]}), x.pop("b"), x][-1]),
    ("empty dict", lambda m, nn: nn.ModuleDict()),
    ("deep", lambda m, nn: nn.ModuleDict({"x": nn.ModuleList([nn.ModuleDict({"y": m})])})),
]


@pytest.mark.parametrize(("name", "change"), SEQUENTIAL, ids=[name for name, _ in SEQUENTIAL])
def test_container_holds_and_prints_what_pytorchs_does(name: str, change: Change) -> None:
    del name
    theirs, ours = build_both(lambda nn: change(sequential(nn), nn))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert type(ours).__name__ == type(theirs).__name__


def test_sequential_computes_one_after_the_other() -> None:
    assert_same_run(*build_both(sequential), [normal(3, 4)], "float32")


def test_containers_iterate_measure_and_find() -> None:
    nn = engine.nn
    layers = [nn.Linear(1, 1) for _ in range(3)]
    for container in (nn.Sequential(*layers), nn.ModuleList(layers)):
        assert list(container) == layers
        assert len(container) == 3
        assert container[-3] is layers[0]
    named = nn.ModuleDict({"a": layers[0], "b": layers[1]})
    assert named.a is named["a"] is layers[0]
    assert "a" in named
    assert "c" not in named
    assert list(named) == list(named.keys()) == ["a", "b"]
    assert list(named.values()) == layers[:2]
    assert list(named.items()) == [("a", layers[0]), ("b", layers[1])]
    named.clear()
    assert len(named) == 0


PARAMETERS: list[tuple[str, Callable[[Any], Any]]] = [
    ("list", lambda t: t.nn.ParameterList([t.nn.Parameter(t.ones(2, 3)), t.zeros(4)])),
    ("list with a number", lambda t: t.nn.ParameterList([t.ones(2), 3])),
    ("list slice", lambda t: t.nn.ParameterList([t.ones(1), t.ones(2), t.ones(3)])[1:]),
    ("list append", lambda t: t.nn.ParameterList().append(t.ones(2, dtype=t.float64))),
    ("dict", lambda t: t.nn.ParameterDict({"b": t.ones(2, 3), "a": t.zeros(4)})),
    ("ordered dict", lambda t: t.nn.ParameterDict(OrderedDict([("b", t.ones(2, 3)), ("a", t.zeros(4))]))),
    ("pairs", lambda t: t.nn.ParameterDict([("b", t.ones(2, 3)), ("a", 3)])),
    ("dict copy", lambda t: t.nn.ParameterDict({"b": t.ones(2)}).copy()),
]


@pytest.mark.parametrize(("name", "build"), PARAMETERS, ids=[name for name, _ in PARAMETERS])
def test_parameter_container_prints_and_names_as_pytorch(name: str, build: Callable[[Any], Any]) -> None:
    del name
    theirs, ours = build(torch), build(engine)
    assert repr(ours) == repr(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert len(ours) == len(theirs)


def test_parameter_containers_find_set_and_remove() -> None:
    nn = engine.nn
    listed = nn.ParameterList([engine.ones(1), engine.ones(2)])
    listed[0] = engine.zeros(3)
    assert isinstance(listed[0], nn.Parameter)
    assert [p.numel() for p in listed] == [3, 2]
    assert listed[-1].shape == (2,)
    named = nn.ParameterDict({"a": engine.ones(1)})
    assert named.a is named["a"]
    assert named.setdefault("b", engine.ones(2)).shape == (2,)
    assert named.get("c") is None
    assert list(named) == ["a", "b"]
    assert list(reversed(named)) == ["b", "a"]
    assert named.pop("a").shape == (1,)
    assert "a" not in named
    assert [n for n, _ in named.items()] == ["b"]
    named.clear()
    assert list(named.parameters()) == []


REFUSED: list[tuple[str, Callable[[Any], Any]]] = [
    ("index", lambda nn: nn.Sequential(nn.ReLU())[1]),
    ("list index", lambda nn: nn.ModuleList([nn.ReLU()])[-2]),
    ("not a module", lambda nn: nn.ModuleList([3])),
    ("not iterable", lambda nn: nn.ModuleList().extend(3)),
    ("dict not iterable", lambda nn: nn.ModuleDict().update(3)),
    ("dict of threes", lambda nn: nn.ModuleDict([("a", nn.ReLU(), 3)])),
    ("dict key", lambda nn: nn.ModuleDict({"a": nn.ReLU()})["b"]),
    ("dict method name", lambda nn: nn.ModuleDict({"forward": nn.ReLU()})),
    ("sequential times 0", lambda nn: nn.Sequential(nn.ReLU()) * 0),
    ("list called", lambda nn: nn.ModuleList([nn.ReLU()])(3)),
    ("parameters called", lambda nn: nn.ParameterList()(3)),
    ("parameter index", lambda nn: nn.ParameterList()[0]),
    ("insert", lambda nn: nn.Sequential().insert(3, nn.ReLU())),
]


@pytest.mark.parametrize(("name", "call"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misused_container_raises_as_pytorch(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises(Exception) as expected:  # noqa: PT011  # whatever PyTorch raises is wanted
        call(torch.nn)
    with pytest.raises(expected.type) as got:
        call(engine.nn)
    words = str(expected.value).replace("torch.nn.modules.container.", "gradus.engine.nn.containers.")
    assert str(got.value) == words
