"""Whatever stops a command, and wherever its text comes from: what was done is there, and it can be gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gradus.training import RunFolder
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX pipes and signals")
FILES = ("model.safetensors", "best.safetensors", "optimizer.safetensors", "samples.txt")


def command(*args: object, cwd: Path | None = None, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    code = "from gradus.cli import main; main()"
    words = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, errors="replace", check=False, **kwargs)


def refuse(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_killed_before_the_report_resuming_makes_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = write_stream(tmp_path)
    for name in ("whole", "killed"):
        with monkeypatch.context() as patched:
            if name == "killed":
                patched.setattr("gradus.cli.train._report", refuse)
            result = gradus("train", text, *SMALL, "--steps", 4, "--out", tmp_path / name)
            assert result.exit_code == (130 if name == "killed" else 0)
    assert f"Finish its report by: gradus train --resume {tmp_path / 'killed'}" in result.stderr
    resumed = gradus("train", "--resume", tmp_path / "killed")
    assert resumed.exit_code == 0, resumed.output
    assert "test loss" in resumed.stdout
    for name in FILES:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert "has spent its budget" in refused("train", "--resume", tmp_path / "killed")


def test_killed_before_the_report_of_a_run_that_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = write_stream(tmp_path)
    flags = (*SMALL, "--steps", 100, "--evaluations", 50, "--patience", 1, "--optimizer", "sgd", "--learning-rate", 3)
    with monkeypatch.context() as patched:
        patched.setattr("gradus.cli.train._report", refuse)
        assert gradus("train", text, *flags, "--out", tmp_path / "run").exit_code == 130
    step = RunFolder.open(tmp_path / "run").state()["step"]
    assert step < 100
    assert "stopped early" in gradus("train", "--resume", tmp_path / "run").stdout
    assert RunFolder.open(tmp_path / "run").state()["step"] == step  # not one step more than in one go
    assert gradus("train", "--resume", tmp_path / "run", "--steps", 150).exit_code == 0  # and on from there, if asked
    assert RunFolder.open(tmp_path / "run").state()["step"] > step


@pytest.mark.parametrize("model", ["gpt", "ngram"])
def test_killed_before_the_first_step_resuming_begins(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_documents(tmp_path)
    flags = ("--n-layer", 1, "--n-embd", 8, "--steps", 2) if model == "gpt" else ()
    with monkeypatch.context() as patched:
        patched.setattr("gradus.training.begin.train", refuse)
        assert gradus("train", text, "--model", model, *flags, "--out", tmp_path / "run").exit_code == 130
    assert "no trained model yet; train it by gradus train --resume" in refused("sample", tmp_path / "run")
    assert "no trained model yet" in refused("eval", tmp_path / "run")
    assert gradus("train", "--resume", tmp_path / "run").exit_code == 0
    assert gradus("sample", tmp_path / "run").exit_code == 0


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_system_that_ends_the_program_finds_it_saved(number: signal.Signals, tmp_path: Path) -> None:
    text = write_stream(tmp_path)
    code = f"""
import os, sys
class Watch:
    def __init__(self, stream): self.stream = stream
    def __getattr__(self, name): return getattr(self.stream, name)
    def write(self, text):
        self.stream.write(text)
        if "step      4" in text:
            os.kill(os.getpid(), {int(number)})
