"""Training on pairs, labels and hidden tokens: what is refused, what is scored, resuming, and fine-tuning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models import inference
from gradus.text import EndlessPairs, ExampleBatches, Labelled, Masked, Pairs
from gradus.training import (
    RunFolder,
    Setup,
    create_run,
    labels_of,
    load_model,
    reopen,
    reopen_to_resume,
    set_up_new,
    train_setup,
    weights,
    write_beginning,
)
from gradus.training.recipes import recipe

SMALL: dict[str, Any] = {"n_layer": 1, "n_head": 2, "n_embd": 16, "tokenizer": "chars", "batch_size": 8}


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.tsv"
    lines = [f"{i} and {i % 7}\tthe {i % 7} of {i}\n{i} and {i % 7}\tof {i} the {i % 7}\n" for i in range(40)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def moods_file(tmp_path: Path) -> Path:
    path = tmp_path / "moods.tsv"
    words = {"sad": "grey rain", "glad": "blue sky", "mad": "red fire"}
    lines = [f"{label}\t{text} {i}{'!' * (i % 5)}\n" for i in range(30) for label, text in words.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def trained(values: dict[str, Any], path: Path) -> tuple[Setup, RunFolder]:
    setup = set_up_new(values)
    run = create_run(setup, path)
    write_beginning(run, setup)
    dev = setup.examples("dev")
    train_setup(setup, run, evaluate=lambda model: evaluate(model, dev).nats)
    return setup, run


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"corpus": "reverse", "model": "gpt"},
            "gpt learns from text; reverse is pairs, for --model transformer",
        ),
        (
            {"corpus": "pydocs", "model": "transformer"},
            "transformer learns from a file of lines source TAB target, or reverse; pydocs is a stream of text, for "
            "--model ngram or bigram or nplm",
        ),
        (
            {"corpus": "sort", "model": "encoder"},
            "encoder learns from a file of lines label TAB text, or docstrings; sort is pairs, for --model transformer",
        ),
        ({"corpus": "pydocs", "model": "gpt", "masked": True}, "masked is for the encoder; gpt hides no tokens"),
        ({"corpus": "pydocs", "model": "gpt", "swap": True}, "pydocs has no two sides that could be swapped"),
        (
            {"corpus": "reverse", "model": "transformer", "block_size": 8},
            "a source of reverse has 11 tokens with its ends, more than block_size 8",
        ),
        (
            {"corpus": "reverse", "model": "transformer", "schedule": "inverse-sqrt", "warmup": 0.0},
            "warmup must be greater than 0 with the schedule inverse-sqrt, got 0.0",
        ),
    ],
)
def test_what_does_not_suit_the_model_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        set_up_new(values)


def test_what_a_model_is_trained_and_scored_on_follows_the_text(pairs_file: Path, moods_file: Path) -> None:
    made = set_up_new({"corpus": "reverse", "model": "transformer", **SMALL})
    assert isinstance(made.batches, EndlessPairs)
    assert made.model.block_size == 12
    pairs = set_up_new({"corpus": str(pairs_file), "model": "transformer", **SMALL})
    assert isinstance(pairs.batches, ExampleBatches)
    scored = pairs.examples("dev")
    assert isinstance(scored, Pairs)
    assert len(scored) == 2 * len(pairs.splits.dev.documents) == 8
    # Every character of a target and its end.
    assert scored.scored == sum(len(target) + 1 for _, target in pairs.splits.dev.pairs())
    labelled = set_up_new({"corpus": str(moods_file), "model": "encoder", **SMALL})
    assert isinstance(labelled.examples("test"), Labelled)
    assert labelled.labels == ("glad", "mad", "sad")
    masked = set_up_new({"corpus": str(moods_file), "model": "encoder", "masked": True, **SMALL})
    assert isinstance(masked.examples("test"), Masked)
    assert masked.labels == ()
    with pytest.raises(UserError, match="encoder reads whole texts: no window has to slide"):
        masked.examples("test", stride=2)


def test_swapped_pairs_are_the_other_direction(pairs_file: Path, tmp_path: Path) -> None:
    values = {"corpus": str(pairs_file), "model": "transformer", "steps": 1, **SMALL}
    there, back = (set_up_new({**values, "swap": swap}) for swap in (False, True))
    assert len(there.corpus.documents) == 40
    assert len(back.corpus.documents) == 80
    assert {pair[::-1] for pair in there.corpus.pairs()} == set(back.corpus.pairs())
    run = create_run(back, tmp_path / "run")
    write_beginning(run, back)
    assert reopen(run).corpus == back.corpus
    kept = replace(back, keeps_text=True)  # as from a pipe
    run = create_run(kept, tmp_path / "kept")
    write_beginning(run, kept)
    assert reopen(run).corpus.targets == back.corpus.targets


def test_loss_over_a_split_is_the_mean_over_its_target_tokens_in_any_batch(pairs_file: Path) -> None:
    setup = set_up_new({"corpus": str(pairs_file), "model": "transformer", **SMALL})
    model, tokenizer = setup.model, setup.tokenizer
    total = 0.0
    with inference(model):
        for source, target in setup.splits.test.pairs():
            x = torch.tensor([[*tokenizer.encode(source).tolist(), 0]])
            y = torch.tensor([[0, *tokenizer.encode(target).tolist(), 0]])
            _, loss = model(x, y)
            assert loss is not None
            total += loss.item() * (len(target) + 1)
    for size in (3, 64):
        score = evaluate(model, setup.examples("test"), batch_size=size)
        assert score.count == setup.size("test")[0]
        assert score.total == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("model", ["transformer", "encoder", "encoder: masked"])
def test_resumed_training_is_that_of_not_stopping(
    model: str, pairs_file: Path, moods_file: Path, tmp_path: Path
) -> None:
    values: dict[str, Any] = {"corpus": str(pairs_file if model == "transformer" else moods_file)}
    values |= {
        "model": model.split(":")[0],
        "masked": "masked" in model,
        "schedule": "constant",
        "warmup": 0.0,
        **SMALL,
    }
    whole, _ = trained({**values, "steps": 6}, tmp_path / "whole")
    _, run = trained({**values, "steps": 3}, tmp_path / "parts")
    setup = reopen_to_resume(RunFolder.open(run.path), steps=6)
    dev = setup.examples("dev")
    train_setup(setup, run, evaluate=lambda model: evaluate(model, dev).nats)
    for (name, a), b in zip(weights(whole.model).items(), weights(setup.model).values(), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_masked_pre_training_gives_a_classifier_all_but_its_head(moods_file: Path, tmp_path: Path) -> None:
    values = {"corpus": str(moods_file), "model": "encoder", "steps": 3, "dropout": 0.0, **SMALL}
    before, run = trained({**values, "masked": True}, tmp_path / "masked")
    assert labels_of(run) == ()
    given = {"corpus": str(moods_file), "model": "encoder", "steps": 3, "init_from": str(run.path)}
    setup = set_up_new(given)
    assert setup.labels == ("glad", "mad", "sad")
    assert setup.tokenizer.to_json() == before.tokenizer.to_json()
    old, new = weights(load_model(run)), weights(setup.model)
    same = {name for name in new if name in old and np.array_equal(old[name], new[name])}
    assert {name for name in new if not name.startswith(("head.", "classifier."))} <= same
    assert "head.0.weight" not in same
    tuned, folder = trained(given, tmp_path / "tuned")
    assert labels_of(folder) == ("glad", "mad", "sad")
    again = set_up_new({**given, "init_from": str(folder.path)})  # the same labels: the head, too
    for name, array in weights(again.model).items():
        np.testing.assert_array_equal(array, weights(load_model(folder))[name], err_msg=name)
    assert tuned.config.learning_rate == before.config.learning_rate  # the head is new
    assert again.config.learning_rate == pytest.approx(0.1 * before.config.learning_rate)
    del run, before
    assert reopen(folder).labels == ("glad", "mad", "sad")


def test_recipe_of_a_named_corpus_comes_before_that_of_its_kind() -> None:
    assert recipe("transformer", "sort", "pairs")["n_layer"] == 2
    assert recipe("transformer", "/home/me/sort", "pairs")["tokenizer"] == "bpe"
    assert recipe("gpt", "names", "documents") == recipe("gpt", "words", "documents")
