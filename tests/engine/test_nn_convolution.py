"""Convolutions in one, two and three dimensions start, compute, derive and refuse as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from gradus.engine.ops import convolution
from tests.engine.compare import Array, agree, agree_with_differences, numbers, same_error
from tests.engine.nn_compare import assert_close, assert_same_run, assert_same_start, build_both, normal

SIZES = {1: (9,), 2: (7, 6), 3: (5, 4, 6)}
SETTINGS: list[dict[str, Any]] = [
    {},
    {"stride": 2, "padding": 1, "bias": False},
    {"dilation": 2, "padding": 2, "groups": 2},
    {"padding": "same", "dilation": 2, "groups": 4},
    {"padding": "valid"},
    {"padding": 1, "padding_mode": "reflect"},
    {"padding": 1, "padding_mode": "replicate", "stride": 2},
    {"padding": "same", "padding_mode": "circular"},
]
BACK: list[dict[str, Any]] = [
    {},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"stride": 3, "dilation": 2, "groups": 2, "bias": False},
    {"padding": 2, "groups": 4},
]


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_convolution_is_pytorchs(axes: int, options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, f"Conv{axes}d")(4, 8, 3, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs.double(), ours.double(), [normal(2, 4, *SIZES[axes], kind="float64")], "float64")
    assert_same_run(theirs, ours, [normal(4, *SIZES[axes], kind="float64")], "float64")  # without a batch


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", BACK, ids=str)
def test_transposed_convolution_is_pytorchs(axes: int, options: dict[str, Any]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, f"ConvTranspose{axes}d")(4, 8, 3, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs.double(), ours.double(), [normal(2, 4, *SIZES[axes], kind="float64")], "float64")


def test_a_kernel_may_have_another_size_and_step_along_each_axis() -> None:
    theirs, ours = build_both(lambda nn: nn.Conv2d(3, 5, (2, 3), (1, 2), (0, 1), (2, 1)))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(2, 3, 7, 8)], "float32")


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_convolutions_gradient_is_the_slope(name: str) -> None:
    def program(torch: Any, x: Any, w: Any, b: Any) -> Any:
        return getattr(torch.nn.functional, name)(x, w, b, stride=2, padding=1, dilation=2, groups=2)

    agree_with_differences(program, numbers(2, 4, 5, 6), numbers(4, 2, 2, 3), numbers(4))


def test_few_examples_at_a_time_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    program = lambda torch, x, w: torch.nn.functional.conv2d(x, w, padding=1)  # noqa: E731
    arrays = numbers(5, 2, 6, 6), numbers(3, 2, 3, 3)
    for together in (1, 800, 1 << 20):
        monkeypatch.setattr(convolution, "_COLUMNS", together)
        agree(program, *arrays, names=True)


@pytest.mark.parametrize("layout", ["C", "T", "S"])
def test_convolution_takes_any_memory_order(layout: str) -> None:
    program = lambda torch, x, w: torch.nn.functional.conv2d(x, w)  # noqa: E731
    agree(program, numbers(2, 3, 5, 6), numbers(4, 3, 3, 2), layouts=[layout, layout])


def test_convolution_in_half_precision_adds_in_float32() -> None:
    program = lambda torch, x, w: torch.nn.functional.conv1d(x, w)  # noqa: E731
    agree(program, np.full((1, 300, 8), 1.001, np.float16), np.full((2, 300, 3), 0.1, np.float16))


def test_convolution_of_nothing_is_pytorchs() -> None:
    agree(lambda torch, x, w: torch.nn.functional.conv2d(x, w), np.ones((0, 3, 5, 5)), np.ones((4, 3, 3, 3)))


def test_output_size_of_a_transposed_convolution() -> None:
    theirs, ours = build_both(lambda nn: nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1))
    x = normal(1, 3, 4, 4)
    for size in ([7, 8], [1, 2, 8, 7]):
        assert_close(ours(engine.tensor(x), output_size=size), theirs(pytorch.tensor(x), output_size=size))
    with pytest.raises(ValueError, match=r"requested an output size of \[9, 8\], but valid sizes range from"):
        ours(engine.tensor(x), output_size=[9, 8])
    with pytest.raises(ValueError, match="output_size must have 2 or 4 elements"):
        ours(engine.tensor(x), output_size=[9, 8, 7])


def _conv(**options: Any) -> Any:
    return lambda torch, x, w: torch.nn.functional.conv2d(x, w, **options)


@pytest.mark.parametrize(
    ("options", "x", "w"),
    [
        ({}, (5, 5), (4, 2, 3, 3)),
        ({}, (1, 3, 5, 5), (4, 2, 3, 3)),
        ({}, (1, 2, 5, 5), (4, 2, 7, 3)),
        ({}, (1, 2, 5, 5), (2, 3, 3)),
        ({}, (1, 2, 5, 5), (4, 2, 0, 3)),
        ({"stride": 0}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"stride": (1, 2, 3)}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"padding": -1}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"padding": "full"}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"padding": "same", "stride": 2}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"dilation": 0}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"groups": 0}, (1, 2, 5, 5), (4, 2, 3, 3)),
        ({"groups": 2}, (1, 2, 5, 5), (5, 1, 3, 3)),
    ],
)
def test_an_impossible_convolution_is_refused_as_by_pytorch(options: Any, x: Any, w: Any) -> None:
    same_error(_conv(**options), np.ones(x), np.ones(w))


def test_mixed_number_types_are_refused_as_by_pytorch() -> None:
    x, w, b = (numbers(*shape) for shape in [(1, 2, 5), (3, 2, 2), (3,)])
    program = lambda torch, x, w, b: torch.nn.functional.conv1d(x, w, b)  # noqa: E731
    wrong: list[tuple[Array, ...]] = [
        (x.astype(np.float32), w, b.astype(np.float32)),
        (x, w, b.astype(np.float32)),
        (x.astype(np.int64), w, b),
        (x, w, np.ones(4)),
    ]
    for arrays in wrong:
        same_error(program, *arrays)


@pytest.mark.parametrize("options", [{"output_padding": 1}, {"output_padding": -1}, {"padding": 4}, {"stride": 0}])
def test_an_impossible_transposed_convolution_is_refused_as_by_pytorch(options: dict[str, Any]) -> None:
    program = lambda torch, x, w: torch.nn.functional.conv_transpose2d(x, w, **options)  # noqa: E731
    same_error(program, np.ones((1, 2, 5, 5)), np.ones((2, 3, 3, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding_mode": "mirror"}, "padding_mode must be one of"),
        ({"padding": "full"}, "Invalid padding string 'full'"),
        ({"groups": 0}, "groups must be a positive integer"),
    ],
)
def test_an_impossible_layer_is_refused_as_by_pytorch(options: dict[str, Any], message: str) -> None:
    for nn in (pytorch.nn, engine.nn):
        with pytest.raises(ValueError, match=message):
            nn.Conv2d(4, 4, 3, **options)
        with pytest.raises(ValueError, match='Only "zeros" padding mode is supported for ConvTranspose2d'):
            nn.ConvTranspose2d(4, 4, 3, padding_mode="reflect")


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d"])
def test_kernel_of_one_number_is_pytorchs(name: str, padding: int) -> None:
    axes = int(name[-2])
    theirs, ours = build_both(lambda nn: getattr(nn, name)(3, 5, 1, padding=padding))
    assert_same_run(theirs, ours, [normal(2, 3, *(4, 5, 4)[:axes])], "float32")


def test_output_padding_of_a_transposed_kernel_of_one_number_is_pytorchs() -> None:
    theirs, ours = build_both(lambda nn: nn.ConvTranspose2d(3, 5, 1, dilation=2, output_padding=(1, 0)))
    assert_same_run(theirs, ours, [normal(2, 3, 4, 5)], "float32")


@pytest.mark.parametrize("pad", [0, 2, -1])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_convolution_with_time_first_is_pytorchs(pad: int, kind: str) -> None:
    arrays = [numbers(*shape).astype(kind) for shape in [(6, 2, 3), (3, 3, 4), (4,)]]
    agree(lambda torch, *a: torch.conv_tbc(*a, pad=pad), *arrays, names=True)
    agree(lambda torch, *a: torch.nn.functional.conv_tbc(*a, pad), *arrays)


def test_gradient_of_convolution_with_time_first_is_the_slope() -> None:
    program = lambda torch, x, w, b: torch.conv_tbc(x, w, b, 1)  # noqa: E731
    agree_with_differences(program, numbers(4, 2, 3), numbers(2, 3, 2), numbers(2))
    for time in (1, 0):  # as many steps as the kernel leaves, down to none
        agree(lambda torch, *a: torch.conv_tbc(*a), numbers(time, 2, 3), numbers(time + 1, 3, 2), numbers(2))


@pytest.mark.parametrize(
    "shapes",
    [
        [(5, 2), (2, 3, 4), (4,)],
        [(5, 2, 3), (3, 4), (4,)],
        [(5, 2, 3), (2, 3, 4), (1, 4)],
        [(5, 2, 3), (2, 2, 4), (4,)],
        [(5, 2, 3), (2, 3, 4), (2,)],
        [(1, 2, 3), (4, 3, 4), (4,)],
    ],
)
def test_an_impossible_convolution_with_time_first_is_refused_as_by_pytorch(shapes: list[tuple[int, ...]]) -> None:
    same_error(lambda torch, *a: torch.conv_tbc(*a), *[np.ones(shape) for shape in shapes])


def test_a_convolution_with_time_first_that_leaves_out_all_steps_is_refused_as_by_pytorch() -> None:
    same_error(lambda torch, *a: torch.conv_tbc(*a, -2), np.ones((4, 2, 3)), np.ones((2, 3, 4)), np.ones(4))
