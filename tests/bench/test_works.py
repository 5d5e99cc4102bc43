"""The works are what their names say, learn, and are timed as often as asked."""

from __future__ import annotations

import io
import itertools
import json

import numpy as np
import pytest

from gradus.bench import generation, lectures, moons, operations, products, transformers
from gradus.bench.work import BATCHES, Work, tokens, windows
from gradus.bench.worker import measure, serve
from gradus.models import GPTConfig


def test_the_text_has_four_successors_for_each_token() -> None:
    text = tokens(27, 5000)
    successors: dict[int, set[int]] = {}
    for a, b in itertools.pairwise(text):
        successors.setdefault(a, set()).add(b)
    assert max(map(len, successors.values())) <= 4
    assert len(successors) > 20
    rows = windows(text, 3, 9)
    assert rows.shape == (BATCHES, 3, 9)
    assert rows[0, 0].tolist() in [text[i : i + 9].tolist() for i in range(len(text))]


@pytest.mark.parametrize("work", [lectures.mlp, lectures.batchnorm, lectures.wavenet])
def test_a_lecture_network_learns(work: object) -> None:
    assert callable(work)
    made = work()
    losses = [made.check(made.steps[""]()) for _ in range(60)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.3


def test_the_wavenet_is_the_lecture_s() -> None:
    layers = lectures.wavenet_layers()
    assert sum(p.nelement() for layer in layers for p in layer.parameters()) == 76_579


def test_a_gpt_learns() -> None:
    step = transformers.small().steps[""]
    first = step()
    assert np.mean([step() for _ in range(3)]) < first - 0.2


def test_an_operation_leaves_the_gradient_of_one_step() -> None:
    work = operations.every()
    assert list(work.steps) == ["add", "mul", "matmul", "tanh"]
    for step in work.steps.values():
        assert work.check(step()) == work.check(step())


def test_products_are_those_of_forward_and_backward() -> None:
    work = products.of_step(vocabulary=7, block=8, batch=2, layers=3, heads=2, width=16)
    linear, heads = 3 * 4 + 1, 3
    assert work.steps[""]() == 3 * linear + 6 * heads


def test_values_eager_and_compiled_compute_the_same() -> None:
    eager, compiled = moons.eager(), moons.compiled()
    assert eager.check(eager.steps[""]()) == pytest.approx(compiled.check(compiled.steps[""]()))


def test_a_measurement_leads_in_with_one_step_and_times_the_others() -> None:
    steps: list[int] = []

    def step() -> int:
        steps.append(1)
        return len(steps)

    answer = measure(Work({"": step}), 4)
    assert len(steps) == 5
    assert answer["check"] == {"": 5.0}
    assert len(answer["seconds"][""]) == 1
    assert len(measure(Work({"a": step, "b": step}), 3, each=True)["seconds"]["b"]) == 3


def test_a_worker_answers_each_order_with_a_line() -> None:
    answers = io.StringIO()
    serve(Work({"": lambda: 2.5}), ['{"steps": 1}', '{"steps": 2, "each": true}'], answers)
    first, second = map(json.loads, answers.getvalue().splitlines())
    assert set(first) == {"seconds", "check", "cores", "peak"}
    assert len(second["seconds"][""]) == 2


def test_generation_draws_the_same_tokens_with_a_cache_without_and_in_half_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generation, "CHARACTERS", GPTConfig(65, 24, n_layer=2, n_head=2, n_embd=32))
    makers = (generation.characters, generation.characters_half, generation.characters_uncached)
    for part, places in (("256 characters", 6), ("the last of 256", 4)):
        checks = [work.check(work.steps[part]()) for work in (make() for make in makers)]
        assert checks == pytest.approx([checks[0]] * 3, rel=10.0**-places)
