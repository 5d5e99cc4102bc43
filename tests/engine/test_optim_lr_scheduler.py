"""Each schedule gives PyTorch's rates, step for step, alone, in a row and chained, and survives saving."""

# ruff: noqa: ARG005  # all cases of a table are called with the same arguments

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine

Make = Callable[[Any, Any], Any]  # (the lr_scheduler module, an optimizer) -> a scheduler

SCHEDULES: list[tuple[str, Make]] = [
    ("LambdaLR", lambda s, o: s.LambdaLR(o, lambda t: 0.9**t)),
    ("LambdaLR a group", lambda s, o: s.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1 / (1 + t)])),
    ("MultiplicativeLR", lambda s, o: s.MultiplicativeLR(o, lambda t: 0.95 if t % 2 else 1.0)),
    ("StepLR", lambda s, o: s.StepLR(o, 3, 0.5)),
    ("MultiStepLR", lambda s, o: s.MultiStepLR(o, [2, 5, 5, 9], 0.3)),
    ("ConstantLR", lambda s, o: s.ConstantLR(o, 0.25, 4)),
    ("LinearLR", lambda s, o: s.LinearLR(o)),
    ("LinearLR down", lambda s, o: s.LinearLR(o, 1.0, 0.1, 8)),
    ("ExponentialLR", lambda s, o: s.ExponentialLR(o, 0.8)),
    ("PolynomialLR", lambda s, o: s.PolynomialLR(o, 7, 2.0)),
    ("CosineAnnealingLR", lambda s, o: s.CosineAnnealingLR(o, 10, 0.001)),
    ("CosineAnnealingLR twice", lambda s, o: s.CosineAnnealingLR(o, 4)),
    ("WarmRestarts", lambda s, o: s.CosineAnnealingWarmRestarts(o, 3)),
    ("WarmRestarts longer", lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.001)),
    ("OneCycleLR", lambda s, o: s.OneCycleLR(o, 0.5, total_steps=16)),
    (
        "OneCycleLR lines",
        lambda s, o: s.OneCycleLR(o, [0.5, 0.2], epochs=4, steps_per_epoch=5, anneal_strategy="linear"),
    ),
    ("OneCycleLR three", lambda s, o: s.OneCycleLR(o, 0.5, total_steps=20, three_phase=True, pct_start=0.4)),
    ("OneCycleLR still", lambda s, o: s.OneCycleLR(o, 0.5, total_steps=20, cycle_momentum=False, div_factor=10.0)),
    ("CyclicLR", lambda s, o: s.CyclicLR(o, 0.01, 0.3, 3)),
    ("CyclicLR lower", lambda s, o: s.CyclicLR(o, [0.01, 0.02], 0.3, 2, 4, mode="triangular2", base_momentum=0.5)),
    ("CyclicLR exp", lambda s, o: s.CyclicLR(o, 0.01, 0.3, 2, mode="exp_range", gamma=0.9, cycle_momentum=False)),
    (
        "CyclicLR scaled",
        lambda s, o: s.CyclicLR(o, 0.01, 0.3, 2, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations"),
    ),
    ("SequentialLR", lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 4), s.CosineAnnealingLR(o, 8)], [4])),
    (
        "SequentialLR of three",
        lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [2, 7]),
    ),
    ("ChainedScheduler", lambda s, o: s.ChainedScheduler([s.LinearLR(o, 0.2, 1.0, 5), s.ExponentialLR(o, 0.9)])),
]
IDS = [name for name, _ in SCHEDULES]
STEPS = 14


def optimizer(t: Any, name: str = "AdamW") -> Any:
    a, b = t.nn.Parameter(t.ones(2)), t.nn.Parameter(t.ones(3))
    options = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(t.optim, name)([{"params": [a]}, {"params": [b], "lr": 0.02}], lr=0.1, **options)


def rates(rule: Any) -> list[Any]:
    return [[float(g["lr"]), g.get("momentum"), g.get("betas")] for g in rule.param_groups]


