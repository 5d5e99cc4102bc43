"""Every model on both backends: the same seed gives the same losses, step after step, on our engine and on PyTorch.

Run as a program, it prints the losses of all models on the backend that GRADUS_BACKEND names."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gradus.backend import torch
from gradus.training import TrainConfig
from gradus.training.optimizer import build_optimizer
from tests.models.test_contract import BLOCK, CASES, V, small

GRADIENT = [name for name in CASES if name.split(":")[0] not in ("ngram", "mixture")]


def losses(name: str, optimizer: str = "adamw", steps: int = 5) -> list[float]:
    """The loss at each of some steps on random rows, some of whose targets are not scored."""
    model = small(name)
    config = TrainConfig(optimizer=optimizer, learning_rate=0.01)  # type: ignore[arg-type]
    rule = build_optimizer(model, config)
    found = []
    for step in range(steps):
        random = np.random.default_rng(step)
        x, y = random.integers(V, size=(2, 4, BLOCK))
        y[random.random(y.shape) < 0.2] = -1
        rule.zero_grad()
        _, loss = model(torch.from_numpy(x), torch.from_numpy(y))
        loss.backward()
        rule.step()
        found.append(loss.item())
    return found


def of_all() -> dict[str, list[float]]:
    return {**{name: losses(name) for name in GRADIENT}, "modern, muon": losses("modern", "muon")}


@functools.cache
def on_pytorch() -> dict[str, list[float]]:
    environment = {**os.environ, "GRADUS_BACKEND": "torch"}
    command = [sys.executable, "-m", "tests.models.test_backends"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("name", [*GRADIENT, "modern, muon"])
def test_both_backends_take_the_same_steps(name: str) -> None:
    ours = losses("modern", "muon") if name == "modern, muon" else losses(name)
    assert ours == pytest.approx(on_pytorch()[name], abs=1e-4)
    assert len(set(ours)) == len(ours)


if __name__ == "__main__":
    print(json.dumps(of_all()))
