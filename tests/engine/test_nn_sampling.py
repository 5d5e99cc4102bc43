"""`affine_grid` and `grid_sample` give PyTorch's values, gradients, warnings and errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.compare import agree_with_differences, numbers
from tests.engine.nn_compare import assert_close, normal

SETTINGS = [
    (mode, padding, aligned)
    for mode, padding, aligned in itertools.product(
        ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (True, False)
    )
]


@pytest.mark.parametrize(("mode", "padding", "aligned"), SETTINGS)
def test_grid_sample_is_pytorchs_inside_and_outside(mode: str, padding: str, aligned: bool) -> None:
    picture, volume = ((2, 3, 4, 5), (2, 5, 3, 2)), ((2, 3, 3, 4, 5), (2, 2, 3, 3, 3))
    cases = [(*picture, "float32"), (*picture, "float64"), *([] if mode == "bicubic" else [(*volume, "float32")])]
    for shape, out, kind in cases:
        results = []
        for t in (torch, engine):
            x = t.tensor(normal(*shape, kind=kind), requires_grad=True)
            grid = t.tensor(normal(*out, kind=kind, seed=2) * 1.2, requires_grad=True)
            y = t.nn.functional.grid_sample(x, grid, mode, padding, aligned)
            (y * t.tensor(normal(*y.shape, kind=kind, seed=3))).sum().backward()
            results.append((y, x.grad, grid.grad))
        for a, b in zip(results[1], results[0], strict=True):
            assert_close(a, b, kind)


@pytest.mark.parametrize(("mode", "padding", "aligned"), [s for s in SETTINGS if s[0] != "nearest"])
def test_gradients_of_grid_sample_by_finite_differences(mode: str, padding: str, aligned: bool) -> None:
    def sample(t: Any, x: Any, grid: Any) -> Any:
        return t.nn.functional.grid_sample(x, grid, mode, padding, aligned)

    agree_with_differences(sample, numbers(1, 2, 3, 4), numbers(1, 2, 3, 2, seed=1))


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 1, 2, 3, 2), (2, 3, 1, 5)])
@pytest.mark.filterwarnings("ignore:Since version 1.3.0")
def test_affine_grid_is_pytorchs(size: tuple[int, ...], aligned: bool) -> None:
    n = len(size) - 2
    results = []
    for t in (torch, engine):
        theta = t.tensor(normal(2, n, n + 1), requires_grad=True)
        y = t.nn.functional.affine_grid(theta, size, aligned)
        (y * t.tensor(normal(*y.shape))).sum().backward()
        results.append((y, theta.grad))
    for a, b in zip(results[1], results[0], strict=True):
        assert_close(a, b)


def test_a_spatial_transformer_turns_a_picture() -> None:
    picture = engine.arange(9.0).reshape(1, 1, 3, 3)
    quarter = engine.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    grid = engine.nn.functional.affine_grid(quarter, (1, 1, 3, 3), align_corners=True)
    turned = engine.nn.functional.grid_sample(picture, grid, align_corners=True)
    np.testing.assert_allclose(turned.numpy()[0, 0], np.rot90(picture.numpy()[0, 0]), atol=1e-6)


def test_places_that_are_no_numbers() -> None:
    for padding, bad in itertools.product(("zeros", "border", "reflection"), (np.nan, np.inf)):
        if (padding, bad) == ("reflection", np.inf):
            continue
        ys = []
        for t in (torch, engine):
            grid = t.full((1, 1, 1, 2), bad)
            x = t.tensor(normal(1, 2, 3, 4))
            ys.append(t.nn.functional.grid_sample(x, grid, padding_mode=padding, align_corners=False))
        assert_close(ys[1], ys[0])


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("batch", lambda t: sample(t, (2, 3, 4, 5), (1, 2, 3, 2))),
    ("last axis", lambda t: sample(t, (2, 3, 4, 5), (2, 2, 3, 1))),
    ("axes", lambda t: sample(t, (2, 3, 4), (2, 2, 1))),
    ("dtype", lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.zeros(1, 1, 1, 2).double())),
    ("empty", lambda t: sample(t, (2, 3, 0, 5), (2, 2, 3, 2))),
    ("cubic volume", lambda t: sample(t, (2, 3, 4, 5, 6), (2, 2, 3, 4, 3), mode="bicubic")),
    ("mode", lambda t: sample(t, (2, 3, 4, 5), (2, 2, 3, 2), mode="x")),
    ("padding", lambda t: sample(t, (2, 3, 4, 5), (2, 2, 3, 2), padding_mode="x")),
    ("theta", lambda t: t.nn.functional.affine_grid(t.zeros(2, 2), [2, 3, 4, 4])),
    ("theta 3d", lambda t: t.nn.functional.affine_grid(t.zeros(2, 2, 3), [2, 3, 4, 4, 4])),
    ("integers", lambda t: t.nn.functional.affine_grid(t.zeros(2, 2, 3).long(), [2, 3, 4, 4])),
    ("size", lambda t: t.nn.functional.affine_grid(t.zeros(2, 2, 3), [2, 3, 4])),
    ("nothing", lambda t: t.nn.functional.affine_grid(t.zeros(2, 2, 3), [2, 3, 4, 0])),
]


def sample(t: Any, shape: tuple[int, ...], grid: tuple[int, ...], **options: Any) -> Any:
    return t.nn.functional.grid_sample(t.ones(shape), t.zeros(grid), align_corners=False, **options)


@pytest.mark.filterwarnings("ignore:Default grid_sample and affine_grid behavior")
@pytest.mark.parametrize(("name", "call"), BAD, ids=[name for name, _ in BAD])
def test_misuse_is_refused_in_pytorchs_words(name: str, call: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises((ValueError, RuntimeError, NotImplementedError)) as expected:
        call(torch)
    with pytest.raises(expected.type) as got:
        call(engine)
    assert str(got.value) == str(expected.value)


def test_the_change_of_the_default_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="Default grid_sample and affine_grid behavior has changed"):
        engine.nn.functional.affine_grid(engine.zeros(1, 2, 3), [1, 1, 2, 2])


def test_pictures_of_integers_are_refused() -> None:
    picture = engine.zeros(1, 1, 2, 2).long()
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        engine.nn.functional.grid_sample(picture, engine.zeros(1, 1, 1, 2), align_corners=True)
