"""A script for one process or many, with branches for processes, GPUs and compilation that stay off here."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

from tests.programs.printed import Run, losses


@pytest.fixture
def shards(folder: Path) -> None:
    """Tokens below 512, of which each but every eighth follows from the one before it."""
    random = np.random.default_rng(7)
    follows = random.permutation(512)
    tokens = random.integers(0, 512, 8_000)
    for i in range(1, len(tokens)):
        if i % 8:
            tokens[i] = follows[tokens[i - 1]] % 64
    (folder / "shards").mkdir()
    for name, part in {"val_0": tokens[:2000], "train_0": tokens[2000:5000], "train_1": tokens[5000:]}.items():
        np.save(folder / "shards" / f"{name}.npy", part.astype(np.uint16))


@pytest.mark.usefixtures("shards")
def test_a_script_for_many_processes_trains_as_one(run: Run, folder: Path) -> None:
    printed = run("gpt2/train_gpt2.py", "shards", 25)
    assert "using device: cpu" in printed
    validation = losses(printed, "validation loss: ")
    assert validation[0] == pytest.approx(log(512), abs=0.2)
    assert validation[-1] < log(512) - 2
    logged = [
        float(line.split()[-1]) for line in (folder / "log" / "log.txt").read_text().splitlines() if "val" in line
    ]
    assert logged == validation
    assert (folder / "log" / "model_00024.pt").stat().st_size > 100_000
    samples = [line for line in printed.splitlines() if line.startswith("rank 0 sample")]
    assert [line.count(",") for line in samples] == [15, 15]


@pytest.mark.slow
@pytest.mark.usefixtures("shards")
def test_the_script_prints_pytorchs_losses(run: Run, run_on_pytorch: Run) -> None:
    ours, theirs = (losses(r("gpt2/train_gpt2.py", "shards", 25), "loss: ") for r in (run, run_on_pytorch))
    # PyTorch computes products in bfloat16, of 8 bits, where autocast asks for it.
    assert ours == pytest.approx(theirs, rel=0.03)
