"""Training from a prepared text: every model of streams learns from it, with the losses, units and seals that the text
itself has."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.report.examine import write_run_page
from gradus.report.measure import measure
from gradus.report.train import train_run
from gradus.text import CharTokenizer, prepare
from gradus.training import RunFolder, create_run, reopen, reopen_to_resume, set_up_new, write_beginning

TINY: dict[str, Any] = {"n_embd": 8, "steps": 6, "batch_size": 4, "block_size": 8, "evaluations": 2}
GPT = {"model": "gpt", "n_layer": 1, "n_head": 2, **TINY}
STREAMS = ("ngram", "bigram", "nplm", "mlp", "wavenet", "recurrent", "gpt", "modern")


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    rng = random.Random(1)
    path = tmp_path / "text"
    path.write_text("".join(rng.choice(["the cat ", "sat. ", "On\n", "mats "]) for _ in range(1500)))
    return path


@pytest.fixture
def folder(text_file: Path, tmp_path: Path) -> Path:
    prepare(str(text_file), tmp_path / "prepared", tokenizer="chars", shard_tokens=500)
    return tmp_path / "prepared"


def test_an_untrained_model_has_the_losses_that_it_has_on_the_text(folder: Path, text_file: Path) -> None:
    a, b = (set_up_new({**GPT, "corpus": str(corpus), "kind": "stream"}) for corpus in (folder, text_file))
    for part in ("train", "dev", "test"):
        assert a.size(part) == b.size(part)
        assert evaluate(a.model, a.examples(part)).nats == evaluate(b.model, b.examples(part)).nats


@pytest.mark.parametrize("model", STREAMS)
def test_every_model_of_streams_trains_from_it(folder: Path, tmp_path: Path, model: str) -> None:
    values: dict[str, object] = {"corpus": str(folder), "model": model, "batch_size": 4}
    values |= {} if model == "ngram" else {"steps": 2, "evaluations": 1}
    setup = set_up_new(values)
    run = create_run(setup, tmp_path / model)
    write_beginning(run, setup)
    assert train_run(run, setup).dev_loss is not None
    assert reopen(run).tokenizer.to_json() == setup.tokenizer.to_json()


def test_a_run_goes_on_from_it_as_if_it_had_not_stopped(folder: Path, tmp_path: Path) -> None:
    whole, stopped = (set_up_new({**GPT, "corpus": str(folder), "steps": steps}) for steps in (6, 3))
    runs = [create_run(setup, tmp_path / name) for setup, name in ((whole, "whole"), (stopped, "stopped"))]
    for run, setup in zip(runs, (whole, stopped), strict=True):
        write_beginning(run, setup)
        train_run(run, setup)
    resumed = reopen_to_resume(runs[1], steps=6)
    assert np.array_equal(resumed.batches.batch(5)[0], whole.batches.batch(5)[0])
    assert train_run(runs[1], resumed).step == 6
    found = measure(runs[1])
    assert (found.characters, found.size) == resumed.size("test")
    assert write_run_page(runs[1].path).stat().st_size > 10_000


def test_the_whole_of_it_is_no_text_to_be_measured(folder: Path, text_file: Path, tmp_path: Path) -> None:
    setup = set_up_new({**GPT, "corpus": str(text_file)})
    run = create_run(setup, tmp_path / "run")
    write_beginning(run, setup)
    train_run(run, setup)
    with pytest.raises(
        UserError, match=r"prepared is a prepared text, of which the tokens alone are kept; give the text"
    ):
        measure(run, folder)


def test_another_text_in_the_folder_is_noticed(folder: Path, text_file: Path, tmp_path: Path) -> None:
    setup = set_up_new({**GPT, "corpus": str(folder)})
    run = create_run(setup, tmp_path / "run")
    write_beginning(run, setup)
    for path in folder.iterdir():
        path.unlink()
    text_file.write_text(text_file.read_text().replace("cat", "tac"))
    prepare(str(text_file), folder, tokenizer="chars")
    with pytest.raises(UserError, match=r"prepared is no longer the one that .*run was trained on"):
        reopen(RunFolder.open(run.path))


def test_its_tokenizer_is_the_only_one(folder: Path, tmp_path: Path) -> None:
    CharTokenizer("abc").save(tmp_path / "other.json")
    for given, said in (
        ({"tokenizer": "bpe"}, r"prepared is tokenized already, by CharTokenizer\(.*; leave out tokenizer bpe$"),
        ({"tokenizer": str(tmp_path / "other.json")}, r"leave out tokenizer .*other\.json$"),
        ({"vocab_size": 400}, r"prepared is tokenized already; leave out vocab_size$"),
        ({"kind": "documents"}, r"is a prepared text, a stream, and cannot be read as 'documents'"),
    ):
        with pytest.raises(UserError, match=said):
            set_up_new({**GPT, "corpus": str(folder), **given})
    assert set_up_new({**GPT, "corpus": str(folder), "tokenizer": str(folder)}).config.tokenizer == str(folder)
