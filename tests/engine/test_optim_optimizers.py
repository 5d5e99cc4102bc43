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
from gradus.engine.optim import muon
from tests.engine.nn_compare import Array, build_both, normal

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
    ("Adadelta", {"lr": 0.5}),
    ("Adadelta", {"lr": 1.0, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {"lr": 0.1}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-5, 0.1), "d": 2.0, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.01}),
    ("Adamax", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-4, "weight_decay": 0.1, "maximize": True}),
    ("ASGD", {"lr": 0.01}),
    ("ASGD", {"lr": 0.01, "lambd": 0.1, "alpha": 0.5, "t0": 3, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.01}),
    ("NAdam", {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.01}),
    ("RAdam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Rprop", {"lr": 0.01}),
    ("Rprop", {"lr": 0.1, "etas": (0.2, 1.5), "step_sizes": (0.05, 0.2), "maximize": True}),
]
IDS = [f"{name}{options}" for name, options in RULES]
NEWER = ["Adadelta", "Adafactor", "Adamax", "ASGD", "LBFGS", "NAdam", "RAdam", "Rprop"]
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
    # Loading, PyTorch makes numbers of the state that are kept in float32 float64, which changes what follows.
    kind = "float32" if name in {"ASGD", "NAdam"} else "float64"
    assert_same_parameters(from_theirs, theirs, kind)
    assert_same_parameters(from_ours, theirs, kind)


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

        def update(self, p: Array, g: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
            del state
            p -= np.sign(g) * group["lr"]

    p = engine.nn.Parameter(engine.tensor([2.0, -3.0]))
    (p**2).sum().backward()
    Sign([p], lr=0.5).step()
    assert p.tolist() == [1.5, -2.5]


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Muon", *NEWER])
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
def test_muon_is_pytorchs_with_its_rounding_to_bfloat16(options: dict[str, Any], kind: str) -> None:
    shapes: list[tuple[int, ...]] = [(6, 4), (3, 8), (5, 5)]
    theirs, ours = both(kind, shapes)
    their_rule, our_rule = torch.optim.Muon(theirs, **options), engine.optim.Muon(ours, **options)
    assert repr(our_rule) == repr(their_rule)
    train(torch, their_rule, theirs, range(6))
    train(engine, our_rule, ours, range(6))
    for a, b in zip(ours, theirs, strict=True):  # where a sum's last digit decides a rounding, bfloat16's eighth bit
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=0, atol=1e-3)


def test_orthogonal_rounds_every_result_as_pytorch_does() -> None:
    for shape in ((3, 4), (4, 3), (16, 24)):
        g = normal(*shape, kind="float32")
        expected = torch.optim._muon._zeropower_via_newtonschulz(torch.tensor(g), muon.COEFFICIENTS, 5, 1e-7)
        np.testing.assert_array_equal(muon.orthogonal(g), expected.float().numpy())


# ---- L-BFGS

SEARCHES: list[dict[str, Any]] = [
    {"lr": 0.01, "max_iter": 5},
    {"lr": 0.01, "history_size": 2, "max_iter": 6},
    {"line_search_fn": "strong_wolfe", "max_iter": 4},
    {"lr": 3.0, "line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 20},
]


def rosenbrock(p: Any) -> Any:
    """A curved valley, whose bottom is flat."""
    x, y = p[:-1], p[1:]
    return (100 * (y - x * x) ** 2 + (1 - x) ** 2).sum()


@pytest.mark.parametrize("options", SEARCHES, ids=str)
def test_lbfgs_is_pytorchs(options: dict[str, Any]) -> None:
    seen, keys = [], []
    for t in (torch, engine):
        p, q = (
            t.nn.Parameter(t.tensor([-1.2, 1.0, 0.5], dtype=t.float64)),
            t.nn.Parameter(t.zeros(2, 1, dtype=t.float64)),
        )
        rule = t.optim.LBFGS([p, q], **options)

        def closure(rule: Any = rule, p: Any = p, q: Any = q) -> Any:
            rule.zero_grad()
            loss = rosenbrock(p) + ((q - p[0]) ** 2).sum()
            loss.backward()
            return loss

        losses = [rule.step(closure).item() for _ in range(3)]
        state = rule.state_dict()["state"][0]
        keys.append(list(state))
        seen.append([*losses, *p.tolist(), *q.flatten().tolist(), state["n_iter"], state["func_evals"]])
    assert set(keys[1]) == set(keys[0]) - {"al"}  # which PyTorch keeps from one step to the next only to reuse it
    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-8)