def walk(scheduler: Any, rule: Any, steps: int) -> list[Any]:
    seen = [rates(rule)]
    for _ in range(steps):
        rule.step()
        scheduler.step()
        seen.append(rates(rule))
        assert scheduler.get_last_lr() == [group["lr"] for group in rule.param_groups]
    return seen


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    """Equal to the last digit but one: a cosine may be multiplied in another order."""
    flat = [[x for row in walked for group in row for x in _numbers(group)] for walked in (ours, theirs)]
    np.testing.assert_allclose(flat[0], flat[1], rtol=1e-12, atol=1e-17)


def _numbers(group: list[Any]) -> list[float]:
    lr, momentum, betas = group
    return [lr, *([] if momentum is None else [momentum]), *(betas or ())]


@pytest.mark.parametrize("rule", ["AdamW", "SGD"])
@pytest.mark.parametrize(("name", "make"), SCHEDULES, ids=IDS)
def test_rates_are_pytorchs(name: str, make: Make, rule: str) -> None:
    del name
    seen = []
    for t in (torch, engine):
        o = optimizer(t, rule)
        seen.append(walk(make(t.optim.lr_scheduler, o), o, STEPS))
    assert_same(seen[1], seen[0])


@pytest.mark.parametrize(("name", "make"), SCHEDULES, ids=IDS)
def test_state_has_pytorchs_keys(name: str, make: Make) -> None:
    del name
    theirs, ours = (make(t.optim.lr_scheduler, optimizer(t)).state_dict() for t in (torch, engine))
    assert ours.keys() == theirs.keys()


def test_plateau_state_has_pytorchs_keys() -> None:
    theirs, ours = (t.optim.lr_scheduler.ReduceLROnPlateau(optimizer(t)).state_dict() for t in (torch, engine))
    assert ours.keys() == theirs.keys()


@pytest.mark.parametrize(("name", "make"), SCHEDULES, ids=IDS)
def test_a_saved_schedule_goes_on_where_it_was(name: str, make: Make) -> None:
    del name
    o = optimizer(engine)
    scheduler = make(engine.optim.lr_scheduler, o)
    walk(scheduler, o, 5)
    states = copy.deepcopy((scheduler.state_dict(), o.state_dict()))
    expected = walk(scheduler, o, 6)
    other = optimizer(engine)
    resumed = make(engine.optim.lr_scheduler, other)
    resumed.load_state_dict(states[0])
    other.load_state_dict(states[1])
    assert walk(resumed, other, 6) == expected


