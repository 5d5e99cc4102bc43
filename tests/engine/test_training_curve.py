"""A GPT that trains through the compiled loops takes the course it takes in plain NumPy, and asks for as many loops."""

from __future__ import annotations

import numpy as np
import pytest

from gradus import engine
from gradus.engine import kernels, nn
from gradus.engine import random as engine_random
from gradus.engine.kernels import threads
from gradus.engine.optim import AdamW
from gradus.engine.tensor import Tensor
from gradus.models.config import GPTConfig
from gradus.models.gpt import GPT

CONFIG = GPTConfig(vocab_size=40, block_size=32, n_layer=2, n_head=2, n_embd=48, dropout=0.1)


class Training:
    """Batches of a text that repeats, so that there is something to learn."""

    def __init__(self) -> None:
        engine_random.default_generator.manual_seed(3)
        self.model = GPT(CONFIG)
        self.optimizer = AdamW(self.model.parameters(), lr=3e-3)
        self.text = np.tile(np.random.default_rng(0).integers(0, 40, 97), 30)
        self.place = 0

    def step(self) -> float:
        starts = [(self.place + 61 * i) % (len(self.text) - 33) for i in range(24)]
        self.place += 7
        rows = np.stack([self.text[i : i + 33] for i in starts])
        x, y = (Tensor._wrap(np.ascontiguousarray(part)) for part in (rows[:, :-1], rows[:, 1:]))
        _, loss = self.model(x, y)
        assert loss is not None
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return float(loss.item())


def test_the_loss_falls_along_the_same_curve_as_in_plain_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    fused = Training()
    curve = [fused.step() for _ in range(40)]
    monkeypatch.setattr(kernels, "enabled", False)
    plain = Training()
    np.testing.assert_allclose(curve, [plain.step() for _ in range(40)], rtol=2e-3)
    assert curve[-1] < curve[0] - 0.5


def test_the_curve_is_the_same_to_the_last_bit_with_any_number_of_threads() -> None:
    before = threads.get_num_threads()
    curves = []
    try:
        for n in (1, 3):
            threads.set_num_threads(n)
            training = Training()
            curves.append([training.step() for _ in range(10)])
    finally:
        threads.set_num_threads(before)
    assert curves[0] == curves[1]


def test_a_step_runs_no_more_parallel_loops_than_it_did() -> None:
    pool = pytest.importorskip("gradus.engine.kernels.pool")
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    try:
        training = Training()
        training.step()
        counts = []
        for _ in range(3):
            start = int(threads.pool()[pool.JOB])
            training.step()
            counts.append(int(threads.pool()[pool.JOB]) - start)
    finally:
        threads.set_num_threads(before)
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] <= 60


@pytest.mark.parametrize("recorded", [True, False])
def test_a_large_addition_is_shared_in_a_graph_and_outside(recorded: bool) -> None:
    pool = pytest.importorskip("gradus.engine.kernels.pool")
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    try:
        a, b = (engine.ones(300, 300, requires_grad=recorded) for _ in range(2))
        start = int(threads.pool()[pool.JOB])
        assert (a + b).requires_grad == recorded
        assert int(threads.pool()[pool.JOB]) == start + 1
    finally:
        threads.set_num_threads(before)
