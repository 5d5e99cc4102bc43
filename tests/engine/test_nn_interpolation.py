"""Pictures in other sizes, windows as columns, channels as places: values, gradients and refusals are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import agree, agree_with_differences, numbers, same_error
from tests.engine.nn_compare import assert_same_run, assert_same_start, build_both

SIZES = {1: (7,), 2: (5, 7), 3: (4, 5, 6)}
MODES = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}


def call(name: str, *more: Any, **options: Any) -> Any:
    return lambda torch, x: getattr(torch.nn.functional, name)(x, *more, **options)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("target", [{"size": 4}, {"size": 9}, {"scale_factor": 2.3}, {"scale_factor": 0.6}], ids=str)
def test_interpolate_is_pytorchs(axes: int, target: dict[str, Any]) -> None:
    x = numbers(2, 3, *SIZES[axes])
    for mode in ("nearest", "nearest-exact", "area"):
        agree(call("interpolate", mode=mode, **target), x)
    for mode in MODES[axes]:
        for corners in (True, False):
            agree(call("interpolate", mode=mode, align_corners=corners, **target), x, names=True)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(2, 3), (9, 4), (5, 7)])
def test_antialiased_interpolation_is_pytorchs(mode: str, size: tuple[int, int]) -> None:
    agree(call("interpolate", mode=mode, antialias=True, size=size), numbers(2, 3, 5, 7), names=True)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_interpolations_gradient_is_the_slope(mode: str) -> None:
    agree_with_differences(call("interpolate", mode=mode, size=(3, 7)), numbers(1, 2, 4, 3))


def test_recomputed_scale_is_that_of_the_sizes() -> None:
    x = numbers(1, 1, 5, 5)
    for again in (True, False):
        agree(call("interpolate", scale_factor=2.3, mode="bilinear", recompute_scale_factor=again), x)


def test_nearest_keeps_infinity_where_it_is() -> None:
    x = numbers(1, 1, 4, 4)
    x[0, 0, 1, 1] = np.inf
    for mode in ("nearest", "bilinear"):
        agree(call("interpolate", scale_factor=2, mode=mode), x, gradients=mode == "nearest")


def test_interpolation_of_bytes_and_half_precision() -> None:
    x = np.arange(36, dtype=np.uint8).reshape(1, 1, 6, 6)
    agree(call("interpolate", size=4, mode="nearest"), x)
    agree(call("interpolate", size=4, mode="bilinear"), numbers(1, 1, 6, 6).astype(np.float16))


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 2, 4, 4), {}),
        ((1, 2, 4, 4), {"size": 3, "scale_factor": 2}),
        ((1, 2, 4, 4), {"size": (3, 3, 3)}),
        ((1, 2, 4, 4), {"scale_factor": (2, 2, 2)}),
        ((1, 2, 4, 4), {"size": 3.5}),
        ((1, 2, 4, 4), {"size": 0}),
        ((1, 2, 4, 4), {"size": 3, "mode": "linear"}),
        ((1, 2, 4), {"size": 3, "mode": "bilinear"}),
        ((1, 2, 4, 4), {"size": 3, "mode": "quadratic"}),
        ((1, 2, 4, 4), {"size": 3, "align_corners": True}),
        ((1, 2, 4, 4), {"size": 3, "recompute_scale_factor": True}),
        ((1, 2, 4), {"size": 3, "antialias": True, "mode": "linear"}),
        ((1, 2, 4, 4), {"size": 3, "mode": "lanczos"}),
        ((1, 0, 4, 4), {"size": 3}),
        ((4, 4), {"size": 3}),
    ],
    ids=str,
)
def test_impossible_interpolation_is_refused_as_by_pytorch(shape: Any, options: dict[str, Any]) -> None:
    same_error(call("interpolate", **options), np.ones(shape))


def test_upsampling_layers_are_pytorchs() -> None:
    for build in (
        lambda nn: nn.Upsample(scale_factor=2),
        lambda nn: nn.Upsample(size=(3, 9), mode="bicubic", align_corners=True),
        lambda nn: nn.UpsamplingNearest2d(scale_factor=(2, 3)),
        lambda nn: nn.UpsamplingBilinear2d(size=4),
    ):
        theirs, ours = build_both(build)
        assert_same_start(theirs, ours)
        assert_same_run(theirs, ours, [numbers(2, 3, 4, 5)], "float64")


COLUMNS: list[dict[str, Any]] = [
    {},
    {"padding": 1, "stride": 2},
    {"dilation": (1, 2), "padding": (2, 0), "stride": (1, 2)},
]


@pytest.mark.parametrize("options", COLUMNS, ids=str)
def test_unfold_and_fold_are_pytorchs(options: dict[str, Any]) -> None:
    x = numbers(2, 3, 6, 7)
    agree(call("unfold", (2, 3), **options), x, names=False)
    agree(call("unfold", (2, 3), **options), x[0])
    agree_with_differences(call("unfold", 2, **options), x[:1, :1])
    columns = pytorch.nn.functional.unfold(pytorch.tensor(x), (2, 3), **options).numpy()
    agree(call("fold", (6, 7), (2, 3), **options), columns)
    for build in (lambda nn: nn.Unfold((2, 3), **options), lambda nn: nn.Fold((6, 7), (2, 3), **options)):
        theirs, ours = build_both(build)
        assert_same_start(theirs, ours)
        assert_same_run(theirs, ours, [x if "Unfold" in repr(theirs) else columns], "float64")
    assert engine.nn.functional.unfold(engine.ones(0, 3, 6, 7), 2).shape == (0, 12, 30)


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [
        ("unfold", (1, 4, 6, 6), (7,)),
        ("unfold", (1, 4, 6, 6), (0,)),
        ("unfold", (1, 4, 6, 6), (3, 0)),
        ("unfold", (1, 4, 6, 6), (3, 1, -1)),
        ("fold", (1, 36, 16), ((5, 6), 3)),
        ("fold", (1, 5, 16), ((6, 6), 3)),
        ("fold", (16,), ((6, 6), 3)),
        ("pixel_shuffle", (1, 4, 6, 6), (3,)),
        ("pixel_shuffle", (1, 4, 6, 6), (0,)),
        ("pixel_shuffle", (6, 6), (2,)),
        ("pixel_unshuffle", (1, 4, 6, 6), (4,)),
        ("pixel_unshuffle", (1, 4, 6, 6), (-1,)),
        ("channel_shuffle", (1, 4, 6, 6), (3,)),
        ("channel_shuffle", (4, 6), (2,)),
        ("channel_shuffle", (1, 4, 6), (0,)),
    ],
)
def test_impossible_arrangements_are_refused_as_by_pytorch(name: str, shape: Any, arguments: Any) -> None:
    same_error(call(name, *arguments), np.ones(shape))


@pytest.mark.parametrize(
    ("name", "shape"), [("PixelShuffle", (2, 8, 3, 4)), ("PixelUnshuffle", (3, 6, 4)), ("ChannelShuffle", (2, 6, 3))]
)
def test_shuffles_are_pytorchs(name: str, shape: tuple[int, ...]) -> None:
    theirs, ours = build_both(lambda nn: getattr(nn, name)(2))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [numbers(*shape)], "float64")
