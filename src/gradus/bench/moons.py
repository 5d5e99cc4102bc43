"""The training step of micrograd's demo, forward and backward: 100 points on two moons, an MLP(2, [16, 16, 1]), SVM
loss and L2; 65,818 nodes.

micrograd runs it with its own Value and MLP, we with ours, eager or compiled.
"""

from __future__ import annotations

import importlib
import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradus import scalar
from gradus.bench.work import Array, Work

POINTS = 100
DECAY = 1e-4
SEED = 1337  # the demo's


def points() -> tuple[Array, Array]:
    """Two moons: (100, 2), and -1 or 1 (100,)."""
    rng = np.random.default_rng(0)
    t = rng.uniform(0, math.pi, POINTS // 2)
    upper, lower = np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
    return np.concatenate([upper, lower]) + rng.normal(0, 0.1, (POINTS, 2)), np.repeat([1, -1], POINTS // 2)


def demo_loss(model: Any, node: Any, X: Array, y: Array) -> Any:
    """The step of micrograd's demo, with this class of nodes."""
    inputs = [list(map(node, xrow)) for xrow in X]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    return data_loss + DECAY * sum(p * p for p in model.parameters())


def network(kind: Any) -> Any:
    """The demo's, of the class MLP that is given."""
    random.seed(SEED)
    return kind(2, [16, 16, 1])


def zero_grad(model: Any) -> None:
    for p in model.parameters():
        p.grad = 0.0


def compiled_loss(model: Any, X: Array, y: Array) -> Callable[[], float]:
    """A step of our MLP: the loss of one point and that of the weights, each compiled once."""
    hinge = scalar.compile(lambda x, y: (1 + -y * model(x)).relu() * (1.0 / POINTS), model)
    decay = scalar.compile(lambda: DECAY * sum((p * p for p in model.parameters()), scalar.Value(0)), model)
    return lambda: float(hinge.batch_backward(X, y).sum()) + decay.backward()


def eager() -> Work:
    """With our Values."""
    return _eager(scalar.MLP, scalar.Value)


def micrograd() -> Work:
    """With micrograd's."""
    return _eager(importlib.import_module("micrograd.nn").MLP, importlib.import_module("micrograd.engine").Value)


def compiled() -> Work:
    """With our Values, compiled."""
    model = network(scalar.MLP)
    backward = compiled_loss(model, *points())

    def step() -> float:
        zero_grad(model)
        return backward()

    return Work({"": step})


def _eager(mlp: Any, node: Any) -> Work:
    model = network(mlp)
    loss_of = partial(demo_loss, model, node, *points())

    def step() -> Any:
        root = loss_of()
        zero_grad(model)
        root.backward()
        return root

    return Work({"": step}, check=lambda root: float(root.data))
