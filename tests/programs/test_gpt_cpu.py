"""One file, run on PyTorch and on the engine with the same seed: a GPT that trains alike, step by step."""

from __future__ import annotations

import pytest

from tests.programs.printed import Run, losses


def compare(run: Run, run_on_pytorch: Run, steps: int) -> None:
    ours, theirs = (losses(r("nanogpt/gpt_cpu.py", steps), r"step \d+ loss ") for r in (run, run_on_pytorch))
    assert len(ours) == steps
    assert ours[0] == pytest.approx(theirs[0], rel=1e-6)
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert ours[-1] < ours[0] - 0.3


@pytest.mark.usefixtures("shakespeare")
def test_ten_steps_of_a_gpt_are_pytorchs(run: Run, run_on_pytorch: Run) -> None:
    compare(run, run_on_pytorch, 10)


@pytest.mark.slow
@pytest.mark.usefixtures("shakespeare")
def test_a_hundred_steps_of_a_gpt_are_pytorchs(run: Run, run_on_pytorch: Run) -> None:
    compare(run, run_on_pytorch, 100)
