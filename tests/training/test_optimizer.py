"""The optimizer that a configuration asks for: what decays, and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.models import LanguageModel, build_model
from gradus.training.checkpoint import load_optimizer_state, load_weights, optimizer_state, weights
from gradus.training.config import TrainConfig
from gradus.training.optimizer import build_optimizer, hidden_matrices, set_learning_rate
from tests.training.tiny import TinyBatches, tiny_gpt


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


@pytest.mark.parametrize("vocab_size", [11, 48, 64])  # as many rows as c_attn and c_fc have, too
def test_muon_takes_the_hidden_matrices_and_adamw_embeddings_head_and_vectors(vocab_size: int) -> None:
    model = build_model(
        "modern", vocab_size=vocab_size, block_size=8, n_layer=2, n_head=2, n_embd=16, value_embeddings=True
    )
    optimizer = build_optimizer(model, TrainConfig(optimizer="muon", muon_lr=0.05, learning_rate=0.01))
    names = {id(p): name for name, p in model.named_parameters()}
    by_rate = {
        group["peak_lr"]: {names[id(p)].split(".")[-2] for p in group["params"] if p.dim() == 2}
        for group in optimizer.param_groups[:2]
    }
    assert by_rate == {0.05: {"c_attn", "c_proj", "c_fc"}, 0.01: {"wte", "lm_head", "value_embedding"}}
    assert sum(p.numel() for group in optimizer.param_groups for p in group["params"]) == model.num_parameters()


@pytest.mark.parametrize(("name", "labels"), [("transformer", {}), ("encoder", {}), ("encoder", {"n_labels": 3})])
def test_muon_leaves_only_embeddings_and_heads_of_other_models_to_adamw(name: str, labels: dict[str, int]) -> None:
    model = build_model(name, vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=16, **labels)
    taken = {id(p) for p in hidden_matrices(model)}
    outside = {name for name, p in model.named_parameters() if p.dim() == 2 and id(p) not in taken}
    assert (
        outside
        == {
            "transformer": {"embedding.weight"},
            "encoder": {"embedding.weight", "positions.weight", *(["classifier.weight"] if labels else [])},
        }[name]
    )


def test_both_learning_rates_follow_the_schedule() -> None:
    config = TrainConfig(optimizer="muon", muon_lr=0.05, learning_rate=0.01, schedule="linear", warmup=0.0)
    optimizer = build_optimizer(tiny_gpt(), config)
    assert set_learning_rate(optimizer, config, 0.5) == pytest.approx(0.01 * 0.515)
    assert {group["lr"] for group in optimizer.param_groups} == {0.05 * 0.515, 0.01 * 0.515}


def test_muon_with_adamw_goes_on_from_its_saved_state_as_if_never_stopped() -> None:
    config = TrainConfig(optimizer="muon")

    def steps(model: LanguageModel, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
        for step in range(first, last):
            x, y = TinyBatches().batch(step)
            optimizer.zero_grad()
            model(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
            optimizer.step()

    model = tiny_gpt(dropout=0.0)
    optimizer = build_optimizer(model, config)
    steps(model, optimizer, 0, 3)
    again = tiny_gpt(dropout=0.0)
    load_weights(again, weights(model))
    resumed = build_optimizer(again, config)
    load_optimizer_state(resumed, *optimizer_state(optimizer))
    for network, rule in ((model, optimizer), (again, resumed)):
        set_learning_rate(rule, config, 0.7)
        steps(network, rule, 3, 6)
    for name, array in weights(model).items():
        np.testing.assert_array_equal(array, weights(again)[name])


def test_with_nothing_but_embeddings_muon_is_adamw() -> None:
    model = build_model("bigram", vocab_size=5, block_size=4)
    groups = build_optimizer(model, TrainConfig(optimizer="muon")).param_groups
    assert [group["peak_lr"] for group in groups] == [3e-3, 3e-3]
