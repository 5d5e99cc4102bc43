"""Borders: values, gradients and refusals are PyTorch's, in every mode, also where padding is negative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine
from tests.engine.compare import agree, agree_with_differences, numbers, same_error
from tests.engine.nn_compare import assert_same_run, assert_same_start, build_both, normal

SHAPES = {1: (2, 3, 5), 2: (2, 3, 4, 5), 3: (1, 2, 3, 4, 5)}


def padded(widths: tuple[int, ...], mode: str) -> Any:
    return lambda torch, x: torch.nn.functional.pad(x, widths, mode=mode)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("batched", [True, False])
def test_pad_is_pytorchs(mode: str, axes: int, batched: bool) -> None:
    shape = SHAPES[axes] if batched else SHAPES[axes][1:]
    for widths in [(2, 1, 0, 2, 1, 2), (1, 0, 3, 1, 2, 0), (-1, 2, 1, -1, -1, 2)]:
        agree(padded(widths[: 2 * axes], mode), numbers(*shape), names=mode != "circular")


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_pads_gradient_is_the_slope(mode: str) -> None:
    agree_with_differences(padded((3, 2, -1, 3), mode), numbers(1, 2, 4, 5))


@pytest.mark.parametrize(
    ("shape", "widths", "mode"),
    [
        ((1, 2, 3, 4), (4, 0, 0, 0), "reflect"),
        ((1, 2, 3, 4), (0, 0, 4, 0), "circular"),
        ((1, 2, 3, 4), (1, 1), "reflect"),
        ((4,), (1, 1), "replicate"),
        ((2, 2, 0), (1, 1), "replicate"),
        ((1, 2, 3, 4), (1,), "constant"),
        ((1, 2), (1, 1, 1, 1, 1, 1), "constant"),
        ((1, 2), (1, 1), "mirror"),
        ((2, 3), (-2, -2), "constant"),
    ],
)
def test_a_border_that_does_not_fit_is_refused_as_by_pytorch(shape: Any, widths: Any, mode: str) -> None:
    same_error(padded(widths, mode), np.ones(shape))


def test_a_circular_border_longer_than_what_is_left_is_refused() -> None:
    """PyTorch reads memory that nothing was written to."""
    with pytest.raises(RuntimeError, match="wrapping around more than once"):
        engine.nn.functional.pad(engine.ones(1, 5), (3, -3), mode="circular")


KINDS = ["ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("each", [True, False])
def test_padding_layer_is_pytorchs(kind: str, axes: int, each: bool) -> None:
    widths = (1, 2, 0, 1, 2, 1)[: 2 * axes] if each else 2
    more = (1.5,) if kind == "ConstantPad" else ()
    theirs, ours = build_both(lambda nn: getattr(nn, f"{kind}{axes}d")(widths, *more))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(*SHAPES[axes])], "float32")


def test_pad_keeps_integers() -> None:
    for mode in ("constant", "reflect", "replicate", "circular"):
        agree(padded((1, 2), mode), np.arange(6).reshape(2, 3))
    assert pytorch.nn.functional.pad(pytorch.ones(1, 2), (1, 1), value=None).tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize(("axes", "shape"), [(1, (2, 3, 4, 5)), (2, (3, 4)), (3, (3, 4))])
def test_circular_padding_says_how_many_dimensions_it_wants(axes: int, shape: tuple[int, ...]) -> None:
    layer = getattr(engine.nn, f"CircularPad{axes}d")(3)
    with pytest.raises(ValueError, match=rf"^expected {axes + 1}D or {axes + 2}D input \(got {len(shape)}D input\)$"):
        layer(engine.ones(*shape))
