"""The learning-rate finder: rates that rise, a loss that falls and then diverges, and a model left as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.models import LanguageModel, build_model
from gradus.training import TrainConfig, find_learning_rate, weights
from gradus.training.optimizer import build_optimizer
from tests.cli.commands import gradus, refused
from tests.training.tiny import TinyBatches, tiny_gpt


def tiny_nplm() -> LanguageModel:
    torch.manual_seed(0)
    return build_model("nplm", vocab_size=13, block_size=8, n_embd=4, n_hidden=16)


@pytest.mark.parametrize(("rule", "low", "high"), [("adamw", 1e-3, 0.1), ("sgd", 0.01, 1.0)])
def test_the_suggestion_is_in_the_range_that_the_rule_is_known_to_need(rule: str, low: float, high: float) -> None:
    config = TrainConfig(optimizer=rule, weight_decay=0.0)  # type: ignore[arg-type]
    model = tiny_nplm()
    before = weights(model)
    sweep = find_learning_rate(model, TinyBatches(), config)
    assert low < sweep.suggestion < high
    assert np.all(np.diff(sweep.rates) > 0)
    assert min(sweep.losses) < sweep.losses[0] - 0.3
    for name, array in weights(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_the_rate_of_muon_keeps_its_ratio_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainConfig(optimizer="muon", learning_rate=0.01, muon_lr=0.05)
    optimizer = build_optimizer(model := tiny_gpt(), config)
    monkeypatch.setattr("gradus.training.find_lr.build_optimizer", lambda *_: optimizer)
    ratios: set[float] = set()

    def look(rate: float, _: float) -> None:
        ratios.update(round(group["lr"] / rate, 9) for group in optimizer.param_groups)

    find_learning_rate(model, TinyBatches(), config, progress=look)
    assert ratios == {1.0, 5.0}


@pytest.mark.parametrize("other", [{"grad_clip": 1e-3}, {"grad_accumulation": 4}])
def test_the_sweep_is_of_the_training_that_is_asked_for(other: dict[str, Any]) -> None:
    plain, changed = (
        find_learning_rate(tiny_nplm(), TinyBatches(), TrainConfig(optimizer="sgd", **settings))
        for settings in ({"grad_clip": 0.0}, {"grad_clip": 0.0, **other})
    )
    assert plain.losses[:20] != changed.losses[:20]


def test_memory_that_does_not_suffice_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class OutOfMemoryError(RuntimeError):
        """What PyTorch raises on a GPU."""

    def full(*_: Any) -> Any:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(model := tiny_nplm(), "forward", full)
    with pytest.raises(UserError, match=r"too little memory .* and batch_size 16; a smaller batch"):
        find_learning_rate(model, TinyBatches(), TrainConfig())


def test_the_command_saves_the_curve_and_prints_a_suggestion(tmp_path: Path) -> None:
    text = tmp_path / "names.txt"
    text.write_text("".join(f"{a}{b}{b}a\n" for a in "abcdefgh" for b in "aeiou"), encoding="utf-8")
    out = gradus("train", text, "--model", "nplm", "--batch-size", "4", "--find-lr", "--out", tmp_path / "sweep").output
    assert "suggestion: --learning-rate 0.0" in out
    assert (tmp_path / "sweep" / "learning-rate.svg").stat().st_size > 1000
    assert list((tmp_path / "sweep").iterdir()) == [tmp_path / "sweep" / "learning-rate.svg"]  # no run
    assert "ngram counts; it has no learning rate" in refused("train", text, "--model", "ngram", "--find-lr")
