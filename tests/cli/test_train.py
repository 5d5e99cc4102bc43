"""`gradus train`, `sample` and `eval` from end to end on small texts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gradus.backend import F, torch
from gradus.training import RunFolder, load_model, reopen
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream

LEARNING = ("--dropout", "0.1", "--learning-rate", "0.02")


@pytest.fixture(scope="module")
def stream_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on a stream, 300 steps in one go."""
    folder = tmp_path_factory.mktemp("stream")
    text = write_stream(folder)
    result = gradus("train", text, *SMALL, *LEARNING, "--steps", 300, "--out", folder / "run")
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.stdout, encoding="utf-8")
    return folder / "run"


@pytest.fixture(scope="module")
def documents_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    result = gradus(
        "train", write_documents(folder), "--model", "ngram", "--order", 2, "--out", folder / "run", "--page"
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"page     {folder / 'run' / 'index.html'}\n")
    return folder / "run"


def test_a_run_can_be_one_page(documents_run: Path) -> None:
    page = (documents_run / "index.html").read_text(encoding="utf-8")
    assert "2-gram Kneser-Ney" in page
    assert "<script src" not in page
    assert "http-equiv" not in page


def test_a_run_can_be_looked_into(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = gradus("train", write_stream(tmp_path), *SMALL, "--steps", 4, "--run", run, "--diagnose")
    assert result.exit_code == 0, result.output
    assert f"inside   {run / 'diagnostics'}" in result.stdout
    assert result.stdout.endswith(f"page     {run / 'index.html'}\n")
    assert (run / "diagnostics" / "embedding.png").is_file()
    before = (run / "index.html").read_bytes()
    assert gradus("train", "--resume", run, "--steps", 8).exit_code == 0  # goes on with it, and its page is not old
    assert len((run / "diagnostics.jsonl").read_text(encoding="utf-8").splitlines()) > 4
    assert (run / "index.html").read_bytes() != before


def test_training_reports_progress_losses_a_sample_and_what_to_do_next(stream_run: Path) -> None:
    output = (stream_run.parent / "output.txt").read_text(encoding="utf-8")
    assert "cats.txt: 3,000 characters" in output
    assert re.search(r"step +150 +50% +loss \d\.\d{4} +dev \d\.\d{4}", output)
    dev, test = re.findall(r"(?:dev|test) loss +(\d\.\d{4}) nats, (\d\.\d{4}) bits per character", output)
    assert float(test[0]) < 1.5  # a letter of nine words, not one of the alphabet's at random: ln 12 = 2.48
    assert float(test[1]) == pytest.approx(float(test[0]) * 1.442695, abs=2e-4)
    assert float(dev[0]) == pytest.approx(
        min(line["dev_loss"] for line in RunFolder.open(stream_run).metrics() if "dev_loss" in line), abs=1e-4
    )
    assert f"gradus eval {stream_run} --sliding" in output
    assert (stream_run / "samples.txt").read_text(encoding="utf-8").strip() in output


def test_the_config_of_a_run_says_all_its_settings_and_trains_the_same_run_again(
    stream_run: Path, tmp_path: Path
) -> None:
    settings = tomllib.loads((stream_run / "config.toml").read_text(encoding="utf-8"))
    assert (settings["steps"], settings["n_embd"], settings["dropout"], settings["kind"]) == (300, 8, 0.1, "stream")
    again = gradus(
        "train", "--config", stream_run / "config.toml", "--out", tmp_path / "again", "--minutes", 5, "--steps", 3
    )
    assert again.exit_code == 2  # two budgets
    short = gradus(
        "train", "--config", stream_run / "config.toml", "--out", tmp_path / "again", "--steps", 3, "--n-embd", 16
    )
    assert short.exit_code == 0
    flags_win = tomllib.loads((tmp_path / "again" / "config.toml").read_text(encoding="utf-8"))
    assert (flags_win["steps"], flags_win["n_embd"], flags_win["batch_size"]) == (3, 16, 4)


def test_ctrl_c_saves_says_how_to_go_on_and_the_resumed_run_has_the_same_bytes(
    stream_run: Path, tmp_path: Path
) -> None:
    # The process sends itself a real SIGINT when it has printed the line of step 150, so that no timing matters.
    watched = """
import os, signal, sys

class Watch:
    def __init__(self, stream): self.stream = stream
    def __getattr__(self, name): return getattr(self.stream, name)
    def write(self, text):
        self.stream.write(text)
        if "step    150" in text:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.stdout = Watch(sys.stdout)
from gradus.cli import main
main()
"""
    text = stream_run.parent / "cats.txt"
    flags = [str(text), *SMALL, *LEARNING, "--steps", "300", "--out", "halves"]
    stopped = subprocess.run(
        [sys.executable, "-c", watched, "train", *flags],
        cwd=tmp_path,
        env=os.environ,
        text=True,
        capture_output=True,
        check=False,
    )
    assert stopped.returncode == 130, stopped.stderr
    assert stopped.stdout.endswith("stopped and saved at step 150; resume with: gradus train --resume halves\n")
    resumed = gradus("train", "--resume", tmp_path / "halves")
    assert resumed.exit_code == 0, resumed.output
    for name in ("model.safetensors", "best.safetensors", "optimizer.safetensors", "samples.txt"):
        assert (tmp_path / "halves" / name).read_bytes() == (stream_run / name).read_bytes()


def test_a_finished_run_goes_on_only_with_a_larger_budget(stream_run: Path, tmp_path: Path) -> None:
    text = stream_run.parent / "cats.txt"
    assert gradus("train", text, *SMALL, "--steps", 4, "--out", tmp_path / "run").exit_code == 0
    assert "has spent its budget of 4 steps; give a larger one" in refused("train", "--resume", tmp_path / "run")
    assert gradus("train", "--resume", tmp_path / "run", "--steps", 6).exit_code == 0
    assert RunFolder.open(tmp_path / "run").state()["step"] == 6
    assert "n_layer" in refused("train", "--resume", tmp_path / "run", "--n-layer", 2)
    assert "corpus" in refused("train", "names", "--resume", tmp_path / "run")
    text_now = tmp_path / "changed"
    text_now.mkdir()
    changed = write_stream(text_now)
    assert gradus("train", changed, *SMALL, "--steps", 2, "--out", tmp_path / "other").exit_code == 0
    changed.write_text(changed.read_text(encoding="utf-8") + " the cat", encoding="utf-8")
    assert "no longer the one" in refused("train", "--resume", tmp_path / "other", "--steps", 6)
    assert "no longer the one" in refused("eval", tmp_path / "other")


def test_eval_scores_the_split_that_training_reported_and_sliding_sees_more(stream_run: Path) -> None:
    reported = re.search(r"test loss (\d\.\d{4})", (stream_run.parent / "output.txt").read_text(encoding="utf-8"))
    assert reported is not None
    losses = {}
    for flags in ((), ("--sliding",), ("--stride", "1"), ("--split", "train"), ("--last",)):
        result = gradus("eval", stream_run, *flags)
        assert result.exit_code == 0, result.output
        found = re.fullmatch(
            r"(?:test|train) loss (\d\.\d{6}) nats, \d\.\d{6} bits per character, over ([\d,]+) characters\n",
            result.stdout,
        )
        assert found is not None
        losses[flags] = (float(found[1]), found[2])
    assert losses[()][0] == pytest.approx(float(reported[1]), abs=6e-5)
    assert [losses[flags][1] for flags in ((), ("--sliding",), ("--stride", "1"))] == ["299", "299", "299"]
    assert losses["--stride", "1"][0] == pytest.approx(full_context_loss(stream_run), abs=1e-4)  # float32
    assert len({losses[flags] for flags in ((), ("--sliding",), ("--stride", "1"))}) == 3
    assert losses["--split", "train"][1] == "2,549"
    assert "stride must be between 1 and the block size 8, got 9" in refused("eval", stream_run, "--stride", 9)


def full_context_loss(path: Path) -> float:
    """The test loss where each character is predicted from as many characters before it as the model can see."""
    run = RunFolder.open(path)
    model, setup = load_model(run), reopen(run)
    ids = setup.tokenizer.encode(setup.splits.test.text)
    nats = []
    with torch.no_grad():
        for place in range(1, len(ids)):
            logits, _ = model(torch.from_numpy(ids[max(0, place - model.block_size) : place])[None])
            nats.append(-F.log_softmax(logits[0, -1], dim=-1)[int(ids[place])].item())
    return sum(nats) / len(nats)


def test_samples_follow_prompt_seed_number_and_length(stream_run: Path) -> None:
    def sample(*flags: object) -> str:
        result = gradus("sample", stream_run, *flags)
        assert result.exit_code == 0, result.output
        return result.stdout

    one = sample("--prompt", "the c", "--length", 30, "--seed", 5)
    assert one.startswith("the c")
    assert len(one) == len("the c") + 30 + 1
    assert one == sample("--prompt", "the c", "--length", 30, "--seed", 5)
    assert one != sample("--prompt", "the c", "--length", 30, "--seed", 6)
    assert len(sample("--length", 20, "-n", 3).splitlines()) == 3
    assert len(sample()) == 501
    greedy = sample("--temperature", 0, "--length", 40)
    assert greedy == sample("--top-k", 1, "--length", 40) == sample("--top-p", 1e-9, "--length", 40, "--top-k", 1000)


def test_documents_are_written_up_to_their_end(documents_run: Path) -> None:
    names = gradus("sample", documents_run, "--num", 5, "--prompt", "ab").stdout.splitlines()
    assert len(names) == 5
    assert all(name.startswith("ab") and set(name) <= set("abcde") for name in names)
    assert len(gradus("sample", documents_run).stdout.splitlines()) == 10
    assert all(len(name) <= 3 for name in gradus("sample", documents_run, "--length", 3).stdout.splitlines())


def test_a_model_that_counts_is_done_after_one_pass(documents_run: Path) -> None:
    assert "has counted all its text" in refused("train", "--resume", documents_run)


def test_runs_are_named_after_text_and_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = write_documents(tmp_path)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert gradus("train", text.name, "--model", "ngram").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["pets-ngram-1", "pets-ngram-2"]
    monkeypatch.chdir(tmp_path / "runs")
    assert gradus("eval", "pets-ngram-1").exit_code == 0  # the text is found from any folder


def test_help_shows_every_setting_with_its_comment_and_default() -> None:
    words = " ".join(gradus("train", "--help").stdout.split())
    assert "--learning-rate NUMBER the peak learning rate [default: 0.003]" in words
    assert "The model gpt: --n-layer INTEGER number of Transformer blocks [default: 4]" in words
    assert "--optimizer adamw|adam|sgd|muon how the weights follow the gradient [default: adamw]" in words
    assert "gpt on documents: n-embd 64, batch-size 64" in words
