"""A mixture as a run: made of a network's run, whole without it, and the same after an interruption."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models import Mixture
from gradus.training import (
    RunFolder,
    Setup,
    load_model,
    progress_of,
    reopen,
    reopen_to_resume,
    set_up,
    set_up_mixture,
    train,
    train_setup,
    weights,
    write_beginning,
)

GPT = {"model": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8, "batch_size": 4, "block_size": 16, "steps": 30}


def trained(setup: Setup, folder: Path) -> RunFolder:
    run = RunFolder(folder)
    if not run.has_checkpoint:
        run = RunFolder.create(folder)
        write_beginning(run, setup)
    dev = setup.rows("dev")
    train_setup(setup, run, evaluate=lambda model: evaluate(model, dev).nats)
    return run


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text("she sells sea shells by the sea shore; he sells tea by the shore. " * 40, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def network(text: str, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained(set_up({"corpus": text, **GPT}), tmp_path_factory.mktemp("runs") / "gpt")


def loss(run: RunFolder, part: Any = "test") -> float:
    return evaluate(load_model(run), reopen(run).rows(part)).nats


def test_a_mixture_is_better_than_its_network_and_a_run_of_its_own(network: RunFolder, tmp_path: Path) -> None:
    source = tmp_path / "gpt"
    shutil.copytree(network.path, source)
    setup = set_up_mixture({"model": "mixture", "of": str(source), "order": 4})
    seconds = setup.seconds_before
    assert seconds == progress_of(network).seconds > 0
    run = trained(setup, tmp_path / "mixed")
    shutil.rmtree(source)
    assert loss(run, "dev") < loss(network, "dev")
    assert loss(run) < loss(network)
    counted = set_up({"corpus": network.settings()["corpus"], "model": "ngram", "order": 4, "block_size": 16})
    train(counted.model, counted.batches, counted.config)
    for name, array in weights(counted.model).items():
        np.testing.assert_array_equal(weights(load_model(run))[f"ngram.{name}"], array)
    assert progress_of(run).seconds > seconds
    mixed, alone = weights(load_model(run)), weights(load_model(network))
    assert all(np.array_equal(mixed[f"network.{name}"], alone[name]) for name in alone)
    with pytest.raises(UserError, match="there is no run in"):
        set_up_mixture({"model": "mixture", "of": str(source)})


def test_a_mixture_that_was_interrupted_while_counting_ends_up_the_same(
    network: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"model": "mixture", "of": str(network.path), "order": 3}
    whole = trained(set_up_mixture(values), tmp_path / "whole")
    setup = set_up_mixture(values)
    monkeypatch.setattr(setup.model, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(setup, tmp_path / "stopped")
    again = trained(reopen_to_resume(RunFolder.open(tmp_path / "stopped")), tmp_path / "stopped")
    assert again.read("model.safetensors") == whole.read("model.safetensors")
    again.update(reported=True)
    with pytest.raises(UserError, match="has counted all its text"):
        reopen_to_resume(again)


def test_a_mixture_that_ended_before_it_began_to_count_still_has_its_network(
    network: RunFolder, tmp_path: Path
) -> None:
    setup = set_up_mixture({"model": "mixture", "of": str(network.path), "order": 3})
    run = RunFolder.create(tmp_path / "mixed")
    write_beginning(run, setup)
    again = trained(reopen_to_resume(RunFolder.open(run.path)), run.path)
    mixed, alone = weights(load_model(again)), weights(load_model(network))
    assert all(np.array_equal(mixed[f"network.{name}"], alone[name]) for name in alone)
    assert progress_of(again).seconds > progress_of(network).seconds


def test_a_mixture_keeps_the_text_that_its_network_read_from_a_pipe(text: str, tmp_path: Path) -> None:
    setup = replace(set_up({"corpus": text, **GPT, "steps": 2}), keeps_text=True)
    source = trained(setup, tmp_path / "gpt")
    setup = set_up_mixture({"model": "mixture", "of": str(source.path), "order": 3})
    run = RunFolder.create(tmp_path / "mixed")
    write_beginning(run, setup)
    shutil.rmtree(source.path)
    assert reopen(run).corpus.text == Path(text).read_text(encoding="utf-8")


@pytest.mark.parametrize("tokenizer", [{}, {"tokenizer": "bpe", "vocab_size": 270}])
def test_a_mixture_of_documents_without_its_network_is_the_counts(tokenizer: dict[str, Any], tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{a}{b}{b}{a}an\n" for a in "abcdefgh" for b in "aeiou"), encoding="utf-8")
    asked = {"corpus": str(names), **tokenizer}
    source = trained(set_up({**asked, "model": "bigram", "steps": 2}), tmp_path / "bigram")
    run = trained(set_up_mixture({"model": "mixture", "of": str(source.path), "order": 4}), tmp_path / "mixed")
    counts = trained(set_up({**asked, "model": "ngram", "order": 4}), tmp_path / "counts")
    mixture, rows = load_model(run), reopen(run).rows("dev")
    assert isinstance(mixture, Mixture)
    mixture.weight = torch.zeros_like(mixture.weight)
    assert evaluate(mixture, rows).nats == pytest.approx(evaluate(load_model(counts), rows).nats, abs=1e-12)


def interrupted(_: object) -> None:
    raise KeyboardInterrupt


def test_a_mixture_reads_its_network_s_tokens_and_no_others(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"tokenizer": "words", "vocab_size": 9, "min_count": 2, "lower": True}
    source = trained(set_up({"corpus": text, **GPT, **words, "steps": 2}), tmp_path / "words")
    of = {"model": "mixture", "of": str(source.path)}
    setup = set_up_mixture(of)
    assert {name: getattr(setup.config, name) for name in words} == words
    assert set_up_mixture({**of, **words}).config == setup.config
    for name, other in {"vocab_size": 8, "min_count": 3, "lower": False}.items():
        with pytest.raises(UserError, match=f"^{name} is .*, as the network in .* has it, and cannot be {other}$"):
            set_up_mixture({**of, name: other})
    monkeypatch.chdir(tmp_path)
    path = trained(set_up({"corpus": text, **GPT, "tokenizer": "words/tokenizer.json", "steps": 2}), tmp_path / "path")
    setup = set_up_mixture({"model": "mixture", "of": str(path.path), "tokenizer": "words/tokenizer.json"})
    assert setup.config.tokenizer == str(tmp_path / "words" / "tokenizer.json")
    with pytest.raises(UserError, match="vocab_size is the default, as the network in"):
        set_up_mixture({"model": "mixture", "of": str(path.path), "vocab_size": 9})


def test_what_cannot_be_mixed_is_said_in_one_line(network: RunFolder, text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a mixture needs a trained network; say of which run, by --of RUN"):
        set_up_mixture({"model": "mixture"})
    of = {"model": "mixture", "of": str(network.path)}
    with pytest.raises(UserError, match=r"block_size is 16, as the network in .* has it, and cannot be 32"):
        set_up_mixture({**of, "block_size": 32})
    with pytest.raises(UserError, match=r"corpus is .*, and cannot be names"):
        set_up_mixture({**of, "corpus": "names"})
    with pytest.raises(UserError, match=r"network is \{.*, and cannot be gpt"):
        set_up_mixture({**of, "network": "gpt"})
    carried = {**GPT, "model": "recurrent", "carry": True, "n_embd": 8, "n_hidden": 8}
    lstm = trained(set_up({"corpus": text, **{k: v for k, v in carried.items() if k != "n_head"}}), tmp_path / "lstm")
    with pytest.raises(UserError, match="carries its state over the text; a mixture needs one without carry"):
        set_up_mixture({"model": "mixture", "of": str(lstm.path)})
    counts = trained(set_up({"corpus": text, "model": "ngram", "order": 2}), tmp_path / "counts")
    with pytest.raises(UserError, match="is a counting model itself; a mixture needs a trained network"):
        set_up_mixture({"model": "mixture", "of": str(counts.path)})
