"""A nanoGPT: numbers in a memmap, settings by exec, a checkpoint, going on from it, and sampling from it."""

from __future__ import annotations

from math import log
from pathlib import Path

import pytest

from tests.programs.conftest import SCRIPTS
from tests.programs.printed import Run, losses

CONFIG = SCRIPTS / "nanogpt" / "config" / "train_tiny.py"


@pytest.fixture
def prepared(run: Run, folder: Path, text: str) -> str:
    (folder / "data" / "tiny").mkdir(parents=True)
    (folder / "input.txt").rename(folder / "data" / "tiny" / "input.txt")
    assert f"train has {int(0.9 * len(text)):,} tokens" in run("nanogpt/prepare.py", "tiny")
    return text


def test_train_resume_and_sample(run: Run, prepared: str) -> None:
    first = run("nanogpt/train.py", CONFIG)
    validation = losses(first, "val loss ")
    assert validation[0] == pytest.approx(log(len(set(prepared))), abs=0.1)
    assert validation[-1] < validation[0] - 1  # on PyTorch it falls by 1.13 to 1.54, as text and seed have it
    assert "saving checkpoint to out-tiny" in first

    more = run("nanogpt/train.py", CONFIG, "--init_from=resume", "--max_iters=140", "--compile=True")
    assert "step 120: " in more
    assert "step 0: " not in more
    assert losses(more, "val loss ")[0] == pytest.approx(validation[-1], abs=0.3)  # of other random batches

    prompt = prepared.split()[0]
    sampled = run(
        "nanogpt/sample.py", "--out_dir=out-tiny", "--num_samples=2", "--max_new_tokens=40", f"--start={prompt}"
    )
    samples = [part.strip("\n") for part in sampled.split("Loading meta")[1].split("\n", 1)[1].split("---------------")]
    assert [sample.startswith(prompt) for sample in samples[:2]] == [True, True]
    assert samples[0] != samples[1]
    assert set("".join(samples)) <= set(prepared)


@pytest.mark.usefixtures("prepared")
def test_attention_by_hand_is_the_flash_attention(run: Run) -> None:
    arguments = (CONFIG, "--max_iters=20", "--eval_interval=10", "--dropout=0.0", "--gradient_accumulation_steps=2")
    flash, by_hand = (losses(run("nanogpt/train.py", *arguments, f"--flash={f}"), "loss ") for f in (True, False))
    assert len(flash) == 8
    assert by_hand == pytest.approx(flash, rel=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_from_one_checkpoint_the_engine_and_pytorch_train_alike(run: Run, run_on_pytorch: Run) -> None:
    run("nanogpt/train.py", CONFIG, "--max_iters=40")
    settings = (
        "--init_from=resume",
        "--max_iters=100",
        "--eval_interval=1000",
        "--dtype=float64",
        "--learning_rate=2e-3",
    )
    ours, theirs = (losses(r("nanogpt/train.py", CONFIG, *settings), "loss ") for r in (run, run_on_pytorch))
    assert len(ours) == 4
    # In float64, so that the last digits of two sums, which differ, stay out of sight. Four decimals are printed.
    assert ours == pytest.approx(theirs, abs=1.5e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_a_checkpoint_goes_from_the_engine_to_pytorch_and_back(run: Run, run_on_pytorch: Run) -> None:
    first = losses(run("nanogpt/train.py", CONFIG), "val loss ")
    second = losses(run_on_pytorch("nanogpt/train.py", CONFIG, "--init_from=resume", "--max_iters=160"), "val loss ")
    third = losses(run("nanogpt/train.py", CONFIG, "--init_from=resume", "--max_iters=180"), "val loss ")
    assert second[0] == pytest.approx(first[-1], abs=0.3)  # of other random batches
    assert third[0] == pytest.approx(second[-1], abs=0.3)
