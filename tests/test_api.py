"""gradus from Python: `train`, `load` and what a Run does, beside what the command does with the same settings."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradus
from gradus.backend import torch
from gradus.errors import UserError
from gradus.generation import Texts
from gradus.report.trained import is_old
from gradus.training import Report
from tests.cli.commands import gradus as command
from tests.cli.commands import write_documents, write_stream

SMALL: dict[str, Any] = {"n_layer": 1, "n_head": 2, "n_embd": 8, "block_size": 8, "batch_size": 4, "evaluations": 2}
FLAGS = [part for name, value in SMALL.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def cats(folder: Path) -> Path:
    return write_stream(folder)


@pytest.fixture(scope="module")
def run(folder: Path, cats: Path) -> gradus.Run:
    return gradus.train(cats, steps=6, out=folder / "run", progress=False, **SMALL)


@pytest.fixture(scope="module")
def theirs(folder: Path, cats: Path) -> Path:
    """The run that the command trains with the same settings."""
    result = command("train", cats, "--steps", 6, "--run", folder / "theirs", *FLAGS)
    assert result.exit_code == 0, result.output
    return folder / "theirs"


def test_train_makes_the_folder_that_the_command_makes(run: gradus.Run, theirs: Path) -> None:
    names, ours = ({str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()} for top in (theirs, run.path))
    assert ours == names
    for name in names - {"state.json", "metrics.jsonl"}:  # these two hold seconds
        assert (run.path / name).read_bytes() == (theirs / name).read_bytes(), name
    losses = [
        [{k: v for k, v in line.items() if k not in ("seconds", "tokens_per_second")} for line in one.metrics]
        for one in (run, gradus.load(theirs))
    ]
    assert losses[0] == losses[1]
    states = [json.loads((path / "state.json").read_text(encoding="utf-8")) for path in (run.path, theirs)]
    for state in states:
        for name in ("seconds", "seal", "metrics"):  # sums over seconds
            del state[name]
    assert states[0] == states[1]


def test_a_loaded_run_gives_the_same_logits(run: gradus.Run) -> None:
    idx = torch.arange(8).view(1, 8)
    logits, loss = run.model(idx, idx)
    again, loss_again = gradus.load(str(run.path)).model(idx, idx)
    np.testing.assert_array_equal(logits.detach().numpy(), again.detach().numpy())
    assert loss is not None
    assert loss_again is not None
    assert loss.item() == loss_again.item()


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"length": 20}, ["--length", 20]),
        ({"prompt": "the", "n": 2, "length": 9, "seed": 3}, ["--prompt", "the", "-n", 2, "--length", 9, "--seed", 3]),
        (
            {"temperature": 0.5, "top_k": 3, "top_p": 0.9, "length": 20},
            ["--temperature", 0.5, "--top-k", 3, "--top-p", 0.9, "--length", 20],
        ),
    ],
)
def test_sample_gives_the_texts_of_the_command(run: gradus.Run, theirs: Path, options: Any, flags: list[Any]) -> None:
    texts = run.sample(**options)
    assert len(texts) == options.get("n", 1)
    assert str(texts) == command("sample", theirs, *flags).output


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({}, []),
        ({"split": "val"}, ["--split", "dev"]),
        ({"split": "validation"}, ["--split", "valid"]),
        ({"sliding": True}, ["--sliding"]),
        ({"stride": 1}, ["--stride", 1]),
    ],
)
def test_evaluate_gives_the_loss_of_the_command(run: gradus.Run, theirs: Path, options: Any, flags: list[Any]) -> None:
    score = run.evaluate(**options)
    assert f"loss {score.nats:.6f} nats, {score.bits:.6f} bits" in command("eval", theirs, *flags).output
    assert f"over {score.count:,} characters" in command("eval", theirs, *flags).output


def test_resume_gives_what_training_at_once_gives(folder: Path, cats: Path) -> None:
    constant: dict[str, Any] = {
        "schedule": "constant",
        "warmup": 0.0,
        "progress": False,
        **SMALL,
    }
    whole = gradus.train(cats, steps=6, out=folder / "whole", **constant)
    parts = gradus.train(cats, steps=3, out=folder / "parts", **constant)
    assert parts.resume(steps=6, progress=False) is parts
    assert parts.config.steps == 6
    assert (parts.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="has spent its budget of 6 steps"):
        parts.resume(progress=False)


def test_a_run_of_documents_and_of_counts(folder: Path) -> None:
    run = gradus.train(str(write_documents(folder)), model="ngram", order=2, out=str(folder / "counts"), progress=False)
    assert len(run.sample()) == 10
    assert (
        repr(run)
        == f"Run {folder / 'counts'}: ngram on pets.txt, 35 counts in 0:00, dev loss {run.evaluate('dev').nats:.4f}"
    )
    assert run.plot().get_axes()[0].get_title(loc="left") == "ngram on pets.txt"
    assert (folder / "counts" / "samples.txt").read_text() == str(run.sample())


def test_what_a_run_says_of_itself(run: gradus.Run) -> None:
    assert run.config.steps == 6
    assert run.model.config.n_layer == 1  # type: ignore[attr-defined]
    assert run.tokenizer.decode(run.tokenizer.encode("the cat")) == "the cat"
    said = repr(run)
    assert said.startswith(f"Run {run.path}: gpt on cats.txt, ")
    assert f"{run.model.num_parameters():,} parameters, 6 steps" in said


def test_plot_draws_the_losses_of_the_run(run: gradus.Run) -> None:
    (axes,) = run.plot().get_axes()
    train, dev, guessing = axes.lines
    assert np.size(train.get_xdata()) == sum("train_loss" in line for line in run.metrics)
    np.testing.assert_array_equal(dev.get_ydata(), [line["dev_loss"] for line in run.metrics if "dev_loss" in line])
    assert np.ravel(guessing.get_ydata())[0] == np.log(run.tokenizer.vocab_size)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_layers": 3}, "unknown setting n_layers; did you mean n_layer?"),
        ({"lr": 0.1}, "unknown setting lr; did you mean learning_rate?"),
        ({"time": 3}, "unknown setting time; did you mean minutes?"),
        ({"epochs": 3}, "unknown setting epochs; did you mean steps or minutes?"),
        ({"eval_steps": 3}, "unknown setting eval_steps; did you mean evaluations, how many there are in all?"),
        ({"sequence_length": 3}, "unknown setting sequence_length; did you mean block_size?"),
        ({"num_layers": 3}, "unknown setting num_layers; did you mean n_layer?"),
        ({"n_layer": "3"}, "n_layer must be a whole number, got '3'"),
        ({"order": 3}, "order is a setting of ngram.*, not of gpt"),
        ({"model": "gtp"}, "there is no model .gtp.; "),
        ({"steps": 3, "minutes": 1}, "the budget is steps or minutes, not both"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(folder: Path, cats: Path, settings: Any, words: str) -> None:
    with pytest.raises(UserError, match=f"^{words.replace('?', '[?]')}"):
        gradus.train(cats, out=folder / "never", **settings)
    assert not (folder / "never").exists()


def test_a_wrong_call_of_a_run_is_refused_in_words(run: gradus.Run, folder: Path) -> None:
    with pytest.raises(UserError, match="split must be one of train, dev, test, got 'all'"):
        run.evaluate("all")
    with pytest.raises(UserError, match="unknown character 'Z' at position 0"):
        run.sample("Z")
    with pytest.raises(UserError, match=f"there is no run in {folder / 'none'}: no such folder"):
        gradus.load(folder / "none")
    with pytest.raises(UserError, match=f"{run.path} already exists"):
        gradus.train("words", out=run.path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "n must be at least 1, got 0"),
        ({"n": True}, "n must be a whole number, got True"),
        ({"n": 2.5}, "n must be a whole number, got 2.5"),
        ({"length": 1.5}, "length must be a whole number, got 1.5"),
        ({"seed": -1}, "seed must be between 0 and 4294967295, got -1"),
        ({"seed": 2**40}, "seed must be between 0 and 4294967295, got 1099511627776"),
        ({"seed": None}, "seed must be a whole number, got None"),
        ({"temperature": "0.5"}, "temperature must be a number, got '0.5'"),
        ({"temperature": -1}, "temperature must be 0 or more, got -1"),
        ({"top_k": 1.5}, "top_k must be a whole number, got 1.5"),
        ({"prompt": None}, "prompt must be text, or a list of texts, got None"),
    ],
)
def test_sample_refuses_what_the_command_refuses(run: gradus.Run, arguments: Any, words: str) -> None:
    with pytest.raises(UserError, match=f"^{words}"):
        run.sample(**arguments)


def test_sample_takes_numbers_of_numpy(run: gradus.Run) -> None:
    ours = run.sample(n=2, length=5, temperature=0.5, top_k=3, seed=3)
    theirs = run.sample(
        n=np.int64(2),  # type: ignore[arg-type]
        length=np.int32(5),  # type: ignore[arg-type]
        temperature=np.float32(0.5),  # type: ignore[arg-type]
        top_k=np.int64(3),  # type: ignore[arg-type]
        seed=np.uint32(3),  # type: ignore[arg-type]
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("stride", "words"),
    [
        (0, "stride must be at least 1, got 0"),
        (-3, "stride must be at least 1, got -3"),
        (2.5, "stride must be a whole number, got 2.5"),
        (9, "stride must be between 1 and the block size 8, got 9"),
    ],
)
def test_evaluate_refuses_a_stride_that_the_command_refuses(run: gradus.Run, stride: Any, words: str) -> None:
    with pytest.raises(UserError, match=f"^{words}"):
        run.evaluate(stride=stride)


def test_an_empty_out_is_no_default(cats: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").touch()
    with pytest.raises(UserError, match="already exists; choose another folder"):
        gradus.train(cats, out="", steps=1, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_a_notebook_shows_an_error_of_the_users_in_one_line() -> None:
    assert UserError("what to do")._render_traceback_() == ["what to do"]


def test_texts_show_themselves_at_most_a_screen_of_them() -> None:
    assert repr(Texts(["one", "two\nlines"])) == "one\ntwo\nlines"
    assert str(Texts(["one", "two\nlines"])) == "one\ntwo\nlines\n"
    assert repr(Texts(["a"] * 30)) == "a\n" * 20 + "… print() shows the rest"
    assert repr(Texts(["a" * 5000])) == "a" * 1499 + "…"


def test_importing_gradus_imports_nothing_that_takes_time() -> None:
    program = "import sys, gradus; print(*sorted(set(sys.modules) & {'numpy', 'numba', 'matplotlib', 'rich', 'click'}))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"
    assert {"Run", "load", "train"} <= set(dir(gradus))
    with pytest.raises(AttributeError, match="module 'gradus' has no attribute 'trian'"):
        gradus.trian  # noqa: B018


def test_an_interrupted_run_is_given_back_and_goes_on(
    folder: Path, cats: Path, run: gradus.Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def interrupt(title: str) -> Iterator[Callable[[Report], None]]:
        assert title == "gpt"
        yield lambda report: signal.raise_signal(signal.SIGINT) if report.step == 2 else None

    monkeypatch.setattr("gradus.api.show_progress", interrupt)
    stopped = gradus.train(cats, steps=6, out=folder / "stopped", **SMALL)
    assert capsys.readouterr().out == "stopped and saved at step 2; run.resume() goes on\n"
    assert "2 steps" in repr(stopped)
    stopped.resume(progress=False)
    for name in ("model.safetensors", "samples.txt"):
        assert (stopped.path / name).read_bytes() == (run.path / name).read_bytes()


def test_ctrl_c_after_training_gives_the_run_back_and_resume_finishes_it(
    folder: Path, cats: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("gradus.api.write_samples", interrupt)
        stopped = gradus.train(cats, steps=6, out=folder / "unfinished", progress=False, **SMALL)
        assert capsys.readouterr().out == "stopped; run.resume() finishes it\n"
        before = stopped.evaluate("dev")
        stopped.resume(steps=12, progress=False)
        assert stopped.config.steps == 12
        assert stopped.evaluate("dev") != before
    stopped.resume(progress=False)
    assert len((stopped.path / "samples.txt").read_text(encoding="utf-8")) == 501
    with pytest.raises(UserError, match="has spent its budget of 12 steps"):
        stopped.resume(progress=False)


def test_a_resume_that_fails_leaves_no_old_model(run: gradus.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise UserError("the loss became nan")

    loaded = gradus.load(run.path)
    before = loaded.model
    monkeypatch.setattr("gradus.api.reopen_to_resume", fail)
    with pytest.raises(UserError, match="became nan"):
        loaded.resume()
    assert loaded.model is not before


def test_resume_goes_on_with_diagnostics_and_leaves_no_old_page(folder: Path, cats: Path) -> None:
    result = command("train", cats, "--steps", 2, "--diagnose", "--out", folder / "seen", *FLAGS)
    assert result.exit_code == 0, result.output
    page = (folder / "seen" / "index.html").read_bytes()
    gradus.load(folder / "seen").resume(steps=4, progress=False)
    lines = (folder / "seen" / "diagnostics.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["step"] == 4
    assert (folder / "seen" / "index.html").read_bytes() != page
    assert not is_old(folder / "seen")


def test_a_mixture_is_fitted_on_dev_as_the_command_fits_it(folder: Path, run: gradus.Run) -> None:
    mixed = gradus.train(model="mixture", of=str(run.path), out=folder / "mixed", progress=False)
    result = command("train", "--model", "mixture", "--of", run.path, "--out", folder / "mixed theirs")
    assert result.exit_code == 0, result.output
    assert mixed.evaluate("dev").nats < run.evaluate("dev").nats
    assert mixed.evaluate("dev").nats == gradus.load(folder / "mixed theirs").evaluate("dev").nats


def test_the_run_keeps_its_test_loss(run: gradus.Run) -> None:
    state = json.loads((run.path / "state.json").read_text(encoding="utf-8"))
    assert state["test_loss"] == pytest.approx(run.evaluate("test").nats)