def test_lbfgs_with_its_line_search_finds_the_minimum() -> None:
    p = engine.nn.Parameter(engine.tensor([-1.2, 1.0], dtype=engine.float64))
    rule = engine.optim.LBFGS([p], max_iter=100, line_search_fn="strong_wolfe")
    rule.step(lambda: closed(p))
    np.testing.assert_allclose(p.tolist(), [1, 1], atol=1e-4)


def test_lbfgs_goes_on_from_pytorchs_state() -> None:
    p = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    theirs = torch.optim.LBFGS([p], max_iter=4, line_search_fn="strong_wolfe")
    theirs.step(lambda: closed(p))
    q = engine.nn.Parameter(engine.tensor(p.tolist(), dtype=engine.float64))
    ours = engine.optim.LBFGS([q], lr=9.0)
    ours.load_state_dict(theirs.state_dict())
    theirs.step(lambda: closed(p))
    ours.step(lambda: closed(q))
    np.testing.assert_allclose(q.tolist(), p.tolist(), rtol=1e-9)


def closed(p: Any) -> Any:
    p.grad = None
    loss = rosenbrock(p)
    loss.backward()
    return loss


# ---- errors


def squared(p: Any) -> Any:
    loss = (p * p).sum()
    loss.backward()
    return loss


def stepped(rule: Any, p: Any) -> None:
    squared(p)
    rule.step()


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
    ("Adadelta rho", lambda t, p: t.optim.Adadelta([p], rho=1.1)),
    ("Adafactor decay", lambda t, p: t.optim.Adafactor([p], beta2_decay=1.0)),
    ("Adafactor eps", lambda t, p: t.optim.Adafactor([p], eps=(-1, 1))),
    ("Adafactor d", lambda t, p: t.optim.Adafactor([p], d=0.5)),
    ("Adamax beta", lambda t, p: t.optim.Adamax([p], betas=(0.9, 1.0))),
    ("NAdam decay", lambda t, p: t.optim.NAdam([p], momentum_decay=-1.0)),
    ("Rprop etas", lambda t, p: t.optim.Rprop([p], etas=(1.0, 1.2))),
    ("LBFGS groups", lambda t, p: t.optim.LBFGS([{"params": [p]}, {"params": [t.nn.Parameter(t.ones(1))]}])),
    ("LBFGS search", lambda t, p: t.optim.LBFGS([p], line_search_fn="x").step(lambda: squared(p))),
    ("tensor lr, foreach", lambda t, p: t.optim.Adam([p], lr=t.tensor(0.1), foreach=True)),
    ("tensor betas", lambda t, p: t.optim.AdamW([p], betas=(t.tensor(0.9), t.tensor(0.9)), foreach=True)),
    ("tensor lr of two", lambda t, p: t.optim.SGD([p], lr=t.tensor([0.1, 0.2]))),
    ("capturable", lambda t, p: stepped(t.optim.RMSprop([p], capturable=True), p)),
    ("differentiable", lambda t, p: stepped(t.optim.SGD([p], differentiable=True), p)),
    ("Muon vector", lambda t, p: t.optim.Muon([p])),
    ("Muon ratio", lambda t, p: t.optim.Muon([p], adjust_lr_fn="x")),
    ("Muon lr", lambda t, p: t.optim.Muon([p], lr=-1.0)),
    ("other groups", lambda t, p: t.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": []})),
    ("other sizes", lambda t, p: t.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})),
]


@pytest.mark.parametrize(("name", "call"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any, Any], Any]) -> None:
    del name
    with pytest.raises((TypeError, ValueError, RuntimeError, AssertionError)) as expected:
        call(torch, torch.nn.Parameter(torch.ones(2)))
    with pytest.raises(expected.type) as got:
        call(engine, engine.nn.Parameter(engine.ones(2)))
    assert str(got.value) == str(expected.value)


def test_duplicate_parameters_are_warned_of() -> None:
    p = engine.nn.Parameter(engine.ones(2))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        engine.optim.SGD([p, p])
