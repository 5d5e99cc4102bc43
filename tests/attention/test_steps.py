"""Attention in steps: the exact small case, NumPy and tensors alike, and what breaks without a step."""

from __future__ import annotations

import doctest
import math
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from gradus import attention
from gradus import engine as torch
from gradus.attention import (
    attend,
    average_by_loop,
    average_by_matrix,
    average_by_softmax,
    cross,
    head,
    heads,
    heads_not_joined,
    mask_later,
    masked_after_softmax,
    score_variance,
    scores,
    softmax,
    unscaled,
)

Floats = np.ndarray[Any, np.dtype[np.float64]]


def normal(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(size=shape)


def small_case() -> tuple[Floats, Floats, Floats]:
    np.random.seed(0)
    x = np.arange(24).reshape(3, 8) / 10
    w_qkv = np.random.randn(8, 24) * 0.1
    return x, w_qkv, np.random.randn(8, 8) * 0.1


def test_the_small_case_has_its_exact_numbers() -> None:
    y, weights = heads(*small_case(), 2)
    first = [
        [0.35121047, 0.33301926, 0.31577027],
        [0.3941276, 0.32983769, 0.27603472],
        [0.43779081, 0.32336396, 0.23884523],
    ]
    second = [
        [0.34888355, 0.33309517, 0.31802128],
        [0.36126351, 0.33257387, 0.30616261],
        [0.37375301, 0.33176068, 0.29448631],
    ]
    np.testing.assert_allclose(weights, [first, second], rtol=0, atol=1e-8)
    rows = [
        [0.0608911, 0.02471983, -0.020168, 0.02229383, 0.07512484, -0.08934128, 0.10791178, 0.06078265],
        [0.05993629, 0.02242831, -0.02307834, 0.0223724, 0.07781563, -0.08519628, 0.10293843, 0.05715852],
    ]
    np.testing.assert_allclose(y[[0, 2]], rows, rtol=0, atol=1e-8)


def test_the_small_case_has_its_exact_numbers_where_tokens_see_none_that_come_later() -> None:
    y, weights = heads(*small_case(), 2, causal=True)
    row = [0.01632125, 0.01191576, -0.01108093, 0.01628491, 0.03624028, -0.03418244, 0.02139668, 0.00843235]
    np.testing.assert_allclose(y[0], row, rtol=0, atol=1e-8)
    np.testing.assert_allclose(weights[0, 1], [0.54440124, 0.45559876, 0], rtol=0, atol=1e-8)


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (2, 4, 3)])
def test_the_mean_of_what_came_before_is_the_same_in_three_ways(shape: tuple[int, ...]) -> None:
    x = normal(0, *shape)
    expected = np.cumsum(x, axis=-2) / np.arange(1, shape[-2] + 1)[:, None]
    whole = np.array([[2], [4], [9]])  # integers have averages that are none
    np.testing.assert_allclose(average_by_loop(whole)[0], [[2], [3], [5]])
    for average in (average_by_loop, average_by_matrix, average_by_softmax):
        y, weights = average(x)
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weights @ x, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weights.sum(axis=1), 1)


