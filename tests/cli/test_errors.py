"""Bad input: each kind gives one clear line and exit status 2."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from gradus.training import RunFolder
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stream(tmp_path_factory.mktemp("text"))


@pytest.fixture
def run(text: Path, tmp_path: Path) -> Path:
    """A finished run of two steps."""
    assert gradus("train", text, *SMALL, "--steps", 2, "--out", tmp_path / "run").exit_code == 0
    return tmp_path / "run"


def test_no_such_corpus_names_the_nearest() -> None:
    assert refused("train", "shakspeare") == "no corpus or file named 'shakspeare'; did you mean 'shakespeare'?"


def test_an_empty_file_one_that_is_not_utf8_and_one_too_short(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    assert "empty" in refused("train", tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes("café\n".encode("latin-1") * 100)
    assert "UTF-8" in refused("train", tmp_path / "latin.txt")
    short = write_stream(tmp_path, characters=600)
    message = refused("train", short, "--steps", 1, "--out", tmp_path / "run")
    assert "block_size 64 needs 65" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--n-embd", "wide"], "n_embd must be a whole number, got 'wide'"),
        (["--learning-rate", "fast"], "learning_rate must be a number, got 'fast'"),
        (
            ["--schedule", "cosin"],
            "schedule must be one of cosine, linear, wsd, inverse-sqrt, step, constant, got 'cosin'",
        ),
        (["--batch-size", "0"], "batch_size must be at least 1, got 0"),
        (["--n-embd", "10", "--n-head", "4"], "n_embd must be a multiple of n_head, got n_embd 10 and n_head 4"),
        (["--model", "gtp"], "there is no model 'gtp'; there are ngram, bigram, nplm"),
        (["--model", "ngram", "--direct"], "direct is a setting of nplm, not of ngram"),
        (["--steps", "2", "--minutes", "1"], "the budget is steps or minutes, not both: got steps 2 and minutes 1"),
        (["--n-laier", "2"], "train has no --n-laier; did you mean --n-layer?"),
        (["--model", "ngram", "--order", "10", "--block-size", "8"], "block_size must be at least that, got 8"),
    ],
)
def test_unknown_ill_typed_and_unfit_flags(text: Path, flags: list[str], message: str) -> None:
    assert message in refused("train", text, *flags)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("n_laier = 2", "unknown setting n_laier; did you mean n_layer?"),
        ("learning_rate = 'fast'", "learning_rate must be a number, got 'fast'"),
        ("n_layer = 2.5", "n_layer must be a whole number, got 2.5"),
        ("model = 'gpt'\ndirect = true", "direct is a setting of nplm, not of gpt"),
        ("[training]\nsteps = 2", "unknown setting training"),
        ("steps = ", "is not a TOML file"),
    ],
)
def test_unknown_and_ill_typed_settings_in_a_file(text: Path, tmp_path: Path, toml: str, message: str) -> None:
    (tmp_path / "settings.toml").write_text(toml, encoding="utf-8")
    assert message in refused("train", text, "--config", tmp_path / "settings.toml")
    assert "cannot read the settings" in refused("train", text, "--config", tmp_path / "none.toml")


def test_a_run_folder_that_exists_says_how_to_go_on(text: Path, run: Path) -> None:
    message = refused("train", text, *SMALL, "--steps", 2, "--out", run)
    assert message == f"{run} already exists; resume it by gradus train --resume {run}, or choose another folder as out"


def test_a_prompt_with_an_unknown_character(run: Path) -> None:
    assert "unknown character 'é' at position 3" in refused("sample", run, "--prompt", "caté")


def test_a_temperature_that_no_one_can_draw_with(run: Path) -> None:
    assert "--temperature" in refused("sample", run, "--temperature", -1)
    assert "--top-p" in refused("sample", run, "--top-p", 1.1)


def test_worst_before_the_run_takes_it_for_its_number(run: Path) -> None:
    assert refused("eval", "--worst", run) == (
        f"--worst takes a number of positions, got '{run}'; RUN goes before --worst"
    )
    assert "0 is not in the range x>=1" in refused("eval", run, "--worst", 0)


@pytest.mark.parametrize("flag", ["--page", "--diagnose"])
def test_finding_a_learning_rate_leaves_no_run_to_show(text: Path, tmp_path: Path, flag: str) -> None:
    message = refused("train", text, *SMALL, "--steps", 2, "--find-lr", flag, "--out", tmp_path / "none")
    assert message == f"--find-lr trains no run; leave out {flag}"
    assert not (tmp_path / "none").exists()


def test_a_count_without_smoothing_that_knows_nothing_to_follow(tmp_path: Path) -> None:
    text = write_documents(tmp_path)
    flags = ("--model", "ngram", "--order", 6, "--method", "additive", "--smoothing", 0, "--out", tmp_path / "run")
    result = gradus("train", text, *flags)
    assert result.exit_code == 0, result.output
    assert "inf nats" in result.stdout
    assert "the model cannot continue" in refused("sample", tmp_path / "run", "--prompt", "aabbccddee")


@pytest.mark.parametrize("verb", ["sample", "eval"])
def test_what_is_no_run(verb: str, tmp_path: Path) -> None:
    assert "no such folder" in refused(verb, tmp_path / "none")
    assert "it has no state.json" in refused(verb, tmp_path)


@pytest.mark.parametrize("verb", ["sample", "eval"])
def test_a_damaged_checkpoint_and_a_foreign_one(verb: str, run: Path) -> None:
    path = run / "best.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    assert "best.safetensors was changed, is damaged, or belongs to another run" in refused(verb, run)
    path.write_bytes(b"")
    assert "best.safetensors was changed, is damaged, or belongs to another run" in refused(verb, run)
    foreign = safetensors.numpy.save({"w": np.zeros(3)})
    RunFolder(run).update({"best.safetensors": foreign})
    assert "best.safetensors is not a gradus checkpoint" in refused(verb, run)
    path.unlink()
    assert "best.safetensors is missing" in refused(verb, run)
    (run / "state.json").write_text("{", encoding="utf-8")
    assert "state.json is damaged" in refused(verb, run)


def test_a_damaged_file_is_no_start_for_going_on(run: Path) -> None:
    (run / "optimizer.safetensors").write_bytes(b"x")
    assert "optimizer.safetensors was changed, is damaged, or" in refused("train", "--resume", run, "--steps", 4)
    (run / "tokenizer.json").write_text("[", encoding="utf-8")
    assert "tokenizer" in refused("train", "--resume", run, "--steps", 4)
    (run / "config.toml").unlink()
    assert "config.toml is missing" in refused("train", "--resume", run, "--steps", 4)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), PermissionError(errno.EACCES, "Permission denied")]
)
def test_a_disk_that_refuses_while_saving_leaves_the_checkpoint_before(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    real, saves = os.replace, []

    def replace(source: Any, target: Any) -> None:
        if Path(target).name == "state.json":
            saves.append(source)
            if len(saves) == 5:  # twice at the beginning, and after 2 and 4 of 10 steps it went well
                raise error
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    message = refused("train", text, *SMALL, "--steps", 10, "--evaluations", 5, "--out", tmp_path / "run")
    assert message.endswith(f"run: {error.strerror}; the checkpoint of step 4 is whole")
    monkeypatch.undo()
    assert gradus("sample", tmp_path / "run", "--length", 5).exit_code == 0
    assert gradus("train", "--resume", tmp_path / "run").exit_code == 0
    assert RunFolder.open(tmp_path / "run").state()["step"] == 10


def test_a_folder_that_cannot_be_made(text: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    message = refused("train", text, *SMALL, "--steps", 2, "--out", tmp_path / "file" / "run")
    assert "cannot write" in message


def test_a_learning_rate_that_is_far_too_high(text: Path, tmp_path: Path) -> None:
    flags = ("--optimizer", "sgd", "--learning-rate", "1e30", "--grad-clip", "0", "--warmup", "0")
    message = refused("train", text, *SMALL, *flags, "--steps", 20, "--out", tmp_path / "run")
    assert "try a learning_rate below 1e+30 or grad_clip 1" in message


@pytest.mark.parametrize(("model", "norm"), [("mlp", "layer"), ("transformer", "post")])
def test_a_flag_of_several_models_takes_what_each_of_them_takes(model: str, norm: str, tmp_path: Path) -> None:
    corpus = "reverse" if model == "transformer" else "pydocs"
    sizes = ("--n-embd", 16) if model == "transformer" else ("--n-hidden", 8)
    result = gradus("train", corpus, "--model", model, "--norm", norm, *sizes, "--steps", 1, "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output


def test_a_flag_of_several_models_is_refused_with_what_this_one_takes(text: Path) -> None:
    assert "norm must be one of none, batch, layer, group, rms, got 'pre'" in refused(
        "train", text, "--model", "mlp", "--norm", "pre"
    )
