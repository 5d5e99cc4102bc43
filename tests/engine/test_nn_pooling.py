"""Pooling in one, two and three dimensions: values, gradients, indices and refusals are PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import agree, agree_with_differences, numbers, same_error
from tests.engine.nn_compare import assert_close, assert_same_run, assert_same_start, build_both, normal

SIZES = {1: (9,), 2: (7, 8), 3: (5, 6, 7)}
WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 3, "stride": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 4, "ceil_mode": True},
]


def call(name: str, **options: Any) -> Any:
    return lambda torch, *tensors: getattr(torch.nn.functional, name)(*tensors, **options)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [*WINDOWS, {"kernel_size": 2, "dilation": 2, "padding": 1}], ids=str)
def test_max_pool_is_pytorchs(axes: int, options: dict[str, Any]) -> None:
    x = numbers(2, 3, *SIZES[axes])
    agree(call(f"max_pool{axes}d", return_indices=True, **options), x)
    agree(call(f"max_pool{axes}d", **options), x[0], names=False)
    theirs, ours = build_both(lambda nn: getattr(nn, f"MaxPool{axes}d")(**options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [x], "float64")


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [*WINDOWS, {"kernel_size": 4, "padding": 2, "count_include_pad": False}], ids=str)
def test_avg_pool_is_pytorchs(axes: int, options: dict[str, Any]) -> None:
    x = numbers(2, 3, *SIZES[axes])
    agree(call(f"avg_pool{axes}d", **options), x[0])
    theirs, ours = build_both(lambda nn: getattr(nn, f"AvgPool{axes}d")(**options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [x], "float64")


def test_a_windows_size_and_step_may_differ_by_axis() -> None:
    x = numbers(2, 3, 7, 9)
    agree(call("max_pool2d", kernel_size=(2, 3), stride=(1, 2), padding=(0, 1), dilation=(2, 1)), x, names=True)
    agree(call("avg_pool2d", kernel_size=(2, 3), stride=(1, 2), padding=(0, 1), divisor_override=5), x, names=True)


@pytest.mark.parametrize("name", ["max_pool1d", "avg_pool1d"])
def test_poolings_gradient_is_the_slope(name: str) -> None:
    agree_with_differences(call(name, kernel_size=3, stride=2, padding=1, ceil_mode=True), numbers(2, 2, 8))


@pytest.mark.parametrize("odd", [math.nan, -math.inf, 1.0])
def test_of_equal_numbers_the_first_is_the_largest_and_nan_is_larger(odd: float) -> None:
    x = np.full((1, 1, 4, 5), odd)
    x[0, 0, 1, 1] = 1.0
    agree(call("max_pool2d", kernel_size=3, stride=1, padding=1, return_indices=True), x)
    agree(call("adaptive_max_pool2d", output_size=(2, 3), return_indices=True), x)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 12])
def test_adaptive_pools_are_pytorchs(axes: int, size: int) -> None:
    x = numbers(2, 3, *SIZES[axes])
    agree(call(f"adaptive_max_pool{axes}d", output_size=size, return_indices=True), x)
    for kind in (f"AdaptiveAvgPool{axes}d", f"AdaptiveMaxPool{axes}d"):
        theirs, ours = getattr(pytorch.nn, kind)(size), getattr(engine.nn, kind)(size)
        assert_same_start(theirs, ours)
        assert_same_run(theirs, ours, [x], "float64")
        assert_same_run(theirs, ours, [x[0]], "float64")


def test_adaptive_pool_keeps_a_size_that_is_none() -> None:
    agree(call("adaptive_avg_pool2d", output_size=(None, 3)), numbers(2, 3, 5, 7))
    agree_with_differences(call("adaptive_avg_pool2d", output_size=(3, 4)), numbers(1, 2, 5, 7))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("p", [2, 3.0, math.inf])
def test_lp_pool_is_pytorchs(axes: int, p: float) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, f"LPPool{axes}d")(p, 2, stride=1))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [abs(numbers(2, 3, *SIZES[axes]))], "float64")


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_puts_numbers_back_where_pytorch_does(axes: int) -> None:
    def program(torch: Any, x: Any) -> Any:
        y, indices = getattr(torch.nn, f"MaxPool{axes}d")(2, return_indices=True)(x)
        unpool = getattr(torch.nn, f"MaxUnpool{axes}d")(2)
        return unpool(y * y, indices), unpool(y, indices, output_size=x.shape), unpool(y[0], indices[0])

    agree(program, numbers(2, 3, *SIZES[axes]))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("options", [{"output_size": 3}, {"output_ratio": 0.6, "return_indices": True}], ids=str)
def test_fractional_pool_draws_what_pytorch_draws(axes: int, options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, f"FractionalMaxPool{axes}d")(2, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(2, 3, *SIZES[axes])], "float32")
    assert pytorch.rand(1).item() == engine.rand(1).item()


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float16])
def test_pools_take_other_number_types(kind: Any) -> None:
    x = (numbers(1, 2, 6, 6) * 20).astype(kind)
    agree(call("max_pool2d", kernel_size=3, padding=1, stride=2), x)
    if kind != np.uint8:
        agree(call("avg_pool2d", kernel_size=3, padding=1, stride=2), x)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 2, 5, 5), {"kernel_size": 3, "padding": 2}),
        ((1, 2, 5, 5), {"kernel_size": 7}),
        ((1, 2, 5, 5), {"kernel_size": 0}),
        ((1, 2, 5, 5), {"kernel_size": 3, "stride": 0}),
        ((1, 2, 5, 5), {"kernel_size": 3, "padding": -1}),
        ((1, 2, 5, 5), {"kernel_size": (1, 2, 3)}),
        ((1, 2, 3, 5, 5), {"kernel_size": 2}),
        ((2, 2, 0, 4), {"kernel_size": 2}),
    ],
)
def test_an_impossible_window_is_refused_as_by_pytorch(name: str, shape: Any, options: dict[str, Any]) -> None:
    same_error(call(name, **options), np.ones(shape))


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("max_pool2d", (1, 2, 5, 5), {"kernel_size": 3, "dilation": 0}),
        ("avg_pool2d", (1, 2, 5, 5), {"kernel_size": 3, "divisor_override": 0}),
        ("adaptive_avg_pool2d", (1, 2, 5, 5), {"output_size": -1}),
        ("adaptive_avg_pool2d", (1, 2, 5, 5), {"output_size": (2, 2, 2)}),
        ("adaptive_avg_pool1d", (1, 2, 5, 5), {"output_size": 2}),
        ("adaptive_max_pool2d", (5, 5), {"output_size": 2}),
        ("adaptive_max_pool2d", (1, 2, 0, 3), {"output_size": 2}),
        ("fractional_max_pool2d", (1, 2, 5, 5), {"kernel_size": 3}),
        ("fractional_max_pool2d", (1, 2, 5, 5), {"kernel_size": 3, "output_size": 4}),
        ("lp_pool2d", (1, 2, 5, 5), {"norm_type": 2, "kernel_size": 7}),
    ],
)
def test_impossible_pooling_is_refused_as_by_pytorch(name: str, shape: Any, options: dict[str, Any]) -> None:
    same_error(call(name, **options), np.ones(shape))


@pytest.mark.parametrize("indices", [np.full((1, 2, 2), 9), np.full((1, 2, 2), -1), np.zeros((1, 1, 2), np.int64)])
def test_wrong_indices_are_refused_as_by_pytorch(indices: Any) -> None:
    same_error(call("max_unpool1d", kernel_size=2), np.ones((1, 2, 2)), np.asarray(indices, np.int64))
    same_error(call("max_unpool1d", kernel_size=2), np.ones((1, 2, 2)), np.zeros((1, 2, 2), np.int32))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("max_pool1d", (2,)),
        ("max_pool2d", (2, 1)),
        ("max_pool3d", (2,)),
        ("adaptive_max_pool1d", (2,)),
        ("adaptive_max_pool2d", ((2, 3),)),
        ("adaptive_max_pool3d", (2,)),
    ],
)
def test_pooling_under_its_name_with_indices_gives_the_indices(name: str, arguments: tuple[Any, ...]) -> None:
    axes = int(name[-2])
    x = normal(1, 2, *(4, 5, 4)[:axes])
    theirs = getattr(pytorch.nn.functional, f"{name}_with_indices")(pytorch.tensor(x), *arguments)
    ours = getattr(engine.nn.functional, f"{name}_with_indices")(engine.tensor(x), *arguments, return_indices=False)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b)
