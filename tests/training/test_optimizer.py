"""The optimizer that a configuration asks for: what decays, and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import build_model
from gradus.training.config import TrainConfig
from gradus.training.optimizer import build_optimizer
from tests.training.tiny import tiny_gpt


def test_weight_decay_pulls_on_matrices_only_and_each_parameter_is_optimized_once() -> None:
    model = tiny_gpt(bias=True)
    groups = build_optimizer(model, TrainConfig(weight_decay=0.3)).param_groups
    decay = {p.dim() for group in groups if group["weight_decay"] == 0.3 for p in group["params"]}
    rest = {p.dim() for group in groups if group["weight_decay"] == 0.0 for p in group["params"]}
    assert (decay, rest) == ({2}, {1})
    assert sum(p.numel() for group in groups for p in group["params"]) == model.num_parameters()


@pytest.mark.parametrize(
    ("rule", "rate", "penalized"), [("adam", 0.05, True), ("sgd", 5.0, True), ("adamw", 0.05, False)]
)
def test_what_adam_and_sgd_arrive_at_is_the_minimum_of_the_loss_with_an_l2_penalty(
    rule: Any, rate: float, penalized: bool
) -> None:
    model = build_model("bigram", vocab_size=5, block_size=1)
    optimizer = build_optimizer(model, TrainConfig(optimizer=rule, weight_decay=0.01))
    x, y = (torch.from_numpy(ids) for ids in np.random.default_rng(0).integers(5, size=(2, 40, 1)))
    for left in np.linspace(1, 0, 1000):
        for group in optimizer.param_groups:
            group["lr"] = rate * left
        optimizer.zero_grad()
        model(x, y)[1].backward()
        optimizer.step()
    slope = {p.dim(): p.grad.numpy() for p in model.parameters() if p.grad is not None}  # at the end: lr was 0
    assert np.abs(slope[1]).max() < 1e-5  # nothing pulls on the bias
    assert (np.abs(slope[2] + 0.01 * model.table.weight.detach().numpy()).max() < 1e-5) == penalized
