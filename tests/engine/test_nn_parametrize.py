"""Parametrized weights print, start, compute, derive, save and load as PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import assert_close, assert_same_run, assert_same_start, build_both, normal

pytestmark = pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")


def of(nn: Any) -> Any:
    return nn.utils.parametrizations


Make = Callable[[Any], Any]
LAYERS: list[tuple[str, Make, tuple[int, ...]]] = [
    ("old weight norm", lambda nn: nn.utils.weight_norm(nn.Linear(3, 4)), (2, 3)),
    ("old weight norm of all", lambda nn: nn.utils.weight_norm(nn.Linear(3, 4), dim=None), (2, 3)),
    ("old weight norm of columns", lambda nn: nn.utils.weight_norm(nn.Conv1d(3, 4, 2), dim=1), (2, 3, 5)),
    ("old weight norm of lstm", lambda nn: nn.utils.weight_norm(nn.LSTM(3, 4), "weight_hh_l0"), (5, 2, 3)),
    ("old spectral norm", lambda nn: nn.utils.spectral_norm(nn.Linear(3, 4)), (2, 3)),
    ("old spectral norm 2d", lambda nn: nn.utils.spectral_norm(nn.Conv2d(2, 3, 2), n_power_iterations=2), (1, 2, 4, 4)),
    ("old spectral norm transposed", lambda nn: nn.utils.spectral_norm(nn.ConvTranspose1d(2, 3, 2)), (1, 2, 4)),
    ("weight norm", lambda nn: of(nn).weight_norm(nn.Linear(3, 4)), (2, 3)),
    ("weight norm of columns", lambda nn: of(nn).weight_norm(nn.Conv1d(3, 4, 2), dim=1), (2, 3, 5)),
    ("weight norm of all", lambda nn: of(nn).weight_norm(nn.Linear(3, 4), dim=None), (2, 3)),
    ("spectral norm", lambda nn: of(nn).spectral_norm(nn.Linear(3, 4)), (2, 3)),
    ("spectral norm transposed", lambda nn: of(nn).spectral_norm(nn.ConvTranspose1d(2, 3, 2)), (1, 2, 4)),
    ("spectral norm of a vector", lambda nn: of(nn).spectral_norm(nn.LayerNorm(3)), (2, 3)),
    ("orthogonal", lambda nn: of(nn).orthogonal(nn.Linear(4, 4)), (2, 4)),
    ("orthogonal high", lambda nn: of(nn).orthogonal(nn.Linear(3, 5)), (2, 3)),
    ("orthogonal wide", lambda nn: of(nn).orthogonal(nn.Linear(5, 3), orthogonal_map="cayley"), (2, 5)),
    ("orthogonal exp", lambda nn: of(nn).orthogonal(nn.Linear(3, 5), orthogonal_map="matrix_exp"), (2, 3)),
    (
        "orthogonal plain",
        lambda nn: of(nn).orthogonal(nn.Linear(3, 5), orthogonal_map="householder", use_trivialization=False),
        (2, 3),
    ),
    (
        "orthogonal plain square",
        lambda nn: of(nn).orthogonal(nn.Linear(4, 4), orthogonal_map="matrix_exp", use_trivialization=False),
        (2, 4),
    ),
]
each_layer = pytest.mark.parametrize(("name", "make", "shape"), LAYERS, ids=[name for name, _, _ in LAYERS])


@each_layer
def test_parametrized_layer_is_pytorchs(name: str, make: Make, shape: tuple[int, ...]) -> None:
    theirs, ours = build_both(make)
    assert_same_start(theirs, ours)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    if name == "orthogonal plain square":
        assert_close(ours.weight, theirs.weight)
    for _ in range(2):  # the power method goes on
        theirs.zero_grad()
        ours.zero_grad()
        assert_same_run(theirs, ours, [normal(*shape)], "float32")
    assert_same_run(theirs.eval(), ours.eval(), [normal(*shape)], "float32")
    assert_same_start(theirs, ours)


@each_layer
def test_parametrized_layer_trains_copies_and_reloads(name: str, make: Make, shape: tuple[int, ...]) -> None:
    del name
    theirs, ours = build_both(make)
    for t, layer in ((torch, theirs), (engine, ours)):
        optimizer = t.optim.SGD(layer.parameters(), lr=0.05)
        for _ in range(3):
            optimizer.zero_grad()
            out = layer(t.tensor(normal(*shape)))
            (out[0] if isinstance(out, tuple) else out).square().sum().backward()
            optimizer.step()
    for key, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[key], value, what=key)
    x = engine.tensor(normal(*shape))
    fresh = make(engine.nn)
    fresh.load_state_dict(ours.state_dict())
    results = [each.eval()(x) for each in (ours, fresh)]
    if not isinstance(results[0], tuple):
        assert engine.equal(*results)
        if hasattr(ours, "parametrizations"):
            assert engine.equal(copy.deepcopy(ours)(x), results[0])


def test_orthogonal_weights_are_orthogonal() -> None:
    for shape in ((5, 3), (3, 5), (4, 4)):
        for how in ("matrix_exp", "cayley", "householder"):
            weight = engine.nn.utils.parametrizations.orthogonal(engine.nn.Linear(*shape), orthogonal_map=how).weight
            product = weight @ weight.mT if weight.size(0) < weight.size(1) else weight.mT @ weight
            assert engine.allclose(product, engine.eye(min(shape)), atol=1e-5)


def test_spectral_norm_makes_the_largest_singular_value_1() -> None:
    engine.manual_seed(0)
    layer = engine.nn.utils.parametrizations.spectral_norm(engine.nn.Linear(8, 6), n_power_iterations=30)
    assert float(engine.linalg.matrix_norm(layer.weight, 2)) == pytest.approx(1, abs=1e-4)


def test_removing_leaves_an_ordinary_layer_with_the_same_weight() -> None:
    for make, name in (
        (lambda nn: of(nn).weight_norm(nn.Linear(3, 4)), "weight"),
        (lambda nn: of(nn).orthogonal(nn.Linear(3, 4)), "weight"),
    ):
        theirs, ours = build_both(make)
        for t, layer in ((torch, theirs), (engine, ours)):
            before = layer.weight.detach().clone()
            P = t.nn.utils.parametrize
            assert P.type_before_parametrizations(layer) is t.nn.Linear
            P.remove_parametrizations(layer, name)
            assert type(layer) is t.nn.Linear
            assert t.equal(layer.weight, before)
            assert isinstance(layer.weight, t.nn.Parameter)
            assert not P.is_parametrized(layer)
        assert_same_start(theirs, ours)
    for old, remove in (("weight_norm", "remove_weight_norm"), ("spectral_norm", "remove_spectral_norm")):
        theirs, ours = build_both(lambda nn: getattr(nn.utils, old)(nn.Linear(3, 4)))  # noqa: B023
        for t, layer in ((torch, theirs), (engine, ours)):
            getattr(t.nn.utils, remove)(layer)
            assert isinstance(layer.weight, t.nn.Parameter)
        assert_same_start(theirs, ours)


def test_state_of_the_older_weight_norm_is_read() -> None:
    old = engine.nn.utils.weight_norm(engine.nn.Linear(3, 4))
    new = engine.nn.utils.parametrizations.weight_norm(engine.nn.Linear(3, 4))
    new.load_state_dict(old.state_dict())
    x = engine.randn(2, 3)
    assert engine.allclose(new(x), old(x))


def symmetric(t: Any, invertible: bool = True) -> Any:
    class Symmetric(t.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).T

    if invertible:
        Symmetric.right_inverse = lambda _, a: a.triu()
    return Symmetric()


def rank_one(t: Any) -> Any:
    class RankOne(t.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def forward(self, x: Any, y: Any) -> Any:
            return x.unsqueeze(-1) @ y.unsqueeze(-2)

        def right_inverse(self, z: Any) -> Any:
            return z[:, 0], z[0]

    return RankOne()


def test_a_parametrization_of_ones_own() -> None:
    results = []
    for t in (torch, engine):
        t.manual_seed(2)
        P = t.nn.utils.parametrize
        layer = P.register_parametrization(t.nn.Linear(4, 4), "weight", symmetric(t))
        assert t.equal(layer.weight, layer.weight.T)
        wanted = t.tensor(normal(4, 4))
        layer.weight = wanted + wanted.T
        assert t.allclose(layer.weight, wanted + wanted.T)
        P.register_parametrization(layer, "weight", t.nn.Tanh())
        layer(t.ones(2, 4)).sum().backward()
        with P.cached():
            assert layer.weight is layer.weight
        assert layer.weight is not layer.weight
        one = P.register_parametrization(t.nn.Linear(4, 4), "weight", rank_one(t))
        one(t.ones(2, 4)).sum().backward()
        with pytest.raises(RuntimeError, match="Serialization of parametrized modules is only supported"):
            pickle.dumps(layer)
        original = layer.parametrizations.weight.original
        results.append((repr(layer), repr(one), original, original.grad, one.parametrizations.weight.original1.grad))
    assert results[0][:2] == results[1][:2]
    for a, b in zip(results[1][2:], results[0][2:], strict=True):
        assert_close(a, b)


def changing(t: Any, what: str) -> Any:
    class Changing(t.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def forward(self, x: Any) -> Any:
            return x.double() if what == "dtype" else x[:1] if what == "shape" else 3

    return Changing()


def register(t: Any, rule: Any, name: str = "weight") -> Any:
    return t.nn.utils.parametrize.register_parametrization(t.nn.Linear(3, 4), name, rule)


def assign(t: Any) -> None:
    layer = t.nn.utils.parametrize.register_parametrization(t.nn.Linear(3, 3), "weight", symmetric(t, False))
    layer.weight = t.ones(3, 3)


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("dtype", lambda t: register(t, changing(t, "dtype"))),
    ("shape", lambda t: register(t, changing(t, "shape"))),
    ("number", lambda t: register(t, changing(t, "number"))),
    ("shape of two", lambda t: t.nn.utils.parametrize.register_parametrization(
        register(t, t.nn.Tanh()), "weight", changing(t, "shape"))),
    ("name", lambda t: register(t, t.nn.Tanh(), "wieght")),
    ("remove", lambda t: t.nn.utils.parametrize.remove_parametrizations(t.nn.Linear(3, 4), "weight")),
    ("remove several", lambda t: t.nn.utils.parametrize.remove_parametrizations(
        of(t.nn).weight_norm(t.nn.Linear(3, 4)), "weight", False)),
    ("assign", assign),
    ("no inverse", lambda t: of(t.nn).orthogonal(
        t.nn.Linear(3, 3), use_trivialization=False).parametrizations.weight[0].right_inverse(t.eye(3))),
    ("map", lambda t: of(t.nn).orthogonal(t.nn.Linear(3, 4), orthogonal_map="x")),
    ("vector", lambda t: of(t.nn).orthogonal(t.nn.Linear(3, 4), "bias")),
    ("no tensor", lambda t: of(t.nn).spectral_norm(t.nn.Linear(3, 4), "x")),
    ("iterations", lambda t: of(t.nn).spectral_norm(t.nn.Linear(3, 4), n_power_iterations=0)),
    ("dim", lambda t: of(t.nn).spectral_norm(t.nn.Linear(3, 4), dim=2)),
    ("twice", lambda t: t.nn.utils.weight_norm(t.nn.utils.weight_norm(t.nn.Linear(3, 4)))),
    ("twice spectral", lambda t: t.nn.utils.spectral_norm(t.nn.utils.spectral_norm(t.nn.Linear(3, 4)))),
    ("not there", lambda t: t.nn.utils.remove_weight_norm(t.nn.Linear(3, 4))),
    ("not there spectral", lambda t: t.nn.utils.remove_spectral_norm(t.nn.Linear(3, 4))),
    ("None", lambda t: t.nn.utils.spectral_norm(t.nn.Linear(3, 4, bias=False), "bias")),
    ("lazy", lambda t: t.nn.utils.weight_norm(t.nn.LazyLinear(3))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError, IndexError, NotImplementedError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


def test_hooks_before_loading_see_and_change_a_copy() -> None:
    for t in (torch, engine):
        layer = t.nn.Sequential(t.nn.Linear(2, 3))
        seen = []

        def rename(module: Any, state: Any, prefix: str, *_: Any) -> None:
            seen.append((type(module).__name__, prefix))  # noqa: B023
            state[prefix + "weight"] = state.pop(prefix + "w")

        handle = layer[0].register_load_state_dict_pre_hook(rename)
        state = {"0.w": t.ones(3, 2), "0.bias": t.zeros(3)}
        layer.load_state_dict(state)
        assert layer[0].weight.tolist() == [[1, 1]] * 3
        assert seen == [("Linear", "0.")]
        assert "0.w" in state
        handle.remove()
        with pytest.raises(RuntimeError, match="Missing key"):
            layer.load_state_dict(state)
