"""A mixture as a run: made of a network's run, whole without it, and the same after an interruption."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.evaluation import evaluate
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


def interrupted(_: object) -> None:
    raise KeyboardInterrupt


def test_what_cannot_be_mixed_is_said_in_one_line(network: RunFolder, text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a mixture needs a trained network; say of which run, by --of RUN"):
        set_up_mixture({"model": "mixture"})
    of = {"model": "mixture", "of": str(network.path)}
    with pytest.raises(UserError, match=r"block_size is 16, as the network in .* has it, and cannot be 32"):
        set_up_mixture({**of, "block_size": 32})
    with pytest.raises(UserError, match=r"corpus is .*, and cannot be names"):
        set_up_mixture({**of, "corpus": "names"})
    carried = {**GPT, "model": "recurrent", "carry": True, "n_embd": 8, "n_hidden": 8}
    lstm = trained(set_up({"corpus": text, **{k: v for k, v in carried.items() if k != "n_head"}}), tmp_path / "lstm")
    with pytest.raises(UserError, match="carries its state over the text; a mixture needs one without carry"):
        set_up_mixture({"model": "mixture", "of": str(lstm.path)})
    counts = trained(set_up({"corpus": text, "model": "ngram", "order": 2}), tmp_path / "counts")
    with pytest.raises(UserError, match="is a counting model itself; a mixture needs a trained network"):
        set_up_mixture({"model": "mixture", "of": str(counts.path)})