sys.stdout = Watch(sys.stdout)
from gradus.cli import main
main()
"""
    words = ["train", str(text), *SMALL, "--steps", "20", "--out", str(tmp_path / "run")]
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 130, ended.stderr
    assert "stopped and saved at step 4; resume with: gradus train --resume" in ended.stdout


@posix
def test_a_text_from_a_pipe_is_kept_with_the_run(tmp_path: Path) -> None:
    text = write_documents(tmp_path).read_text(encoding="utf-8")
    flags = ("--model", "bigram", "--steps", 2, "--out", tmp_path / "run")
    trained = command("train", "/dev/stdin", *flags, input=text)
    assert trained.returncode == 0, trained.stderr
    os.rename(tmp_path / "run", tmp_path / "moved")
    for words in (("eval", tmp_path / "moved"), ("train", "--resume", tmp_path / "moved", "--steps", 3)):
        result = gradus(*words)
        assert result.exit_code == 0, result.output
    (tmp_path / "moved" / "text.txt").write_text(text[:-9], encoding="utf-8")
    assert "no longer the one" in refused("eval", tmp_path / "moved")


@posix
def test_a_redirected_file_is_found_again_by_its_own_name(tmp_path: Path) -> None:
    text = write_stream(tmp_path)
    with open(text, encoding="utf-8") as file:
        trained = command("train", "/dev/stdin", *SMALL, "--steps", 1, "--out", tmp_path / "run", stdin=file)
    assert trained.returncode == 0, trained.stderr
    assert not (tmp_path / "run" / "text.txt").exists()
    assert gradus("eval", tmp_path / "run").exit_code == 0


def test_a_folder_with_runs_in_it_is_trained_on_again_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stream(tmp_path)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        result = gradus("train", ".", "--model", "ngram")
        assert result.exit_code == 0, result.output
        assert "3,001 characters" in result.stdout
    assert "left out of ." in result.stderr
    first = next((tmp_path / "runs").iterdir())
    assert gradus("eval", first).exit_code == 0
    assert gradus("train", "--resume", first).exit_code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_path_that_is_not_utf8_is_trained_on_and_found_again(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    text = write_documents(folder)
    trained = command("train", text, "--model", "ngram", cwd=folder)
    assert trained.returncode == 0, trained.stderr
    for words in (
        ("eval", folder / "runs" / "pets-ngram-1"),
        ("sample", folder / "runs" / "pets-ngram-1"),
        ("train", "--config", folder / "runs" / "pets-ngram-1" / "config.toml", "--out", folder / "again"),
        ("data", "show", text),
    ):
        done = command(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    unknown = command("eval", folder / "none")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)


def test_counts_without_smoothing_write_json_that_every_program_reads(tmp_path: Path) -> None:
    text = write_documents(tmp_path)
    rule = ("--order", 6, "--method", "additive", "--smoothing", 0)
    flags = ("--model", "ngram", *rule, "--out", tmp_path / "run", "--page")
    assert gradus("train", text, *flags).exit_code == 0
    metrics = (tmp_path / "run" / "metrics.jsonl").read_bytes().splitlines()
    for line in [(tmp_path / "run" / "state.json").read_bytes(), *metrics]:
        assert json.loads(line, parse_constant=lambda name: pytest.fail(name))["dev_loss"] == "inf"
    assert RunFolder.open(tmp_path / "run").metrics()[-1]["dev_loss"] == float("inf")
    assert gradus("eval", tmp_path / "run").stdout.startswith("test loss inf nats")


@pytest.mark.parametrize("flags", [("--temperature", "inf"), ("--temperature", "nan"), ("--top-p", "nan")])
def test_a_rule_that_nothing_can_be_drawn_by_is_refused_before_anything_is_drawn(
    flags: tuple[str, str], tmp_path: Path
) -> None:
    assert gradus("train", write_documents(tmp_path), "--model", "ngram", "--out", tmp_path / "run").exit_code == 0
    assert f"got {flags[1]}" in refused("sample", tmp_path / "run", *flags)
    for temperature in ("1e-300", "1e300"):
        assert gradus("sample", tmp_path / "run", "--temperature", temperature).exit_code == 0


def test_counts_that_know_nothing_to_follow_end_a_report_and_not_the_run(tmp_path: Path) -> None:
    text = tmp_path / "letters"
    text.write_text("".join(chr(97 + i * i % 26) * (i % 3) for i in range(2000)) + "xyz", encoding="utf-8")
    flags = (
        "--model",
        "ngram",
        "--order",
        8,
        "--method",
        "additive",
        "--smoothing",
        0,
        "--kind",
        "stream",
        "--out",
        tmp_path / "run",
        "--page",
    )
    result = gradus("train", text, *flags)
    assert result.exit_code == 0, result.output
    assert RunFolder.open(tmp_path / "run").state()["reported"]
    assert (tmp_path / "run" / "index.html").exists()
