"""Every model on both backends: the same seed gives the same losses, step after step, on our engine and on PyTorch.

Run as a program, it prints the losses of all models on the backend that GRADUS_BACKEND names."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import LanguageModel, build_model
from gradus.training import TrainConfig
from gradus.training.optimizer import build_optimizer
from tests.models.test_contract import BLOCK, CASES, V, small

SIZE: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 16}
OTHERS: dict[str, dict[str, Any]] = {  # models of pairs and labels
    "transformer": SIZE,
    "transformer: as in the paper": {**SIZE, "norm": "post"},
    "transformer: without cross-attention, learned positions": {
        **SIZE,
        "cross_attention": False,
        "position_encoding": "learned",
    },
    "encoder": SIZE,
    "encoder: labels": {**SIZE, "n_labels": 3, "norm": "post", "pool": "first"},
}
GRADIENT = [*(name for name in CASES if name.split(":")[0] not in ("ngram", "mixture")), *OTHERS]


def other(name: str) -> LanguageModel:
    torch.manual_seed(1)
    return build_model(name.split(":")[0], vocab_size=V, block_size=BLOCK, **OTHERS[name])


def batch(name: str, step: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Random rows, some of whose targets are not scored; of the models of pairs and labels, some with padding."""
    random = np.random.default_rng(step)
    x, y = random.integers(V, size=(2, 4, BLOCK))
    if name in OTHERS:
        x[1:3, 5:] = -1
    if name.startswith("transformer"):
        y[2:, 6:] = -1
    else:
        y[random.random(y.shape) < 0.2] = -1
    return x, random.integers(3, size=4) if name == "encoder: labels" else y


def losses(name: str, optimizer: str = "adamw", steps: int = 5) -> list[float]:
    """The loss at each of some steps on random rows."""
    model = other(name) if name in OTHERS else small(name)
    config = TrainConfig(optimizer=optimizer, learning_rate=0.01)  # type: ignore[arg-type]
    rule = build_optimizer(model, config)
    found = []
    for step in range(steps):
        x, y = batch(name, step)
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
