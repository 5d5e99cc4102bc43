"""Fine-tuning: a run that begins with another's weights, sizes and tokenizer; and GPT-2's presets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models import GPTConfig
from gradus.training import RunFolder, load_model, read_toml, reopen, set_up_new, train_setup, weights, write_beginning
from gradus.training.presets import PRESETS, with_preset

GPT = {"model": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8, "batch_size": 4, "block_size": 16, "steps": 30}


def trained(folder: Path, **values: object) -> RunFolder:
    setup = set_up_new(values)
    run = RunFolder.create(folder)
    write_beginning(run, setup)
    dev = setup.rows("dev")
    train_setup(setup, run, evaluate=lambda model: evaluate(model, dev).nats)
    return run


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "sea.txt").write_text("she sells sea shells by the sea shore; he sells tea by the shore. " * 40)
    (folder / "tea.txt").write_text("he sells tea; she lets the sea be by the shore. " * 40)
    return str(folder / "sea.txt"), str(folder / "tea.txt")


@pytest.fixture(scope="module")
def source(texts: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained(tmp_path_factory.mktemp("runs") / "sea", corpus=texts[0], **GPT)


def test_it_begins_with_the_runs_best_weights_and_its_tokenizer(texts: tuple[str, str], source: RunFolder) -> None:
    setup = set_up_new({"corpus": texts[1], "init_from": str(source.path), "steps": 1})
    before, now = weights(load_model(source)), weights(setup.model)
    assert before.keys() == now.keys()
    assert all(np.array_equal(before[name], now[name]) for name in before)
    assert setup.tokenizer.to_json().encode() == source.read("tokenizer.json")
    assert setup.config.learning_rate == pytest.approx(0.1 * 1.5e-3)  # of the recipe that trained it


def test_a_shorter_block_keeps_the_first_positions(texts: tuple[str, str], source: RunFolder) -> None:
    setup = set_up_new({"corpus": texts[1], "init_from": str(source.path), "block_size": 10})
    name = "transformer.wpe.weight"
    assert np.array_equal(weights(setup.model)[name], weights(load_model(source))[name][:10])
    with pytest.raises(UserError, match=r"block_size must be at most 16, as .* has it, got 17"):
        set_up_new({"corpus": texts[1], "init_from": str(source.path), "block_size": 17})


def test_a_tuned_run_is_a_run_like_any_other(texts: tuple[str, str], source: RunFolder, tmp_path: Path) -> None:
    run = trained(tmp_path / "tuned", corpus=texts[1], init_from=str(source.path), steps=20, learning_rate=1e-3)
    scratch = trained(tmp_path / "scratch", corpus=texts[1], **{**GPT, "steps": 20, "learning_rate": 1e-3})
    losses = [evaluate(load_model(r), reopen(r).rows("test")).nats for r in (run, scratch)]
    assert losses[0] < losses[1]
    again = set_up_new(read_toml(run.path / "config.toml"))  # as `gradus train --config` does
    assert again.config == reopen(run).config


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n_layer": 2}, "n_layer is 1, as .* has it, and cannot be 2"),
        ({"model": "mlp"}, "model is gpt, as .* has it, and cannot be mlp"),
        ({"tokenizer": "bpe"}, "tokenizer is .*, as .* has it, and cannot be bpe"),
        ({"preset": "gpt2"}, "the sizes are those of .*, and no preset's"),
        ({"init_from": "gpt2"}, "gpt2 must be a run first: gradus import gpt2"),
        ({"init_from": "nowhere"}, "there is no run in nowhere"),
    ],
)
def test_what_does_not_fit_the_run_is_refused(
    texts: tuple[str, str], source: RunFolder, values: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        set_up_new({"corpus": texts[1], "init_from": str(source.path), **values})


def test_a_counting_model_has_no_weights_to_begin_with(texts: tuple[str, str], tmp_path: Path) -> None:
    counts = trained(tmp_path / "counts", corpus=texts[0], model="ngram", block_size=16)
    with pytest.raises(UserError, match="is a counting model"):
        set_up_new({"corpus": texts[1], "init_from": str(counts.path)})


# Presets


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("gpt2", 124_439_808), ("gpt2-medium", 354_823_168), ("gpt2-large", 774_030_080), ("gpt2-xl", 1_557_611_200)],
)
def test_the_presets_are_gpt2s_sizes(name: str, parameters: int) -> None:
    sizes = {key: value for key, value in PRESETS[name].items() if key in GPTConfig.__dataclass_fields__}
    assert GPTConfig(vocab_size=50_257, **sizes).parameters == parameters  # type: ignore[arg-type]


def test_what_is_given_replaces_what_the_preset_says(texts: tuple[str, str]) -> None:
    small = {"n_layer": 1, "n_head": 1, "n_embd": 4, "block_size": 8, "tokenizer": "chars"}
    setup = set_up_new({"corpus": texts[0], "preset": "gpt2", "steps": 5, **small})
    assert isinstance(setup.model.config, GPTConfig)
    assert (setup.model.config.n_layer, setup.model.config.bias, setup.config.beta2) == (1, True, 0.95)


def test_a_preset_is_of_the_gpt() -> None:
    with pytest.raises(UserError, match="the preset gpt2-xl is of the model gpt, not of modern"):
        with_preset({"preset": "gpt2-xl", "model": "modern"})


def test_an_encoders_block_may_be_shorter_and_the_tokenizers_settings_are_the_runs(
    texts: tuple[str, str], tmp_path: Path
) -> None:
    sizes = {"n_layer": 1, "n_head": 2, "n_embd": 8, "batch_size": 4, "steps": 2}
    words = {"tokenizer": "words", "min_count": 2, "block_size": 9}
    run = trained(tmp_path / "e", corpus=texts[0], model="encoder", **sizes, **words)
    assert set_up_new({"corpus": texts[1], "init_from": str(run.path), "block_size": 5}).model.block_size == 5
    with pytest.raises(UserError, match="block_size must be at most 9"):
        set_up_new({"corpus": texts[1], "init_from": str(run.path), "block_size": 99})
    for name, value in (("min_count", 9), ("vocab_size", 7), ("lower", True)):
        with pytest.raises(UserError, match=f"{name} is .*, as .* has it, and cannot be"):
            set_up_new({"corpus": texts[1], "init_from": str(run.path), name: value})
