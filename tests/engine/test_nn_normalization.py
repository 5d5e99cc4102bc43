"""Normalization and dropout in every number of dimensions are PyTorch's: values, gradients, statistics, draws."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import agree, agree_with_differences, numbers, same_error
from tests.engine.nn_compare import assert_close, assert_same_run, assert_same_start, build_both, normal

SIZES = {1: (5,), 2: (4, 3), 3: (2, 3, 2)}


def call(name: str, *more: Any, **options: Any) -> Any:
    return lambda torch, *tensors: getattr(torch.nn.functional, name)(*tensors, *more, **options)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["BatchNorm", "InstanceNorm"])
@pytest.mark.parametrize("options", [{}, {"affine": True, "track_running_stats": True, "momentum": 0.3}], ids=str)
def test_norms_are_pytorchs(kind: str, axes: int, options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, f"{kind}{axes}d")(3, **options))
    assert_same_start(theirs, ours)
    for seed in range(2):
        assert_same_run(theirs, ours, [normal(4, 3, *SIZES[axes], seed=seed) + seed], "float32")
        theirs.zero_grad()
        ours.zero_grad()
    for name, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[name], value, what=name)
    assert_same_run(theirs.eval(), ours.eval(), [normal(4, 3, *SIZES[axes], seed=9)], "float32")


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_instance_norm_takes_one_example(axes: int) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, f"InstanceNorm{axes}d")(3, affine=True))
    assert_same_run(theirs, ours, [normal(3, *SIZES[axes])], "float32")


@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 5, 3, 4), (2, 5, 2, 3, 2)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_local_response_norm_is_pytorchs(shape: tuple[int, ...], size: int) -> None:
    theirs, ours = build_both(lambda nn: nn.LocalResponseNorm(size, alpha=0.5, k=2.0))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [numbers(*shape)], "float64")


def test_norms_gradients_are_the_slopes() -> None:
    agree_with_differences(call("instance_norm"), numbers(2, 2, 5))
    agree_with_differences(call("local_response_norm", 3, alpha=0.5), numbers(1, 4, 3))
    agree_with_differences(lambda torch, x, w: torch.nn.functional.group_norm(x, 2, w), numbers(2, 4, 3), numbers(4))


def test_norms_of_nothing_are_nothing() -> None:
    theirs, ours = build_both(lambda nn: nn.BatchNorm1d(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ours(engine.zeros(0, 3)).shape == tuple(theirs(pytorch.zeros(0, 3)).shape)
    for name, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[name], value, what=name)
    agree(lambda torch, x: torch.nn.functional.group_norm(x, 1), np.zeros((0, 2)))
    agree(lambda torch, x: torch.nn.functional.layer_norm(x, (3,)), np.zeros((0, 3)))


HALF: dict[str, Any] = {
    "layer_norm": lambda torch, x: torch.nn.functional.layer_norm(x, (2048,)),
    "rms_norm": lambda torch, x: torch.nn.functional.rms_norm(x, (2048,), eps=1e-5),
    "group_norm": lambda torch, x: torch.nn.functional.group_norm(x.reshape(4, 8, -1), 2),
    "batch_norm": lambda torch, x: torch.nn.functional.batch_norm(x.reshape(1, 4, -1), None, None, training=True),
    "instance_norm": lambda torch, x: torch.nn.functional.instance_norm(x.reshape(1, 4, -1)),
    "softmax": lambda torch, x: torch.nn.functional.softmax(x * 0.01, -1),
    "log_softmax": lambda torch, x: torch.nn.functional.log_softmax(x * 0.01, -1),
}


@pytest.mark.parametrize("name", HALF)
def test_half_precision_is_summed_in_float32(name: str) -> None:
    """Squares of numbers about 300 do not fit into float16, their sums even less."""
    x = (numbers(4, 2048, low=-1, high=1) * 300 + 5).astype(np.float16)
    agree(HALF[name], x, tolerance=5e-3)


@pytest.mark.parametrize(
    ("program", "shape"),
    [
        (lambda torch, x: torch.nn.BatchNorm1d(3)(x), (2, 3, 4, 4)),
        (lambda torch, x: torch.nn.BatchNorm2d(3)(x), (3, 4, 4)),
        (lambda torch, x: torch.nn.BatchNorm3d(3)(x), (2, 3, 4, 4)),
        (lambda torch, x: torch.nn.BatchNorm2d(5).double()(x), (2, 3, 4, 4)),
        (lambda torch, x: torch.nn.BatchNorm2d(5).double().eval()(x), (2, 3, 4, 4)),
        (lambda torch, x: torch.nn.BatchNorm1d(3)(x), (1, 3)),
        (lambda torch, x: torch.nn.BatchNorm1d(3)(x), (4, 3)),  # float64 on float32
        (lambda torch, x: torch.nn.BatchNorm1d(3)(x.long()), (4, 3)),
        (lambda torch, x: torch.nn.functional.batch_norm(x, None, None), (4, 3)),
        (lambda torch, x: torch.nn.functional.batch_norm(x, torch.zeros(3), None, training=True), (4, 3)),
        (lambda torch, x: torch.nn.functional.batch_norm(x, None, None, training=True), (4,)),
        (lambda torch, x: torch.nn.InstanceNorm1d(3)(x), (2, 3, 1)),
        (lambda torch, x: torch.nn.InstanceNorm2d(5, affine=True)(x), (2, 3, 4, 4)),
        (lambda torch, x: torch.nn.InstanceNorm2d(3)(x), (4, 4)),
        (lambda torch, x: torch.nn.functional.local_response_norm(x, 2), (3, 4)),
        (lambda torch, x: torch.nn.functional.layer_norm(x, (4,), torch.ones(3)), (2, 4)),
        (lambda torch, x: torch.nn.functional.rms_norm(x, (4,), torch.ones(3)), (2, 4)),
        (lambda torch, x: torch.nn.functional.layer_norm(x, (5,)), (2, 4)),
        (lambda torch, x: torch.nn.functional.rms_norm(x, ()), (2, 4)),
        (lambda torch, x: torch.nn.functional.layer_norm(x.long(), (4,)), (2, 4)),
        (lambda torch, x: torch.nn.functional.rms_norm(x.long(), (4,)), (2, 4)),
        (lambda torch, x: torch.nn.functional.group_norm(x, 3), (2, 4)),
        (lambda torch, x: torch.nn.functional.group_norm(x, 2, torch.ones(3)), (2, 4)),
        (lambda torch, x: torch.nn.functional.group_norm(x, 2), (4,)),
    ],
)
def test_impossible_norms_are_refused_as_by_pytorch(program: Any, shape: tuple[int, ...]) -> None:
    same_error(program, np.ones(shape))


SHAPES = {"Dropout1d": (3, 4, 5), "Dropout2d": (3, 4, 2, 2), "Dropout3d": (3, 4, 2, 2, 2)}


@pytest.mark.parametrize("name", [*SHAPES, "AlphaDropout", "FeatureAlphaDropout"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_dropouts_draw_what_pytorch_draws(name: str, p: float) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(p))
    assert_same_start(theirs, ours)
    shape = SHAPES.get(name, (3, 4, 5))
    assert_same_run(theirs, ours, [normal(*shape)], "float32")
    if name in ("Dropout1d", "Dropout3d"):
        assert_same_run(theirs, ours, [normal(*shape[1:])], "float32")
    assert pytorch.rand(1).item() == engine.rand(1).item()
    assert_same_run(theirs.eval(), ours.eval(), [normal(*shape)], "float32")


def test_impossible_dropouts_are_refused_as_by_pytorch() -> None:
    same_error(call("dropout1d"), np.ones((2, 3, 4, 4)))
    for name in ("dropout2d", "alpha_dropout", "feature_alpha_dropout"):
        same_error(call(name, 1.5), np.ones((2, 3, 4, 4)))
    for name in ("Dropout2d", "AlphaDropout"):
        with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1, but got 1"):
            getattr(engine.nn, name)(1.5)
    with pytest.warns(UserWarning, match="Received a 2-D input to dropout2d"):
        engine.nn.functional.dropout2d(engine.ones(2, 3))


@pytest.mark.parametrize("training", [False, True])
def test_batch_norm_of_no_example_with_no_second_axis_is_empty(training: bool) -> None:
    for t in (pytorch, engine):
        assert t.nn.functional.batch_norm(t.zeros(0), t.zeros(1), t.ones(1), training=training).shape == (0,)
