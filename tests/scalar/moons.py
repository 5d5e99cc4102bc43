"""Two interleaved half circles, and the loss of micrograd's demo on them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gradus.scalar import MLP, Value


def moons() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """100 points (100, 2), and on which moon each is, -1 or 1 (100,)."""
    rng = np.random.default_rng(0)
    t = rng.uniform(0, math.pi, 50)
    upper, lower = np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
    return np.concatenate([upper, lower]) + rng.normal(0, 0.1, (100, 2)), np.repeat([1, -1], 50)


def loss(model: MLP, X: NDArray[np.float64], y: NDArray[np.int64]) -> Value:
    """As the demo writes it: SVM max-margin loss, and L2 regularisation."""
    inputs = [list(map(Value, xrow)) for xrow in X]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    return data_loss + reg_loss
