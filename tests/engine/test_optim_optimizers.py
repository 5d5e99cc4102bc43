"""Each optimizer takes PyTorch's steps, keeps PyTorch's state in PyTorch's layout, and refuses in PyTorch's words."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import Array, assert_close, build_both, normal

RULES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "maximize": True}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "maximize": True}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "betas": (0.9, 0.95), "weight_decay": 0.2, "fused": False}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.0}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.5, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "maximize": True}),
]
IDS = [f"{name}{options}" for name, options in RULES]
KINDS = {"float32": 1e-6, "float64": 1e-12}  # relative: a few last digits a step


def quadratic(t: Any, p: Any, step: int) -> Any:
    """A bowl that moves with the steps, so that gradients do not just decay."""
    target = t.tensor(
        np.cos(np.arange(p.numel()) * 0.7 + step * 0.3).reshape(tuple(p.shape)).astype(p.detach().numpy().dtype)
    )
    return ((p - target) ** 2 * (1 + p.sum() * 0.01)).sum()


def train(t: Any, optimizer: Any, parameters: list[Any], steps: range) -> None:
    for step in steps:
        optimizer.zero_grad()
        loss: Any = 0.0
        for p in parameters:
            loss = loss + quadratic(t, p, step)
        loss.backward()
        optimizer.step()


def both(kind: str, shapes: list[tuple[int, ...]]) -> tuple[list[Any], list[Any]]:
    arrays: list[Array] = [np.asarray(normal(*shape, kind=kind, seed=i)) for i, shape in enumerate(shapes)]
    return (
        [torch.nn.Parameter(torch.tensor(a)) for a in arrays],
        [engine.nn.Parameter(engine.tensor(a)) for a in arrays],
    )


SHAPES: list[tuple[int, ...]] = [(3, 4), (5,), ()]


def assert_same_parameters(ours: list[Any], theirs: list[Any], kind: str) -> None:
    for a, b in zip(ours, theirs, strict=True):
        expected = b.detach().numpy()
        assert a.detach().numpy().dtype == expected.dtype
        np.testing.assert_allclose(a.detach().numpy(), expected, rtol=KINDS[kind] * 10, atol=KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_a_dozen_steps_are_pytorchs(name: str, options: dict[str, Any], kind: str) -> None:
    theirs, ours = both(kind, SHAPES)
    their_rule, our_rule = getattr(torch.optim, name)(theirs, **options), getattr(engine.optim, name)(ours, **options)
    assert repr(our_rule) == repr(their_rule)
    train(torch, their_rule, theirs, range(12))
    train(engine, our_rule, ours, range(12))
    assert_same_parameters(ours, theirs, kind)
    assert_same_state(our_rule.state_dict(), their_rule.state_dict(), kind)


def assert_same_state(ours: dict[str, Any], theirs: dict[str, Any], kind: str) -> None:
    assert ours["param_groups"] == theirs["param_groups"]
    assert ours["state"].keys() == theirs["state"].keys()
    for number, expected in theirs["state"].items():
        assert list(ours["state"][number]) == list(expected)
        for name, value in expected.items():
            got = ours["state"][number][name]
            assert got.shape == value.shape
            np.testing.assert_allclose(
                got.numpy(), value.numpy(), rtol=KINDS[kind] * 10, atol=KINDS[kind], err_msg=name
            )


def to_torch(state: dict[str, Any]) -> dict[str, Any]:
    """Our state with PyTorch's tensors in it."""
    tensors = {
        number: {name: torch.from_numpy(np.array(value.numpy())) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return {"state": tensors, "param_groups": state["param_groups"]}


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_state_moves_into_and_out_of_pytorch(name: str, options: dict[str, Any]) -> None:
    theirs, ours = both("float64", SHAPES)
    their_rule, our_rule = getattr(torch.optim, name)(theirs, **options), getattr(engine.optim, name)(ours, **options)
    train(torch, their_rule, theirs, range(5))
    train(engine, our_rule, ours, range(5))
    from_theirs = [engine.nn.Parameter(engine.tensor(p.detach().numpy().copy())) for p in theirs]
    from_ours = [torch.nn.Parameter(torch.tensor(p.detach().numpy().copy())) for p in ours]
    ours_again = getattr(engine.optim, name)(from_theirs, lr=3.0)
    ours_again.load_state_dict(their_rule.state_dict())
    theirs_again = getattr(torch.optim, name)(from_ours, lr=3.0)
    theirs_again.load_state_dict(to_torch(our_rule.state_dict()))
    train(engine, ours_again, from_theirs, range(5, 9))
    train(torch, theirs_again, from_ours, range(5, 9))
    train(torch, their_rule, theirs, range(5, 9))
    assert_same_parameters(from_theirs, theirs, "float64")
    assert_same_parameters(from_ours, theirs, "float64")


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_saved_state_is_resumed_exactly(name: str, options: dict[str, Any]) -> None:
    _, ours = both("float32", SHAPES)
    rule = getattr(engine.optim, name)(ours, **options)
    train(engine, rule, ours, range(5))
    saved = copy.deepcopy(rule.state_dict())
    again = [engine.nn.Parameter(p.detach().clone()) for p in ours]
    train(engine, rule, ours, range(5, 9))
    other = getattr(engine.optim, name)(again)
    other.load_state_dict(saved)
    train(engine, other, again, range(5, 9))
    for a, b in zip(ours, again, strict=True):
        assert engine.equal(a, b)


# ---- groups


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop"])
def test_groups_have_their_own_settings(name: str) -> None:
    theirs, ours = both("float64", SHAPES)
    rules = []
    for t, (a, b, c) in ((torch, theirs), (engine, ours)):
        rule = getattr(t.optim, name)([{"params": [a], "lr": 0.1, "weight_decay": 0.3}, {"params": b}], lr=0.01)
        rule.add_param_group({"params": [c], "lr": 0.2})
        rules.append(rule)
    assert repr(rules[1]) == repr(rules[0])
    for step in range(6):
        for rule, t, parameters in ((rules[0], torch, theirs), (rules[1], engine, ours)):
            rule.param_groups[0]["lr"] = 0.1 / (step + 1)
            train(t, rule, parameters, range(step, step + 1))
    assert_same_parameters(ours, theirs, "float64")
    assert_same_state(rules[1].state_dict(), rules[0].state_dict(), "float64")


def test_named_parameters_are_noted() -> None:
    theirs, ours = build_both(lambda nn: nn.Linear(2, 3))
    their_rule, our_rule = torch.optim.AdamW(theirs.named_parameters()), engine.optim.AdamW(ours.named_parameters())
    assert our_rule.state_dict()["param_groups"] == their_rule.state_dict()["param_groups"]
    assert our_rule.param_groups[0]["param_names"] == ["weight", "bias"]


def test_parameters_without_a_gradient_are_left_alone() -> None:
    a, b = engine.nn.Parameter(engine.ones(2)), engine.nn.Parameter(engine.ones(2))
    rule = engine.optim.AdamW([a, b])
    (a * 2).sum().backward()
    rule.step()
    assert b.tolist() == [1, 1]
    assert list(rule.state_dict()["state"]) == [0]


def test_closure_computes_the_loss_before_the_step() -> None:
    p = engine.nn.Parameter(engine.tensor([2.0]))
    rule = engine.optim.SGD([p], lr=0.5)

    def closure() -> Any:
        rule.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    assert float(rule.step(closure)) == 4.0
    assert p.item() == 0.0


def test_a_step_is_noticed_by_a_graph_that_needs_the_old_value() -> None:
    p = engine.nn.Parameter(engine.tensor([2.0]))
    loss = (p * p).sum()
    (p * 1).sum().backward()
    engine.optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_zero_grad_drops_or_zeroes() -> None:
    p = engine.nn.Parameter(engine.ones(2))
    rule = engine.optim.SGD([p])
    p.sum().backward()
    rule.zero_grad(set_to_none=False)
    assert p.grad is not None
    assert p.grad.tolist() == [0, 0]
    rule.zero_grad()
    assert p.grad is None


def test_learning_rate_may_be_a_tensor() -> None:
    theirs, ours = both("float32", SHAPES)
    train(torch, torch.optim.AdamW(theirs, lr=torch.tensor(0.05)), theirs, range(4))
    train(engine, engine.optim.AdamW(ours, lr=engine.tensor(0.05)), ours, range(4))
    assert_same_parameters(ours, theirs, "float32")


def test_a_rule_of_ones_own_needs_only_its_update() -> None:
    class Sign(engine.optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def update(self, key: Any, p: Array, g: Array, group: dict[str, Any]) -> None:
            del key
            p -= np.sign(g) * group["lr"]

    p = engine.nn.Parameter(engine.tensor([2.0, -3.0]))
    (p**2).sum().backward()
    Sign([p], lr=0.5).step()
    assert p.tolist() == [1.5, -2.5]


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Muon"])
def test_signature_is_pytorchs(name: str) -> None:
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    ours = inspect.signature(getattr(engine.optim, name)).parameters
    assert list(ours) == list(theirs)
    assert [(p.default, p.kind) for p in ours.values()] == [(p.default, p.kind) for p in theirs.values()]


# ---- Muon

MUONS: list[dict[str, Any]] = [
    {"lr": 0.02},
    {"lr": 0.02, "nesterov": False, "momentum": 0.5, "weight_decay": 0.0},
    {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", MUONS, ids=str)
def test_muon_is_pytorchs_without_its_rounding(
    options: dict[str, Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    shapes: list[tuple[int, ...]] = [(6, 4), (3, 8), (5, 5)]
    theirs, ours = both(kind, shapes)
    their_rule, our_rule = torch.optim.Muon(theirs, **options), engine.optim.Muon(ours, **options)
    assert repr(our_rule) == repr(their_rule)
    train(torch, their_rule, theirs, range(6))
    train(engine, our_rule, ours, range(6))
    for a, b in zip(ours, theirs, strict=True):  # five squarings of a matrix enlarge the last digit's error
        np.testing.assert_allclose(
            a.detach().numpy(), b.detach().numpy(), rtol=KINDS[kind] * 100, atol=KINDS[kind] * 100
        )
    for number, state in their_rule.state_dict()["state"].items():
        assert_close(our_rule.state_dict()["state"][number]["momentum_buffer"], state["momentum_buffer"], kind)


def test_muon_differs_from_pytorchs_bfloat16_by_its_rounding_only() -> None:
    theirs, ours = both("float32", [(16, 24)])
    start = ours[0].detach().numpy().copy()
    train(torch, torch.optim.Muon(theirs, lr=0.02), theirs, range(4))
    train(engine, engine.optim.Muon(ours, lr=0.02), ours, range(4))
    moved = theirs[0].detach().numpy() - start
    error = ours[0].detach().numpy() - theirs[0].detach().numpy()
    assert np.linalg.norm(error) < 0.03 * np.linalg.norm(moved)  # bfloat16 has 8 bits: 0.4 % a rounding


# ---- errors

REFUSED: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("empty", lambda t, p: t.optim.SGD([])),
    ("one tensor", lambda t, p: t.optim.SGD(p)),
    ("a set", lambda t, p: t.optim.SGD([{"params": {p}}])),
    ("numbers", lambda t, p: t.optim.SGD([3.0])),
    ("a result", lambda t, p: t.optim.SGD([p * 2])),
    ("in two groups", lambda t, p: t.optim.SGD([{"params": [p]}, {"params": [p]}])),
    ("group is no dict", lambda t, p: t.optim.SGD([p]).add_param_group([p])),
    ("names for some", lambda t, p: t.optim.SGD([("a", p), t.nn.Parameter(t.ones(1))])),
    (
        "names for one group",
        lambda t, p: t.optim.SGD([{"params": [("a", p)]}, {"params": [t.nn.Parameter(t.ones(1))]}]),
    ),
    ("lr", lambda t, p: t.optim.SGD([p], lr=-1.0)),
    ("momentum", lambda t, p: t.optim.SGD([p], momentum=-1.0)),
    ("weight_decay", lambda t, p: t.optim.SGD([p], weight_decay=-1.0)),
    ("nesterov", lambda t, p: t.optim.SGD([p], nesterov=True)),
    ("Adam lr", lambda t, p: t.optim.Adam([p], lr=-1.0)),
    ("Adam eps", lambda t, p: t.optim.Adam([p], eps=-1.0)),
    ("Adam beta", lambda t, p: t.optim.Adam([p], betas=(0.9, 1.0))),
    ("Adam betas", lambda t, p: t.optim.Adam([p], betas=(0, 0.9))),
    ("AdamW decay", lambda t, p: t.optim.AdamW([p], weight_decay=-0.1)),
    ("fused and foreach", lambda t, p: t.optim.AdamW([p], fused=True, foreach=True)),
    ("Adagrad decay", lambda t, p: t.optim.Adagrad([p], lr_decay=-1)),
    ("RMSprop alpha", lambda t, p: t.optim.RMSprop([p], alpha=-1)),
    ("Muon vector", lambda t, p: t.optim.Muon([p])),
    ("Muon ratio", lambda t, p: t.optim.Muon([p], adjust_lr_fn="x")),
    ("Muon lr", lambda t, p: t.optim.Muon([p], lr=-1.0)),
    ("other groups", lambda t, p: t.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": []})),
    ("other sizes", lambda t, p: t.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})),
]


@pytest.mark.parametrize(("name", "call"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any, Any], Any]) -> None:
    del name
    with pytest.raises((TypeError, ValueError, RuntimeError)) as expected:
        call(torch, torch.nn.Parameter(torch.ones(2)))
    with pytest.raises(expected.type) as got:
        call(engine, engine.nn.Parameter(engine.ones(2)))
    assert str(got.value) == str(expected.value)


def test_duplicate_parameters_are_warned_of() -> None:
    p = engine.nn.Parameter(engine.ones(2))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        engine.optim.SGD([p, p])
