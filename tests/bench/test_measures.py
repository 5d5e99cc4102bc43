"""Contestants in processes of their own: they take turns, must agree, and may fail or be missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gradus.bench import busy, memory, rounds, start
from gradus.bench.contestant import Contestant, Failure, Reply, Roster
from gradus.bench.line import Line
from gradus.bench.machine import Others, machine
from gradus.bench.resident import peak
from gradus.bench.rows import COMPILED, GRADUS, PYTORCH, Row, choose_rows


def one(name: str, **changes: object) -> Row:
    """A row, as short as can be."""
    (row,) = choose_rows([name])
    return replace(row.without(COMPILED), **{"rounds": 1, "steps": 2, **changes})  # type: ignore[arg-type]


def silent(line: str) -> None: ...


def a_line(**changes: object) -> Line:
    return replace(
        Line("mlp", "", "an MLP", 1, "s", {GRADUS: [1.0, 2.0, 4.0], PYTORCH: [4.0, 6.0]}, {}, (PYTORCH, GRADUS), None),
        **changes,  # type: ignore[arg-type]
    )


def test_both_backends_compute_the_same_and_are_timed() -> None:
    pytest.importorskip("torch")
    roster = Roster()
    said: list[str] = []
    (line,) = rounds.measure(one("mlp", rounds=2), 1, roster, said.append)
    assert said == ["mlp, 1 thread: round 1 of 2", "mlp, 1 thread: round 2 of 2"]
    assert {name: len(taken) for name, taken in line.rounds.items()} == {GRADUS: 2, PYTORCH: 2}
    assert line.check[GRADUS] == pytest.approx(line.check[PYTORCH], rel=1e-5)
    assert line.absent == {}
    assert roster.notes == []
    assert line.figure is not None
    assert line.figure > 0


def test_who_computes_something_else_is_taken_out() -> None:
    roster = Roster()
    line = a_line(check={GRADUS: 2.5, PYTORCH: 2.51})
    rounds.disagreement(line, roster)
    assert line.absent == {PYTORCH: "disagrees"}
    assert line.figure is None
    assert roster.notes == ["mlp: PyTorch computed 2.51 where gradus computed 2.5"]
    agreeing = a_line(check={GRADUS: 2.5, PYTORCH: 2.501})
    rounds.disagreement(agreeing, roster)
    assert agreeing.absent == {}


def test_a_loss_that_is_not_a_number_agrees_with_none() -> None:
    line = a_line(check={GRADUS: float("nan"), PYTORCH: float("nan")})
    rounds.disagreement(line, Roster())
    assert line.absent == {PYTORCH: "disagrees"}


def test_who_uses_more_cores_than_threads_is_named() -> None:
    roster = Roster()
    rounds.overuse(a_line(cores={GRADUS: 1.05, PYTORCH: 1.9}), roster)
    assert roster.notes == ["mlp: PyTorch kept 1.9 cores at work with 1 threads"]


def test_the_figure_is_a_quotient_of_medians_or_our_median() -> None:
    assert a_line().figure == 5.0 / 2.0
    assert a_line(ratio=None).figure == 2.0
    assert a_line(rounds={GRADUS: [1.0]}).figure is None


def test_who_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    roster = Roster.of_this_machine()
    (line,) = rounds.measure(one("mlp"), 1, roster, silent)
    assert list(line.rounds) == [GRADUS]
    assert line.absent == {PYTORCH: "not installed"}
    assert line.figure is None
    assert line.verdict == ""


def test_who_fails_is_left_out_with_the_reason() -> None:
    roster = Roster()
    row = one("floor", works={GRADUS: "products:small", PYTORCH: "products:nothing"})
    (line,) = rounds.measure(row, 1, roster, silent)
    assert list(line.rounds) == [GRADUS]
    assert line.absent == {PYTORCH: "failed"}
    (note,) = roster.notes
    assert note.startswith("floor: PyTorch failed: AttributeError: ")


def test_without_a_compiler_compiled_pytorch_takes_part_no_more() -> None:
    roster = Roster()
    error = Failure(
        "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')"
    )
    assert roster.fail(one("mlp"), COMPILED, error) == "no compiler"
    assert roster.absent == {COMPILED: "no compiler"}
    assert "no C++ compiler" in roster.notes[0]


def test_a_worker_that_ends_leaves_its_last_words() -> None:
    contestant = Contestant(GRADUS, "nowhere:nothing", 1)
    try:
        with pytest.raises(Failure, match="No module named"):
            contestant.imported()
    finally:
        contestant.close()


def test_parts_get_a_geometric_mean() -> None:
    row = one("ops", works={GRADUS: "operations:every"})
    *parts, mean = rounds.measure(row, 1, Roster(), silent)
    assert [line.part for line in parts] == ["add", "mul", "matmul", "tanh"]
    assert mean.part == rounds.MEAN
    assert mean.goal is not None
    assert mean.rounds[GRADUS][0] == pytest.approx(np.prod([line.rounds[GRADUS][0] for line in parts]) ** (1 / 4))


PEAKS = """
import numpy as np
from gradus.bench.resident import forget_peak, peak, resident
forget_peak()
print(resident(), peak())
np.ones(8_000_000).sum()  # 64 MB, freed again
print(peak())
forget_peak()
print(peak())
"""


@pytest.mark.skipif(not peak(), reason="Linux tells")
def test_the_peak_is_the_most_that_was_resident_since_it_was_forgotten() -> None:
    # in a process of its own: in this one, memory that other tests freed may take the array
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True)
    now, before, highest, after = map(int, done.stdout.split())
    assert before == pytest.approx(now, rel=0.05)
    assert 60e6 < highest - before < 80e6
    assert after < before + 20e6


@pytest.mark.skipif(not peak(), reason="Linux tells")
def test_memory_is_beyond_that_of_the_imports() -> None:
    (line,) = memory.measure(one("memory", works={GRADUS: "products:small"}, ratio=None), 1, Roster(), silent)
    assert line.unit == "bytes"
    assert 10e6 < line.rounds[GRADUS][0] < 200e6


def test_busy_steps_are_compared_with_the_idle_median() -> None:
    idle, beside = (Reply({"": taken}, {}, 1.0, 0) for taken in ([1.0, 1.0, 2.0], [1.0, 3.0, 8.0]))
    assert busy.quotients([idle], [beside]) == {"median": 3.0, "worst": 8.0}


def test_a_busy_core_is_busy_only_within_the_block() -> None:
    row = one("busy", works={GRADUS: "products:small"})
    median, worst = busy.measure(row, 1, Roster(), silent)
    assert median.rounds[GRADUS][0] <= worst.rounds[GRADUS][0]


def test_start_takes_three_times_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PACKAGES", {GRADUS: "json"})
    lines = start.measure(one("start", works={GRADUS: "products:small"}), 1, Roster(), silent)
    assert [len(line.rounds[GRADUS]) for line in lines] == [1, 1, 1]
    monkeypatch.setattr(start, "PACKAGES", {GRADUS: "no_such_package"})
    roster = Roster()
    lines = start.measure(one("start", works={GRADUS: "products:small"}), 1, roster, silent)
    assert [line.absent for line in lines] == [{GRADUS: "failed"}] * 3
    assert roster.notes == ["start: gradus failed: ModuleNotFoundError: No module named 'no_such_package'"]


def test_the_machine_is_described_and_its_other_programs_counted() -> None:
    assert {"processor", "cores", "Python", "NumPy", "Numba", "gradus"} <= set(machine())
    others = Others()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    cores = others.cores()
    assert cores is None or cores >= 0
