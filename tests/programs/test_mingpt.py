"""A minGPT: a package beside the program, settings as a tree, a trainer with callbacks, and a GPT that sorts."""

from __future__ import annotations

from pathlib import Path

from tests.programs.printed import Run, losses


def test_a_gpt_learns_to_sort(run: Run, folder: Path) -> None:
    settings = ("--trainer.max_iters=90", "--trainer.batch_size=32", "--trainer.learning_rate=0.002")
    printed = run("mingpt/sort.py", *settings)
    trained = losses(printed, "train loss ")
    assert trained[0] > 1.0  # of three numbers: ln 3
    assert trained[-1] < 0.4
    right = losses(printed, r"final score: \d+/300 = ")
    assert len(right) == 2
    assert min(right) > 50  # one row in 729 by chance, one in about 30 if only the numbers are right
    assert (folder / "out" / "sort" / "model.pt").stat().st_size > 100_000
    assert '"batch_size": 32' in (folder / "out" / "sort" / "config.json").read_text()
