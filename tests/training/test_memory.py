"""The memory that a training needs is reckoned and said before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradus.models import MODELS, build_model
from gradus.models.config import BigramConfig, GPTConfig, NGramConfig
from gradus.training import TrainConfig, memory, set_up
from tests.cli.commands import refused

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("bigram", {}),
    ("nplm", {}),
    ("nplm", {"context": 2, "n_embd": 5, "n_hidden": 7, "direct": True}),
    ("mlp", {}),
    ("wavenet", {}),
    ("wavenet", {"design": "dilated", "n_layer": 2}),
    ("recurrent", {"cell": "gru", "n_layer": 2}),
    ("modern", {"n_head": 4, "n_kv_head": 2}),
    ("gpt", {"n_layer": 2, "n_head": 2, "n_embd": 8}),
    ("gpt", {"n_layer": 1, "n_head": 2, "n_embd": 12, "bias": True}),
    ("transformer", {"n_layer": 2}),
    ("transformer", {"n_layer": 1, "norm": "post", "position_encoding": "learned"}),
    ("encoder", {"n_layer": 2}),
    ("encoder", {"n_layer": 1, "norm": "post", "n_hidden": 24, "n_segments": 2, "n_labels": 3}),
]


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_a_configuration_knows_how_many_parameters_its_model_has(name: str, settings: dict[str, Any]) -> None:
    sizes = {"vocab_size": 11, "block_size": 6, **settings}
    assert MODELS[name][0](**sizes).parameters == sum(p.numel() for p in build_model(name, **sizes).parameters())


def test_twenty_thousand_characters_are_too_many_for_a_bigram_and_not_for_a_gpt() -> None:
    config = TrainConfig(model="bigram")
    assert 13e9 < memory.estimate(config, BigramConfig(20_000, 64)) < 25e9  # 11 times 20,000 x 20,000 float32
    assert memory.estimate(config, BigramConfig(65, 64)) < 100e6
    assert memory.estimate(TrainConfig(), GPTConfig(20_000, 64)) < 2e9
    assert memory.estimate(TrainConfig(model="ngram"), NGramConfig(20_000, 64)) < 4e9
    sgd = TrainConfig(model="bigram", optimizer="sgd")
    assert memory.estimate(sgd, BigramConfig(20_000, 64)) < memory.estimate(config, BigramConfig(20_000, 64)) / 1.8


def test_a_training_that_needs_more_than_is_free_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text"
    text.write_text("".join(chr(0x4E00 + i % 900) for i in range(9000)), encoding="utf-8")
    monkeypatch.setattr(memory, "available", lambda: 30_000_000)
    message = refused("train", text, "--model", "bigram", "--out", tmp_path / "run")
    assert message.startswith(
        "training bigram on a vocabulary of 900 tokens (810,900 parameters) will need about 80 MB of memory, and "
        "30 MB are free; choose a smaller model or batch"
    )
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(memory, "available", lambda: 150_000_000)
    set_up({"corpus": str(text), "model": "bigram"})
    assert "will need about 80 MB" in capsys.readouterr().err
    monkeypatch.setattr(memory, "available", lambda: None)
    set_up({"corpus": str(text), "model": "bigram"})
    assert capsys.readouterr().err == ""


def test_sizes_that_no_machine_has_are_refused_at_once(tmp_path: Path) -> None:
    if memory.available() is None:
        pytest.skip("the system does not tell")
    (tmp_path / "words").write_text("\n".join(map(str, range(100, 300))), encoding="utf-8")
    for flags in (("--n-embd", 10**7), ("--n-layer", 10**9), ("--block-size", 10**12)):
        assert "will need about" in refused("train", tmp_path / "words", *flags)
    assert "will need about" in refused("train", tmp_path / "words", "--model", "ngram", "--order", 10**9)


def test_what_linux_says_is_read() -> None:
    free = memory.available()
    assert free is None or 1 << 20 < free < 1 << 50
