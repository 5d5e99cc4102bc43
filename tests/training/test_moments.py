"""Moments: the weights over time that a training keeps, the same after a stop, never too many, and checked when they
are read."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.training import Report, RunFolder, TrainConfig, load_weights, train, weights
from gradus.training.checkpoint import Arrays
from gradus.training.moments import CANDIDATES, kept_steps, moment_steps, read_moment
from tests.training.tiny import TinyBatches, dev_loss, tiny_gpt

FEW = TrainConfig(steps=40, moments=6, learning_rate=0.01, evaluations=4)


def go(config: TrainConfig, path: Path, progress: Any = None) -> RunFolder:
    run = RunFolder(path)
    path.mkdir(exist_ok=True)
    train(tiny_gpt(), TinyBatches(), config, run, evaluate=dev_loss, progress=progress)
    return run


def contents(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.path / "moments").iterdir()}


def at_each_step(config: TrainConfig) -> list[Arrays]:
    """The weights before the first step and after each."""
    model = tiny_gpt()
    found = [weights(model)]
    train(model, TinyBatches(), config, evaluate=dev_loss, progress=lambda _: found.append(weights(model)))
    return found


def test_what_is_kept_depends_on_the_step_alone_and_is_never_brought_back() -> None:
    for most in (4, 7, 16):
        kept: set[int] = {0}
        for step in range(1, 3000):
            now = set(kept_steps(step, most))
            assert len(now) <= most
            assert now - kept <= {step}
            assert now <= CANDIDATES
            kept = now
        assert len(kept) > most / 2 - 1
    assert len(kept_steps(10**9, 16)) <= 16


def test_a_moment_holds_the_weights_of_its_step_in_half_precision_and_vectors_as_they_are(tmp_path: Path) -> None:
    run, true = go(FEW, tmp_path / "run"), at_each_step(FEW)
    assert moment_steps(run) == kept_steps(40, 6) == [0, 1, 4, 16]
    for step in moment_steps(run):
        arrays, about = read_moment(run, step)
        assert about["step"] == step
        for name, array in true[step].items():
            expected = array.astype(np.float16).astype(np.float32) if array.ndim > 1 else array
            np.testing.assert_array_equal(arrays[name], expected)
        load_weights(tiny_gpt(), arrays)


def test_a_moment_says_how_far_its_step_moved_each_matrix(tmp_path: Path) -> None:
    run, true = go(FEW, tmp_path / "run"), at_each_step(FEW)
    for step in moment_steps(run)[1:]:
        _, about = read_moment(run, step)
        W, after = true[step - 1], true[step]
        assert set(about["updates"]) == {name for name, array in W.items() if array.ndim > 1}
        for name, ratio in about["updates"].items():
            assert ratio == pytest.approx((after[name] - W[name]).std() / W[name].std())
        assert about["loss"] > 0
        assert about["grad_norm"] > 0
    assert "updates" not in read_moment(run, 0)[1]


@pytest.mark.parametrize("last", [2, 7, 17, 31])
def test_stopped_crashed_and_resumed_the_moments_have_the_bytes_of_one_go(
    tmp_path: Path, last: int, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = go(FEW, tmp_path / "whole")

    def stop(report: Report) -> None:
        if report.step == last:
            os.kill(os.getpid(), signal.SIGINT)

    def crash(report: Report) -> None:
        if report.step == last + 6:
            raise MemoryError

    go(FEW, tmp_path / "parts", progress=stop)
    with pytest.raises(MemoryError):
        go(FEW, tmp_path / "parts", progress=crash)
    parts = go(FEW, tmp_path / "parts")
    assert contents(parts) == contents(whole)
    assert parts.state()["moments"] == whole.state()["moments"]
    assert "left out" not in capsys.readouterr().err  # though of 31 steps, 8 was removed before the crash


def test_moments_after_the_checkpoint_and_half_written_ones_are_removed_when_it_is_resumed(tmp_path: Path) -> None:
    def crash(report: Report) -> None:
        if report.step == 18:
            raise MemoryError

    with pytest.raises(MemoryError):
        go(FEW, tmp_path / "run", progress=crash)
    run = RunFolder(tmp_path / "run")
    (run.path / "moments" / ".16.safetensors.1234").write_bytes(b"half")
    assert run.state()["step"] == 10
    assert 16 in moment_steps(run)
    read_moment(run, 16)  # a training that goes on is seen, too

    def look(report: Report) -> None:
        if report.step == 11:
            assert moment_steps(run) == [0, 1, 2, 4, 8]

    go(FEW, run.path, progress=look)
    assert not list((run.path / "moments").glob(".*"))


def test_moments_change_nothing_in_what_is_trained(tmp_path: Path) -> None:
    kept, none = go(FEW, tmp_path / "kept"), go(TrainConfig(**{**FEW.__dict__, "moments": 0}), tmp_path / "none")
    assert not (none.path / "moments").exists()
    for name in ("model.safetensors", "optimizer.safetensors", "best.safetensors"):
        assert kept.read(name) == none.read(name)


def test_there_are_no_more_bytes_than_told_and_none_where_too_few_fit(tmp_path: Path) -> None:
    size = sum(a.nbytes // (2 if a.ndim > 1 else 1) for a in weights(tiny_gpt()).values())
    for fitting, kept in ((5, 4), (3, 0)):
        config = TrainConfig(steps=40, moments_mb=fitting * size / 1e6 + 1e-9)
        run = go(config, tmp_path / str(fitting))
        assert len(moment_steps(run)) == kept


def test_a_moment_that_is_missing_damaged_or_of_another_run_is_named(tmp_path: Path) -> None:
    run, other = go(FEW, tmp_path / "run"), go(TrainConfig(steps=40, seed=2, moments=6), tmp_path / "other")
    with pytest.raises(UserError, match=r"run has no moment of step 3; there are those of 0, 1, 4, 16$"):
        read_moment(run, 3)
    path = run.path / "moments" / "4.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    (run.path / "moments" / "16.safetensors").write_bytes((other.path / "moments" / "16.safetensors").read_bytes())
    for step in (4, 16):
        with pytest.raises(UserError, match=rf"{step}.safetensors was changed, is damaged, or belongs to another run"):
            read_moment(run, step)
    read_moment(run, 1)


def test_a_damaged_and_a_missing_moment_are_told_and_left_out_when_a_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(report: Report) -> None:
        if report.step == 20:
            os.kill(os.getpid(), signal.SIGINT)

    run = go(FEW, tmp_path / "run", progress=stop)
    (run.path / "moments" / "4.safetensors").write_bytes(b"[[[")
    (run.path / "moments" / "16.safetensors").unlink()
    go(FEW, run.path)
    told = capsys.readouterr().err.splitlines()
    assert [line.rpartition("/")[2] for line in told] == [
        "4.safetensors, which was changed or is damaged",
        "16.safetensors, which is missing",
    ]
    assert moment_steps(run) == [0, 1]
    assert sorted(run.state()["moments"], key=int) == ["0", "1"]


def test_a_matrix_too_large_for_half_precision_stays_as_it_is(tmp_path: Path) -> None:
    model = tiny_gpt()
    with_large = weights(model)
    name = next(name for name, array in with_large.items() if array.ndim > 1)
    with_large[name][0, 0] = 1e6
    load_weights(model, with_large)
    run = RunFolder.create(tmp_path / "run")
    train(model, TinyBatches(), TrainConfig(steps=1, learning_rate=1e-9), run)
    assert read_moment(run, 0)[0][name][0, 0] == 1e6
