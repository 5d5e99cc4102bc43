"""The training loop: budgets, schedules, evaluation, early stopping, and stopping and going on with the same bytes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.models import LanguageModel, build_model
from gradus.training import Report, RunFolder, TrainConfig, TrainResult, load_model, train, weights
from gradus.training.checkpoint import load_weights, unpack
from tests.training.tiny import BATCH_SIZE, BLOCK_SIZE, Clock, TinyBatches, dev_loss, tiny_gpt


def fresh(path: Path) -> RunFolder:
    return RunFolder.create(path)


def go(
    config: TrainConfig, run: RunFolder | None = None, model: LanguageModel | None = None, **kwargs: Any
) -> TrainResult:
    kwargs.setdefault("evaluate", dev_loss)
    return train(model or tiny_gpt(), TinyBatches(), config, run, **kwargs)


def interrupt_at(step: int) -> Any:
    def progress(report: Report) -> None:
        if report.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    return progress


def test_training_learns() -> None:
    result = go(TrainConfig(steps=150, learning_rate=0.02))
    assert result.best_loss is not None
    assert result.best_loss < 0.5  # from ln 13 = 2.56; each next token is certain
    assert (result.stopped, result.step, result.tokens) == ("budget", 150, 150 * BATCH_SIZE * BLOCK_SIZE)


def test_a_run_that_a_program_trained_without_settings_is_loaded(tmp_path: Path) -> None:
    run, model = fresh(tmp_path / "run"), tiny_gpt()
    go(TrainConfig(steps=3), run, model)
    for name, array in weights(load_model(run, last=True)).items():
        np.testing.assert_array_equal(array, weights(model)[name])


@pytest.mark.parametrize(("rule", "steps"), [("adamw", 300), ("sgd", 40)])
def test_stopped_halfway_by_ctrl_c_and_resumed_gives_the_bytes_of_one_go(tmp_path: Path, rule: Any, steps: int) -> None:
    config = TrainConfig(steps=steps, optimizer=rule, momentum=0.5, learning_rate=0.01)
    whole, halves = fresh(tmp_path / "whole"), fresh(tmp_path / "halves")
    go(config, whole)
    stopped = go(config, halves, progress=interrupt_at(steps // 2))
    assert (stopped.stopped, stopped.step, halves.state()["step"]) == ("interrupted", steps // 2, steps // 2)
    torch.manual_seed(99)  # the resumed process begins with another generator and other weights
    resumed = go(config, RunFolder.open(halves.path), model=tiny_gpt())
    assert (resumed.stopped, resumed.step) == ("budget", steps)
    for name in ("model.safetensors", "optimizer.safetensors", "best.safetensors"):
        assert whole.read(name) == halves.read(name)
    times = ("seconds", "tokens_per_second")
    lines = [[{k: v for k, v in line.items() if k not in times} for line in run.metrics()] for run in (whole, halves)]
    assert lines[0] == lines[1]
    states = [{k: v for k, v in run.state().items() if k not in (*times, "seal", "metrics")} for run in (whole, halves)]
    assert states[0] == states[1]


def test_stopped_between_two_lines_of_the_log_and_after_a_crash_it_still_gives_the_same_bytes(tmp_path: Path) -> None:
    config = TrainConfig(steps=50, evaluations=2)
    whole, parts = fresh(tmp_path / "whole"), fresh(tmp_path / "parts")
    go(config, whole)
    go(config, parts, progress=interrupt_at(7))

    def crash(report: Report) -> None:
        if report.step == 31:
            raise MemoryError

    with pytest.raises(MemoryError):
        go(config, parts, progress=crash)
    assert parts.state()["step"] == 25  # the last evaluation
    assert parts.metrics()[-1]["step"] == 31
    go(config, parts)
    assert whole.read("model.safetensors") == parts.read("model.safetensors")
    assert [line["train_loss"] for line in whole.metrics()] == [line["train_loss"] for line in parts.metrics()]


def test_the_first_ctrl_c_finishes_the_step_and_the_second_is_the_ordinary_one(tmp_path: Path) -> None:
    run = fresh(tmp_path / "run")

    def twice(report: Report) -> None:
        if report.step == 3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        go(TrainConfig(steps=20), run, progress=twice)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert run.state()["step"] == 2  # saved at each tenth of the budget


def test_a_minutes_budget_ends_by_the_clock_and_the_schedule_follows_it(tmp_path: Path) -> None:
    clock, rates = Clock(), {}

    def tick(report: Report) -> None:
        rates[report.step] = report.learning_rate
        clock.now += 6.0

    config = TrainConfig(
        minutes=1.0, warmup=0.2, schedule="linear", min_lr_ratio=0.0, learning_rate=1.0, grad_clip=1e-6
    )
    result = go(config, fresh(tmp_path / "run"), progress=tick, clock=clock)
    assert (result.step, result.seconds) == (11, 60.0)  # the first step, which may compile kernels, is not counted
    expected = [0, 0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    assert list(rates.values()) == pytest.approx(expected)


def test_a_resumed_minutes_budget_has_only_the_rest(tmp_path: Path) -> None:
    clock, run = Clock(), fresh(tmp_path / "run")

    def tick(report: Report) -> None:
        clock.now += 6.0
        if report.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    first = go(TrainConfig(minutes=1.0), run, progress=tick, clock=clock)
    second = go(TrainConfig(minutes=1.0), run, progress=tick, clock=clock)
    assert (first.step, first.seconds) == (5, 24.0)
    assert (second.step, second.seconds) == (12, 60.0)


def test_evaluations_are_spread_evenly_and_the_last_is_at_the_end(tmp_path: Path) -> None:
    run = fresh(tmp_path / "run")
    go(TrainConfig(steps=37, evaluations=4), run)
    assert [line["step"] for line in run.metrics() if "dev_loss" in line] == [10, 19, 28, 37]
    assert len(run.metrics()) == 37


def test_early_stopping_waits_for_patience_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])
    snapshots = []

    def evaluate(model: LanguageModel) -> float:
        snapshots.append(weights(model))
        return next(losses)

    run = fresh(tmp_path / "run")
    result = go(TrainConfig(steps=60, evaluations=6, patience=3), run, evaluate=evaluate)
    assert (result.stopped, result.step, result.best_step, result.best_loss) == ("patience", 50, 20, 2.0)
    best = unpack(run.read("best.safetensors"), "best")[0]
    last = unpack(run.read("model.safetensors"), "last")[0]
    assert result.best is not None
    for name in best:
        assert np.array_equal(best[name], snapshots[1][name])
        assert np.array_equal(best[name], result.best[name])
        assert np.array_equal(last[name], snapshots[4][name])


def test_accumulated_batches_give_the_step_of_one_large_batch() -> None:
    class Joined(TinyBatches):
        """Batches 2i and 2i+1 as one; the odd ones have targets that are not scored."""

        def batch(self, step: int, rows: slice = slice(None)) -> Any:  # noqa: ARG002
            parts = [Masked().batch(2 * step + i) for i in (0, 1)]
            return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    class Masked(TinyBatches):
        def batch(self, step: int, rows: slice = slice(None)) -> Any:
            x, y = super().batch(step, rows)
            if step % 2:
                y[:, 3:] = -1
            return x, y

    models = [tiny_gpt(dropout=0.0) for _ in range(2)]
    train(models[0], Masked(), TrainConfig(steps=3, grad_accumulation=2))
    train(models[1], Joined(), TrainConfig(steps=3))
    for name, array in weights(models[0]).items():
        np.testing.assert_allclose(array, weights(models[1])[name], atol=2e-5)  # float32 sums in another order


def test_a_loss_that_is_no_number_stops_with_advice_and_leaves_the_checkpoint(tmp_path: Path) -> None:
    run, model = fresh(tmp_path / "run"), tiny_gpt()

    def poison(report: Report) -> None:
        if report.step == 5:
            load_weights(model, {name: array * np.nan for name, array in weights(model).items()})

    with pytest.raises(UserError, match=r"the loss became nan at step 6; try a learning_rate below 0.003"):
        go(TrainConfig(steps=10, evaluations=5), run, model, progress=poison)
    saved = unpack(run.read("model.safetensors"), "model")[0]
    assert run.state()["step"] == 4
    assert all(np.isfinite(array).all() for array in saved.values())


def test_a_counting_model_sees_each_batch_once_and_is_saved(tmp_path: Path) -> None:
    model = build_model("ngram", vocab_size=13, block_size=BLOCK_SIZE, order=2, method="additive", smoothing=0.001)
    batches, run = TinyBatches(), fresh(tmp_path / "run")
    result = train(model, batches, TrainConfig(model="ngram"), run, evaluate=dev_loss)
    assert batches.asked == [0, 1, 2, 3, 4]
    assert (result.step, result.tokens) == (5, 5 * BATCH_SIZE * BLOCK_SIZE)
    assert result.best_loss == dev_loss(model) < 0.1  # each next token is certain, and all were seen
    again = build_model("ngram", vocab_size=13, block_size=BLOCK_SIZE, order=2, method="additive", smoothing=0.001)
    assert train(again, batches, TrainConfig(model="ngram"), run).step == 5
    assert len(batches.asked) == 5
    assert dev_loss(again) == result.best_loss


def test_without_a_run_or_an_evaluation_nothing_is_needed() -> None:
    result = train(tiny_gpt(), TinyBatches(), TrainConfig(steps=2))
    assert (result.step, result.best, result.best_loss, result.dev_loss) == (2, None, None, None)
