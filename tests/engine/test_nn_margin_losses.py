"""The losses of margins, distances and distributions, and CTC: values, gradients and refusals are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import Array, agree, agree_with_differences, numbers, same_error
from tests.engine.nn_compare import assert_same_run, assert_same_start, build_both

A, B, C = (numbers(4, 5, seed=n) for n in range(3))
SIGNS = np.where(numbers(4, 5, seed=7) > 0, 1.0, -1.0)
LISTED = np.array([[1, 3, -1, 0, 2], [0, 1, 2, 3, 4], [-1, 0, 1, 2, 3], [4, -1, -1, -1, -1]])

LOSSES: list[tuple[str, dict[str, Any], tuple[Array, ...]]] = [
    ("MarginRankingLoss", {"margin": 0.3}, (A, B, SIGNS)),
    ("HingeEmbeddingLoss", {"margin": 0.7}, (A, SIGNS)),
    ("CosineEmbeddingLoss", {"margin": 0.1}, (A, B, SIGNS[:, 0])),
    ("CosineEmbeddingLoss", {}, (A[0], B[0], SIGNS[0, 0])),
    ("SoftMarginLoss", {}, (A, SIGNS.astype(np.int64))),
    ("MultiLabelSoftMarginLoss", {}, (A, (SIGNS + 1) / 2)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.8}, (A, np.array([0, 4, 2, 1]))),
    ("MultiMarginLoss", {}, (A[0], np.array(3))),
    ("MultiLabelMarginLoss", {}, (A, LISTED)),
    ("MultiLabelMarginLoss", {}, (A[0], LISTED[0])),
    ("GaussianNLLLoss", {"full": True}, (A, B, abs(C))),
    ("GaussianNLLLoss", {}, (A, B, abs(C[:, :1]))),
    ("PoissonNLLLoss", {"full": True}, (A, abs(B))),
    ("PoissonNLLLoss", {"log_input": False}, (abs(A), abs(B))),
    ("TripletMarginLoss", {"swap": True, "p": 3.0}, (A, B, C)),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5}, (A, B, C)),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("case", range(len(LOSSES)))
def test_loss_is_pytorchs(case: int, reduction: str) -> None:
    name, options, arrays = LOSSES[case]
    theirs, ours = build_both(lambda nn: getattr(nn, name)(reduction=reduction, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [np.asarray(a) for a in arrays], "float64")


@pytest.mark.parametrize("case", [0, 2, 6, 8, 10, 14])
def test_losss_gradient_is_the_slope(case: int) -> None:
    name, options, arrays = LOSSES[case]

    def program(torch: Any, x: Any) -> Any:
        others = [torch.tensor(a) for a in arrays[1:]]
        return getattr(torch.nn, name)(**options)(x, *others)

    agree_with_differences(program, arrays[0].copy())


@pytest.mark.parametrize("weighted", ["MultiMarginLoss", "MultiLabelSoftMarginLoss"])
def test_weighted_losses_are_pytorchs(weighted: str) -> None:
    target = np.array([0, 4, 2, 1]) if weighted == "MultiMarginLoss" else (SIGNS + 1) / 2
    agree(lambda torch, x, t, w: getattr(torch.nn, weighted)(weight=w.detach())(x, t), A, target, abs(B[0]))


def ctc(reduction: str = "mean", lengths: Any = ((12, 9, 5), (4, 3, 0)), joined: bool = False, **options: Any) -> Any:
    def program(torch: Any, x: Any, targets: Any) -> Any:
        log_p = x.log_softmax(-1)
        if joined:
            targets = torch.cat([row[:n] for row, n in zip(targets, lengths[1], strict=True)])
        times, counts = (torch.tensor(each) for each in lengths)
        return torch.nn.functional.ctc_loss(log_p, targets, times, counts, reduction=reduction, **options)

    return program


LABELS = np.array([[1, 2, 2, 3], [3, 3, 1, 1], [1, 1, 1, 1]])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("joined", [True, False])
def test_ctc_is_pytorchs(reduction: str, joined: bool) -> None:
    agree(ctc(reduction, joined=joined), numbers(12, 3, 5), LABELS)
    agree(ctc(reduction, lengths=((12, 2, 5), (4, 3, 1)), zero_infinity=True), numbers(12, 3, 5), LABELS)
    agree(ctc(reduction, blank=4), numbers(12, 3, 5), LABELS)


def test_ctcs_gradient_is_the_slope() -> None:
    x = numbers(6, 2, 4)
    program = ctc(lengths=((6, 5), (3, 2)))
    agree_with_differences(lambda torch, x: program(torch, x, torch.tensor(LABELS[:2])), x)


def test_ctc_layer_is_pytorchs() -> None:
    x, arguments = numbers(12, 5), (LABELS[0], np.array(12), np.array(4))
    theirs, ours = (torch.nn.CTCLoss(blank=4, reduction="sum") for torch in (pytorch, engine))
    expected = theirs(pytorch.tensor(x).log_softmax(-1), *map(pytorch.tensor, arguments)).item()
    got = ours(engine.tensor(x).log_softmax(-1), *map(engine.tensor, arguments)).item()
    assert got == pytest.approx(expected)
    assert repr(ours) == repr(theirs)


REFUSED: list[tuple[Any, tuple[Any, ...]]] = [
    (lambda torch, a, b, t: torch.nn.functional.margin_ranking_loss(a, b, t), (A, B, SIGNS[:, 0])),
    (lambda torch, a, b, t: torch.nn.functional.cosine_embedding_loss(a, b, t), (A, B, SIGNS)),
    (lambda torch, a, b, t: torch.nn.functional.cosine_embedding_loss(a, b, t), (A, B, SIGNS[0, 0])),
    (lambda torch, x, t: torch.nn.functional.multi_margin_loss(x, t, p=3), (A, LISTED[0][:4])),
    (lambda torch, x, t: torch.nn.functional.multi_margin_loss(x, t), (A, np.array([0, 1, 2]))),
    (lambda torch, x, t: torch.nn.functional.multi_margin_loss(x, t), (A, np.array([0, 1, 2, 9]))),
    (lambda torch, x, t: torch.nn.functional.multilabel_margin_loss(x, t), (A, LISTED[:, :3])),
    (lambda torch, x, t: torch.nn.functional.multilabel_margin_loss(x, t), (A, LISTED + 1)),
    (lambda torch, x, t, v: torch.nn.functional.gaussian_nll_loss(x, t, v), (A, B, C)),
    (lambda torch, x, t, v: torch.nn.functional.gaussian_nll_loss(x, t, v), (A, B, abs(C[:2, :3]))),
    (lambda torch, a, b, c: torch.nn.functional.triplet_margin_loss(a, b, c, margin=-1), (A, B, C)),
    (lambda torch, a, b, c: torch.nn.functional.triplet_margin_loss(a, b, c), (A, B, C[0])),
    (ctc(lengths=((13, 9, 5), (4, 3, 0))), (numbers(12, 3, 5), LABELS)),
    (ctc(lengths=((12, 9), (4, 3, 0))), (numbers(12, 3, 5), LABELS)),
    (ctc(blank=7), (numbers(12, 3, 5), LABELS)),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_what_does_not_fit_is_refused_as_by_pytorch(case: int) -> None:
    program, arrays = REFUSED[case]
    same_error(program, *arrays)


ACTIVATIONS: list[tuple[str, tuple[Any, ...]]] = [
    ("Hardsigmoid", ()),
    ("Hardswish", ()),
    ("Tanhshrink", ()),
    ("Hardshrink", (0.3,)),
    ("Softshrink", (0.3,)),
    ("Threshold", (0.1, 20)),
    ("CELU", (0.7,)),
    ("RReLU", (0.1, 0.4)),
    ("Softmin", (1,)),
    ("Softmax2d", ()),
]


@pytest.mark.parametrize(("name", "settings"), ACTIVATIONS)
def test_activation_layers_are_pytorchs(name: str, settings: tuple[Any, ...]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(*settings))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [numbers(2, 3, 4, 5).astype(np.float32)], "float32")
