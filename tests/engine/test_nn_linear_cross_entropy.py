"""A classifier's last layer together with its loss gives PyTorch's values, gradients, printed form and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradus.engine as engine
from tests.engine.nn_compare import Array, assert_same_run, assert_same_start, build_both, normal

CLASSES = np.array([1, 4, 0])
CASES: list[tuple[dict[str, Any], tuple[int, ...], Array]] = [
    ({}, (3, 6), CLASSES),
    ({"bias": True, "reduction": "none", "ignore_index": 4}, (3, 6), CLASSES),
    ({"label_smoothing": 0.1, "reduction": "sum"}, (3, 6), CLASSES),
    ({"bias": True}, (6,), np.array(3)),
    ({"out_features": (2,), "bias": True}, (3, 6), np.array([[0, 1], [2, 3], [4, 0]])),
    ({}, (3, 6), np.full((3, 5), 0.2, np.float32)),
]


@pytest.mark.parametrize(("options", "shape", "target"), CASES, ids=[str(options) for options, _, _ in CASES])
def test_linear_cross_entropy_is_pytorchs(options: dict[str, Any], shape: tuple[int, ...], target: Array) -> None:
    theirs, ours = build_both(lambda nn: nn.LinearCrossEntropyLoss(6, 5, **options))
    assert_same_start(theirs, ours)
    assert_same_run(theirs, ours, [normal(*shape), target], "float32")


def call(t: Any, shape: tuple[int, ...], weight: tuple[int, ...], target: Any = 0, **options: Any) -> Any:
    return t.nn.functional.linear_cross_entropy(t.ones(shape), t.ones(weight), t.tensor(target), **options)


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("input", lambda t: call(t, (2, 3, 4), (5, 4))),
    ("weight", lambda t: call(t, (2, 3), (3,))),
    ("features", lambda t: call(t, (2, 3), (5, 4))),
    ("bias", lambda t: call(t, (2, 3), (5, 3), linear_bias=t.ones(4))),
    ("unbatched", lambda t: call(t, (3,), (5, 2, 3))),
    ("ignored", lambda t: call(t, (3,), (2, 3), [0.5, 0.5], ignore_index=1)),
    ("class weights", lambda t: t.nn.LinearCrossEntropyLoss(3, 5, weight=t.ones(4))),
    ("smoothing", lambda t: t.nn.LinearCrossEntropyLoss(3, 5, label_smoothing=1.5)),
]


@pytest.mark.parametrize(("name", "wrong"), BAD, ids=[name for name, _ in BAD])
def test_misuse_is_refused_in_pytorchs_words(name: str, wrong: Callable[[Any], Any]) -> None:
    del name
    with pytest.raises(RuntimeError) as expected:
        wrong(torch)
    with pytest.raises(RuntimeError) as got:
        wrong(engine)
    assert str(got.value) == str(expected.value)