CALLS: dict[str, tuple[Any, list[tuple[int, ...]], dict[str, Any]]] = {
    "average_by_loop": (average_by_loop, [(2, 4, 6)], {}),
    "average_by_matrix": (average_by_matrix, [(2, 4, 6)], {}),
    "average_by_softmax": (average_by_softmax, [(2, 4, 6)], {}),
    "scores": (lambda q, k: (scores(q, k), softmax(scores(q, k))), [(2, 4, 6), (2, 5, 6)], {}),
    "mask_later": (lambda s: (mask_later(s), softmax(mask_later(s))), [(2, 4, 4)], {}),
    "attend": (attend, [(2, 4, 6), (2, 5, 6), (2, 5, 3)], {}),
    "attend, causal": (attend, [(4, 6), (4, 6), (4, 3)], {"causal": True}),
    "head": (head, [(2, 4, 6), (6, 3), (6, 3), (6, 3)], {"causal": True}),
    "heads": (heads, [(2, 4, 6), (6, 18), (6, 6)], {"n_head": 3}),
    "cross": (cross, [(2, 4, 6), (2, 5, 6), (6, 6), (6, 12), (6, 6)], {"n_head": 2}),
    "unscaled": (unscaled, [(4, 6), (4, 6), (4, 3)], {"causal": True}),
    "masked_after_softmax": (masked_after_softmax, [(4, 6), (4, 6), (4, 3)], {}),
    "heads_not_joined": (heads_not_joined, [(4, 6), (6, 18)], {"n_head": 2}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("backend", ["gradus.engine", "torch"])
def test_arrays_and_tensors_give_the_same(name: str, backend: str) -> None:
    tensors = pytest.importorskip(backend)
    function, shapes, settings = CALLS[name]
    arrays = [normal(i, *shape) for i, shape in enumerate(shapes)]
    expected = function(*arrays, **settings)
    found = function(*(tensors.tensor(array) for array in arrays), **settings)
    for a, b in zip(found, expected, strict=True):
        assert isinstance(b, np.ndarray)
        np.testing.assert_allclose(a.numpy(), b, rtol=0, atol=1e-12)


def test_every_public_function_is_among_them() -> None:
    tested = {name.split(",")[0] for name in CALLS} | {"softmax", "score_variance"}
    assert set(attention.__all__) == tested


def test_heads_are_single_heads_side_by_side_and_joined() -> None:
    x, w_qkv, w_o = normal(0, 5, 6), normal(1, 6, 18), normal(2, 6, 6)
    y, weights = heads(x, w_qkv, w_o, 2, causal=True)
    parts = [[w_qkv[:, 6 * i + 3 * h : 6 * i + 3 * h + 3] for i in range(3)] for h in range(2)]
    singles = [head(x, *part, causal=True) for part in parts]
    np.testing.assert_allclose(y, np.concatenate([single for single, _ in singles], axis=1) @ w_o, atol=1e-12)
    np.testing.assert_allclose(weights, [w for _, w in singles], atol=1e-12)


def test_cross_attention_to_oneself_is_self_attention() -> None:
    x, w_qkv, w_o = normal(0, 5, 6), normal(1, 6, 18), normal(2, 6, 6)
    for a, b in zip(cross(x, x, w_qkv[:, :6], w_qkv[:, 6:], w_o, 2), heads(x, w_qkv, w_o, 2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_gradients_flow_through_every_step() -> None:
    x, w_qkv, w_o = (torch.tensor(array, requires_grad=True) for array in small_case())
    y, _ = heads(x, w_qkv, w_o, 2, causal=True)
    (y**2).sum().backward()
    step, place = 1e-6, (2, 3)
    losses = []
    for sign in (1, -1):
        moved = small_case()[1]
        moved[place] += sign * step
        losses.append((heads(small_case()[0], moved, small_case()[2], 2, causal=True)[0] ** 2).sum())
    assert w_qkv.grad is not None
    assert w_qkv.grad[place].item() == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("head_size", [4, 16, 64, 256])
def test_the_variance_of_scores_is_the_head_size_and_scaled_it_is_one(head_size: int) -> None:
    without, scaled = score_variance(head_size)
    assert without == pytest.approx(head_size, rel=0.06)  # four standard errors
    assert scaled == pytest.approx(without / head_size)


def test_without_the_scale_one_token_gets_nearly_all_and_hardly_any_gradient_is_left() -> None:
    q, k, v = normal(0, 3, 50, 256)
    largest, gradient = [], []
    for function, scale in ((attend, None), (unscaled, 1.0)):
        largest.append(function(q, k, v)[1].max(axis=1).mean())
        fits = torch.tensor(scores(q, k, scale=scale), requires_grad=True)
        (softmax(fits) @ torch.tensor(v)).square().sum().backward()
        assert fits.grad is not None
        gradient.append(float(np.median(np.abs(fits.grad.numpy()))))
    assert largest[0] < 0.2 < 0.8 < largest[1]
    assert gradient[1] < gradient[0] / 100


def test_with_the_mask_after_the_softmax_rows_do_not_sum_to_one_and_the_past_knows_the_future() -> None:
    q, k, v = normal(0, 3, 6, 4)
    other = k.copy()
    other[5] += 1  # the last token says something else
    right, changed = (attend(q, keys, v, causal=True)[0] for keys in (k, other))
    np.testing.assert_array_equal(right[:5], changed[:5])
    wrong, weights = masked_after_softmax(q, k, v)
    assert (weights.sum(axis=1)[:-1] < 1).all()
    assert (np.abs(wrong[:5] - masked_after_softmax(q, other, v)[0][:5]).max(axis=1) > 1e-3).all()
    np.testing.assert_allclose(weights / weights.sum(axis=1, keepdims=True), attend(q, k, v, causal=True)[1])


def test_without_the_joining_matrix_no_number_comes_from_two_heads() -> None:
    x, w_qkv, w_o = normal(0, 5, 8), normal(1, 8, 24), normal(2, 8, 8)
    other = w_qkv.copy()
    other[:, 16:20] += 1  # the values of the first head
    apart = np.abs(heads_not_joined(x, w_qkv, 2)[0] - heads_not_joined(x, other, 2)[0]).max(axis=0)
    assert (apart[:4] > 0.1).all()
    assert not apart[4:].any()
    joined = np.abs(heads(x, w_qkv, w_o, 2)[0] - heads(x, other, w_o, 2)[0]).max(axis=0)
    assert (joined > 0.01).all()


def test_softmax_takes_numbers_of_any_size() -> None:
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0, -math.inf])), [0.5, 0.5, 0])


@pytest.mark.parametrize("module", ["", ".averages", ".steps", ".mistakes"])
def test_the_examples_print_what_they_say(module: str) -> None:
    names = {"np": np, "attend": attend, "head": head, "unscaled": unscaled}
    result = doctest.testmod(import_module(f"gradus.attention{module}"), extraglobs=names)
    assert result.attempted
    assert not result.failed