@pytest.mark.parametrize("name", ["StepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "PolynomialLR"])
def test_a_schedule_can_start_late_as_in_pytorch(name: str) -> None:
    seen = []
    for t in (torch, engine):
        o = optimizer(t)
        for group in o.param_groups:
            group["initial_lr"] = group["lr"]
        argument = {"StepLR": (3,), "ExponentialLR": (0.9,), "CosineAnnealingLR": (10,)}.get(name, ())
        scheduler = getattr(t.optim.lr_scheduler, name)(o, *argument, last_epoch=2)
        seen.append(walk(scheduler, o, 4))
    assert_same(seen[1], seen[0])


PLATEAUS: list[dict[str, Any]] = [
    {"patience": 1},
    {"patience": 0, "factor": 0.5, "cooldown": 2, "min_lr": 0.01},
    {"mode": "max", "patience": 1, "threshold": 0.1, "threshold_mode": "abs"},
    {"mode": "max", "patience": 0, "threshold": 0.05, "min_lr": [0.001, 0.005]},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateau_reduces_when_pytorch_does(options: dict[str, Any]) -> None:
    metrics = [1.0, 0.9, 0.91, 0.92, 0.5, 0.6, 0.7, 0.8, 0.9, 0.45, 0.46, 0.47]
    seen = []
    for t in (torch, engine):
        o = optimizer(t)
        scheduler = t.optim.lr_scheduler.ReduceLROnPlateau(o, **options)
        walked = []
        for metric in metrics:
            scheduler.step(t.tensor(metric))
            walked.append(rates(o))
        seen.append(walked)
    assert_same(seen[1], seen[0])
    assert seen[1][-1] != rates(optimizer(engine))


def test_warm_restarts_take_a_fraction_of_an_epoch_as_in_pytorch() -> None:
    seen = []
    for t in (torch, engine):
        o = optimizer(t)
        scheduler = t.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2)
        walked = []
        for i in range(30):
            scheduler.step(i / 4)
            walked.append(rates(o))
        seen.append(walked)
    assert_same(seen[1], seen[0])


def test_a_rate_that_is_a_tensor_stays_one() -> None:
    rate = engine.tensor(0.1)
    o = engine.optim.SGD([engine.nn.Parameter(engine.ones(1))], lr=rate)
    scheduler = engine.optim.lr_scheduler.ExponentialLR(o, 0.5)
    o.step()
    scheduler.step()
    assert o.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.05)


def test_a_rate_that_is_a_tensor_is_computed_as_pytorch_does() -> None:
    seen = []
    for t in (torch, engine):
        o = t.optim.SGD([t.nn.Parameter(t.ones(1))], lr=t.tensor(0.1))
        scheduler = t.optim.lr_scheduler.ExponentialLR(o, 0.7)
        for _ in range(5):
            o.step()
            scheduler.step()
        seen.append([o.param_groups[0]["lr"].item(), scheduler.get_last_lr()[0].item(), scheduler.base_lrs[0].item()])
    assert seen[1] == seen[0]


def test_pytorchs_warnings_are_given() -> None:
    o = optimizer(engine)
    scheduler = engine.optim.lr_scheduler.StepLR(o, 3)
    o.step()
    with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
        scheduler.step(4)
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        scheduler.get_lr()
    other = engine.optim.lr_scheduler.StepLR(o, 3)
    o.step = lambda: None
    with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
        other.step()


def test_stepping_before_the_optimizer_is_warned_of() -> None:
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer(engine), 3)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()


REFUSED: list[tuple[str, Make]] = [
    ("no optimizer", lambda s, o: s.StepLR(3, 1)),
    ("lambdas", lambda s, o: s.LambdaLR(o, [lambda t: 1.0])),
    ("constant", lambda s, o: s.ConstantLR(o, 1.5)),
    ("start", lambda s, o: s.LinearLR(o, 0.0)),
    ("end", lambda s, o: s.LinearLR(o, 1.0, 1.5)),
    ("T_0", lambda s, o: s.CosineAnnealingWarmRestarts(o, 0)),
    ("T_mult", lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 0)),
    ("no length", lambda s, o: s.OneCycleLR(o, 0.1)),
    ("length", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=-1)),
    ("epochs", lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3)),
    ("share", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=3, pct_start=1.5)),
    ("strategy", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=3, anneal_strategy="exp")),
    ("max_lrs", lambda s, o: s.OneCycleLR(o, [0.1], total_steps=3)),
    ("cycle mode", lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square")),
    ("cycle rates", lambda s, o: s.CyclicLR(o, [0.1], 0.2)),
    ("min_lrs", lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1])),
    ("no schedulers", lambda s, o: s.SequentialLR(o, [], [])),
    ("milestones", lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3])),
    ("plateau inside", lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)])),
    ("factor", lambda s, o: s.ReduceLROnPlateau(o, factor=1.0)),
    ("mode", lambda s, o: s.ReduceLROnPlateau(o, mode="mean")),
    ("threshold", lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x")),
]


@pytest.mark.parametrize(("name", "make"), REFUSED, ids=[name for name, _ in REFUSED])
def test_misuse_is_refused_in_pytorchs_words(name: str, make: Make) -> None:
    del name
    with pytest.raises((TypeError, ValueError)) as expected:
        make(torch.optim.lr_scheduler, optimizer(torch))
    with pytest.raises(expected.type) as got:
        make(engine.optim.lr_scheduler, optimizer(engine))
    assert str(got.value) == str(expected.value)
