"""Every loss gives PyTorch's values and gradients, for each reduction, and refuses what PyTorch refuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.compare import agree, numbers, same_error
from tests.engine.nn_compare import Array, assert_close, assert_same_run, build_both, normal

REDUCTIONS = ["mean", "sum", "none"]
KINDS = ["float32", "float64"]


def probabilities(*shape: int, kind: str, seed: int = 0) -> Array:
    x = np.exp(normal(*shape, kind=kind, seed=seed))
    return np.asarray(x / x.sum(-1, keepdims=True), kind)


def classes(*shape: int) -> Array:
    return np.random.default_rng(4).integers(0, 5, shape)


Inputs = Callable[[str], list[Array]]
ELEMENTWISE: list[tuple[str, dict[str, Any], Inputs]] = [
    ("MSELoss", {}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("L1Loss", {}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("SmoothL1Loss", {}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("SmoothL1Loss", {"beta": 0.3}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("SmoothL1Loss", {"beta": 0.0}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("HuberLoss", {"delta": 0.6}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("BCELoss", {}, lambda kind: [probabilities(4, 5, kind=kind), probabilities(4, 5, kind=kind, seed=1)]),
    ("BCEWithLogitsLoss", {}, lambda kind: [normal(4, 5, kind=kind), probabilities(4, 5, kind=kind, seed=1)]),
    ("KLDivLoss", {}, lambda kind: [normal(4, 5, kind=kind), probabilities(4, 5, kind=kind, seed=1)]),
    ("KLDivLoss", {"log_target": True}, lambda kind: [normal(4, 5, kind=kind), normal(4, 5, kind=kind, seed=1)]),
    ("NLLLoss", {}, lambda kind: [normal(6, 5, kind=kind), classes(6)]),
    ("NLLLoss", {"ignore_index": 2}, lambda kind: [normal(6, 5, kind=kind), classes(6)]),
    ("CrossEntropyLoss", {}, lambda kind: [normal(6, 5, kind=kind), classes(6)]),
    ("CrossEntropyLoss", {"ignore_index": 2}, lambda kind: [normal(6, 5, kind=kind), classes(6)]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, lambda kind: [normal(6, 5, kind=kind), classes(6)]),
    ("CrossEntropyLoss", {}, lambda kind: [normal(3, 5, 4, kind=kind), classes(3, 4)]),
    ("CrossEntropyLoss", {}, lambda kind: [normal(6, 5, kind=kind), probabilities(6, 5, kind=kind)]),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "options", "inputs"), ELEMENTWISE, ids=[f"{n}{o or ''}" for n, o, _ in ELEMENTWISE])
def test_loss_is_pytorchs(name: str, options: dict[str, Any], inputs: Inputs, reduction: str, kind: str) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(reduction=reduction, **options))
    assert repr(ours) == repr(theirs)
    assert_same_run(theirs, ours, inputs(kind), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_kl_div_batchmean_divides_by_the_rows(kind: str) -> None:
    theirs, ours = build_both(lambda nn: nn.KLDivLoss(reduction="batchmean"))
    target = probabilities(4, 5, kind=kind)
    target[0, 0] = 0  # 0 log 0 counts as 0
    theirs(torch.tensor(normal(4, 5, kind=kind)), torch.tensor(target))
    assert_close(
        ours(engine.tensor(normal(4, 5, kind=kind)), engine.tensor(target)),
        theirs(torch.tensor(normal(4, 5, kind=kind)), torch.tensor(target)),
        kind,
    )


def test_kl_div_mean_warns_as_pytorch() -> None:
    with pytest.warns(UserWarning, match="divides the total loss by both the batch size and the support size"):
        engine.nn.functional.kl_div(engine.zeros(2, 3), engine.ones(2, 3))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_class_weights_are_pytorchs(name: str, reduction: str) -> None:
    weights = np.array([0.5, 1.0, 2.0, 0.1, 3.0], np.float32)
    theirs = getattr(torch.nn, name)(torch.tensor(weights), reduction=reduction)
    ours = getattr(engine.nn, name)(engine.tensor(weights), reduction=reduction)
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight"]
    assert_same_run(theirs, ours, [normal(6, 5), classes(6)], "float32")


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_weights_are_pytorchs(reduction: str) -> None:
    weight, positive = np.array([0.5, 2.0, 1.0], np.float32), np.array([3.0, 0.2, 1.0], np.float32)
    theirs: Any = torch.nn.BCEWithLogitsLoss(
        torch.tensor(weight), pos_weight=torch.tensor(positive), reduction=reduction
    )
    ours: Any = engine.nn.BCEWithLogitsLoss(
        engine.tensor(weight), pos_weight=engine.tensor(positive), reduction=reduction
    )
    inputs = [normal(4, 3), probabilities(4, 3, kind="float32")]
    assert_same_run(theirs, ours, inputs, "float32")
    theirs = torch.nn.BCELoss(torch.tensor(weight), reduction=reduction)
    ours = engine.nn.BCELoss(engine.tensor(weight), reduction=reduction)
    assert_same_run(theirs, ours, [probabilities(4, 3, kind="float32", seed=1), inputs[1]], "float32")


@pytest.mark.parametrize(("old", "new"), [((None, False), "none"), ((False, None), "sum"), ((True, True), "mean")])
def test_old_reductions_are_translated(old: tuple[bool | None, bool | None], new: str) -> None:
    with pytest.warns(UserWarning, match=f"please use reduction='{new}' instead"):
        assert engine.nn.MSELoss(*old).reduction == new
    a, b = engine.tensor(normal(3)), engine.tensor(normal(3, seed=1))
    with pytest.warns(UserWarning, match="please use reduction"):
        assert engine.equal(engine.nn.functional.l1_loss(a, b, *old), engine.nn.functional.l1_loss(a, b, reduction=new))


def test_extreme_logits_and_probabilities_stay_finite_as_in_pytorch() -> None:
    x, t = np.array([-200.0, 200.0, 0.0], np.float32), np.array([1.0, 0.0, 1.0], np.float32)
    theirs, ours = build_both(lambda nn: nn.BCEWithLogitsLoss(reduction="none"))
    assert_same_run(theirs, ours, [x, t], "float32")
    theirs, ours = build_both(lambda nn: nn.BCELoss(reduction="none"))
    assert_close(
        ours(engine.tensor([0.0, 1.0, 0.5]), engine.tensor(t)), theirs(torch.tensor([0.0, 1.0, 0.5]), torch.tensor(t))
    )


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("bce shape", lambda t: t.nn.functional.binary_cross_entropy(t.ones(2), t.ones(3))),
    ("bce range", lambda t: t.nn.functional.binary_cross_entropy(t.tensor([1.5]), t.ones(1))),
    ("logits shape", lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.ones(2, 1), t.ones(2))),
    ("reduction", lambda t: t.nn.functional.l1_loss(t.ones(2), t.ones(2), reduction="median")),
    ("beta", lambda t: t.nn.functional.smooth_l1_loss(t.ones(2), t.ones(2), beta=-1.0)),
    ("delta", lambda t: t.nn.functional.huber_loss(t.ones(2), t.ones(2), delta=0.0)),
]


@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_bad_loss_input_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize("name", ["l1_loss", "smooth_l1_loss", "huber_loss"])
def test_shapes_that_would_broadcast_are_warned_of_as_in_pytorch(name: str) -> None:
    said = []
    for t in (torch, engine):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(t.nn.functional, name)(t.ones(3, 1), t.zeros(3))
        said.append([str(each.message) for each in caught])
    assert said[0] == said[1] != []


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss", "mse_loss", "l1_loss", "binary_cross_entropy", "kl_div"])
@pytest.mark.parametrize("old", [{"reduce": False}, {"size_average": False}, {"size_average": True, "reduce": True}])
def test_old_reductions_are_honoured_by_every_loss(name: str, old: dict[str, bool]) -> None:
    x = numbers(3, 4, low=0.1, high=0.9)
    target = np.array([1, 0, 3]) if name in ("cross_entropy", "nll_loss") else numbers(3, 4, seed=1, low=0.1, high=0.9)
    agree(called(name, **old), x, target)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        getattr(engine.nn.functional, name)(engine.tensor(x), engine.tensor(target), **old)


X, CLASSES = numbers(4, 5), np.array([0, 1, 2, 4])
REFUSED: list[tuple[Any, tuple[Any, ...]]] = [
    (lambda torch, x, t, w: torch.nn.functional.cross_entropy(x, t, w), (X, CLASSES, np.ones(4))),
    (lambda torch, x, t, w: torch.nn.functional.nll_loss(x, t, w), (X, CLASSES, np.ones((5, 1)))),
    (lambda torch, x, t, w: torch.nn.functional.nll_loss(x, t, w), (X, CLASSES, np.ones(5, np.float32))),
    (lambda torch, x, t: torch.nn.functional.cross_entropy(x, t, label_smoothing=1.5), (X, CLASSES)),
    (lambda torch, x, t: torch.nn.functional.cross_entropy(x, t), (X, CLASSES.astype(np.int32))),
    (lambda torch, x, t: torch.nn.functional.nll_loss(x, t), (X, CLASSES.astype(np.int16))),
    (lambda torch, x, t: torch.nn.functional.cross_entropy(x, t), (X, X[:, :3])),
    (lambda torch, x, t: torch.nn.functional.cross_entropy(x, t), (X[0], CLASSES)),
    (lambda torch, x, t: torch.nn.functional.cross_entropy(x, t), (CLASSES.reshape(2, 2), CLASSES[:2])),
    (lambda torch, x, t: torch.nn.functional.cross_entropy(x, t, ignore_index=2), (X, abs(X))),
    (lambda torch, x, t: torch.nn.functional.nll_loss(x, t), (X, CLASSES[:, None])),
    (lambda torch, x, t: torch.nn.functional.nll_loss(x, t), (numbers(), CLASSES)),
    (lambda torch, x, t: torch.nn.functional.mse_loss(x, t), (CLASSES, CLASSES)),
    (lambda torch, x, t: torch.nn.functional.kl_div(x, t), (X, np.ones((4, 5), np.int64))),
    (lambda torch, x, t: torch.nn.functional.binary_cross_entropy(x, t), (abs(X) / 3, np.ones((4, 5), np.int64))),
    (lambda torch, x, t: torch.nn.functional.binary_cross_entropy(x, t), (abs(X) / 3, np.ones((4, 5), np.float32))),
    (lambda torch, x, t: torch.nn.functional.binary_cross_entropy(x, t), (abs(X) / 3, np.full((4, 5), 2.0))),
    (lambda torch, x, t: torch.nn.functional.binary_cross_entropy_with_logits(x, t), (X, np.ones((4, 5), np.int64))),
    (lambda torch, x, t, p: torch.nn.BCEWithLogitsLoss(pos_weight=p)(x, t), (X, np.ones((4, 5)), np.ones(3))),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_targets_and_weights_that_do_not_fit_are_refused_as_by_pytorch(case: int) -> None:
    program, arrays = REFUSED[case]
    same_error(program, *arrays)


def called(name: str, **options: Any) -> Any:
    return lambda torch, *tensors: getattr(torch.nn.functional, name)(*tensors, **options)


def test_bytes_are_class_numbers() -> None:
    for name in ("cross_entropy", "nll_loss"):
        agree(called(name), X, CLASSES.astype(np.uint8))


def test_kl_div_shows_nan_and_counts_0_log_0_as_0() -> None:
    target = np.array([0.0, 0.5, np.nan, 0.5])
    for log_target in (True, False):
        loss = called("kl_div", reduction="none", log_target=log_target)
        agree(loss, np.log([0.1, 0.2, 0.3, np.nan]), target)
