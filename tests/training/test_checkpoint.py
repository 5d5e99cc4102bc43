"""Tensors to bytes and back."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.models import build_model
from gradus.training.checkpoint import (
    generator_state,
    load_optimizer_state,
    load_weights,
    optimizer_state,
    pack,
    set_generator_state,
    unpack,
    weights,
)
from gradus.training.config import TrainConfig
from gradus.training.optimizer import build_optimizer
from tests.training.tiny import TinyBatches, tiny_gpt


def step(model: nn.Module, optimizer: torch.optim.Optimizer, number: int) -> None:
    x, y = TinyBatches().batch(number)
    optimizer.zero_grad()
    model(torch.from_numpy(x), torch.from_numpy(y))[1].backward()
    optimizer.step()


def test_weights_round_trip_bit_for_bit_and_tied_ones_are_saved_once() -> None:
    model, other = tiny_gpt(), tiny_gpt(n_embd=8)
    saved = weights(model)
    assert sum("wte" in name or "lm_head" in name for name in saved) == 1
    assert sum(array.size for array in saved.values()) == model.num_parameters()
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    load_weights(other, unpack(pack(saved, {}), "here")[0])
    assert {name: array.tobytes() for name, array in weights(other).items()} == {
        name: array.tobytes() for name, array in saved.items()
    }
    assert other.lm_head.weight is other.transformer.wte.weight


def test_saved_weights_are_copies() -> None:
    model = tiny_gpt()
    saved = weights(model)
    before = {name: array.copy() for name, array in saved.items()}
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    assert all(np.array_equal(saved[name], before[name]) for name in saved)


def test_counts_of_an_ngram_round_trip() -> None:
    counted = build_model("ngram", vocab_size=13, block_size=8, order=2)
    x, y = TinyBatches().batch(0)
    counted.count(x, y)
    fresh = build_model("ngram", vocab_size=13, block_size=8, order=2)
    load_weights(fresh, unpack(pack(weights(counted), {}), "here")[0])
    assert (
        fresh(torch.from_numpy(x), torch.from_numpy(y))[1].item()
        == counted(torch.from_numpy(x), torch.from_numpy(y))[1].item()
    )


def test_weights_of_another_model_are_refused_in_one_line() -> None:
    with pytest.raises(
        UserError, match=r"the weights do not fit the model: transformer.h.1\S* is in only one of the two"
    ):
        load_weights(tiny_gpt(), weights(tiny_gpt(n_layer=2)))
    with pytest.raises(UserError, match="the weights do not fit the model") as error:
        load_weights(tiny_gpt(), weights(tiny_gpt(n_embd=16)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("rule", ["adamw", "adam", "sgd"])
def test_an_optimizer_goes_on_exactly_from_its_saved_memory(rule: str) -> None:
    config = TrainConfig(optimizer=rule, momentum=0.9, learning_rate=0.01)  # type: ignore[arg-type]
    model = tiny_gpt(dropout=0.0)
    optimizer = build_optimizer(model, config)
    for number in range(3):
        step(model, optimizer, number)
    arrays, numbers = optimizer_state(optimizer)
    arrays, about = unpack(pack(arrays, {"numbers": numbers}), "here")
    other = tiny_gpt(dropout=0.0)
    load_weights(other, weights(model))
    resumed = build_optimizer(other, config)
    load_optimizer_state(resumed, arrays, about["numbers"])
    for number in range(3, 6):
        step(model, optimizer, number)
        step(other, resumed, number)
    assert {n: a.tobytes() for n, a in weights(model).items()} == {n: a.tobytes() for n, a in weights(other).items()}


def test_the_generator_draws_the_same_after_its_state_is_put_back() -> None:
    torch.manual_seed(3)
    torch.randn(5)
    state = generator_state()
    first = torch.randn(20).tolist()
    set_generator_state(state)
    assert torch.randn(20).tolist() == first


def test_the_same_arrays_give_the_same_bytes_in_any_order() -> None:
    a, b = np.arange(3, dtype=np.float32), np.zeros((2, 2))
    assert pack({"a": a, "b": b}, {"model": "gpt", "x": 1}) == pack({"b": b, "a": a}, {"model": "gpt", "x": 1})


def test_damaged_foreign_and_later_files_are_told_apart() -> None:
    good = pack({"a": np.zeros(3)}, {"model": "gpt"})
    assert unpack(good, "m")[1]["model"] == "gpt"
    for bad in (b"", b"not tensors at all", good[:-1], good[: len(good) // 2]):
        with pytest.raises(UserError, match=r"^m is damaged, or no safetensors file"):
            unpack(bad, "m")
    with pytest.raises(UserError, match=r"^m is not a gradus checkpoint"):
        unpack(safetensors.numpy.save({"a": np.zeros(3)}), "m")
    with pytest.raises(UserError, match=r"^m is not a gradus checkpoint"):
        unpack(safetensors.numpy.save({"a": np.zeros(3)}, metadata={"format": "pt"}), "m")
    with pytest.raises(UserError, match="please update gradus"):
        unpack(pack({"a": np.zeros(3)}, {"format": 99}), "m")
