"""What passes is right, and what is wrong does not pass, for every exercise: its stub, its solution, its planted
mistakes, and every way in which a file can be no answer at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from gradus.learn.exercise import FOLDER, MOST_HINTS, Exercise, catalogue, check_texts
from gradus.learn.judge import Judge, Verdict
from gradus.learn.message import message
from tests.learn.wrecks import CHANGING, CONSTANT, WRECKS, wrapped

EXERCISES = list(catalogue().values())
MISTAKES = [(exercise, mistake.name) for exercise in EXERCISES for mistake in exercise.mistakes]
# They are given numbers and Values only.
NOTHING_TO_CHANGE = {"slope", "chain", "value", "order", "backward", "broken_value", "parameter_table"}
LOOP = 0.5  # seconds until an endless loop is given up


def library(exercise: Exercise) -> str:
    return next((name for name in ("gradus.backend", "numpy") if name in exercise.solution), "")


SAMPLE = {key: e.name for e in reversed(EXERCISES) for key in (e.kind, library(e))}.values()  # the first of each


def sampled() -> list[object]:
    """Every exercise with every wreck; in the fast suite one exercise of each kind, and one with each library."""
    return [
        pytest.param(e, name, id=f"{e.name}-{name}", marks=() if e.name in SAMPLE else pytest.mark.slow)
        for e in EXERCISES
        for name in WRECKS
    ]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


@pytest.fixture(scope="module")
def kept() -> Iterator[Judge]:
    """For texts that end: one process for all of them, which takes a quarter of the time."""
    with Judge(fresh=False, naming=60) as judge:
        yield judge


def fails(verdict: Verdict) -> str:
    """What is said of a text that has not passed: one clear line."""
    assert not verdict.passed
    assert verdict.failure is not None
    assert len(verdict.failure.what) > 10
    assert "\n" not in verdict.failure.what
    return verdict.failure.what


@pytest.mark.parametrize("exercise", EXERCISES, ids=str)
def test_the_solution_passes_in_a_fresh_process(exercise: Exercise, judge: Judge) -> None:
    verdict = judge.judge(exercise, exercise.solution, seconds=60)
    assert verdict.passed, verdict.failure
    assert verdict.checks >= 2


@pytest.mark.parametrize("exercise", EXERCISES, ids=str)
def test_the_untouched_stub_fails(exercise: Exercise, kept: Judge) -> None:
    assert "TODO" in exercise.stub
    fails(kept.judge(exercise, exercise.stub, seconds=60))


@pytest.mark.parametrize(("exercise", "name"), MISTAKES, ids=[f"{e.name}-{name}" for e, name in MISTAKES])
def test_a_planted_mistake_fails_and_is_named(exercise: Exercise, name: str, kept: Judge) -> None:
    (mistake,) = (m for m in exercise.mistakes if m.name == name)
    verdict = kept.judge(exercise, mistake.text, seconds=60)
    fails(verdict)
    assert verdict.failure is not None
    assert verdict.failure.mistake == name
    assert verdict.failure.why == mistake.why


@pytest.mark.parametrize(("exercise", "wreck"), sampled())
def test_what_is_no_answer_fails(exercise: Exercise, wreck: str, judge: Judge) -> None:
    seconds = LOOP if wreck == "endless loop" else 60
    said = fails(judge.judge(exercise, WRECKS[wreck](exercise), seconds=seconds))
    expected = {
        "syntax error": f"{exercise.stem}.py, line",
        "sys.exit(0)": "sys.exit",
        "sys.exit(0) at the import": "sys.exit",
        "os._exit(0)": "ended",
        "crash": "ended",
        "endless loop": "not ended after",
        "exception": "ZeroDivisionError",
    }
    if wreck in expected:
        assert expected[wreck] in said


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.kind != "predict"], ids=str)
def test_a_constant_fails_even_where_it_is_right_once(exercise: Exercise, kept: Judge) -> None:
    fails(kept.judge(exercise, wrapped(exercise.solution, CONSTANT), seconds=60))


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.kind != "predict"], ids=str)
def test_changing_an_input_fails(exercise: Exercise, kept: Judge) -> None:
    verdict = kept.judge(exercise, wrapped(exercise.solution, CHANGING), seconds=60)
    if exercise.name in NOTHING_TO_CHANGE:
        assert verdict.passed
    else:
        fails(verdict)


@pytest.mark.parametrize("exercise", EXERCISES, ids=str)
def test_it_is_written_as_exercises_are(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 2
    assert len({m.name for m in exercise.mistakes}) == len(exercise.mistakes)
    assert all(m.why and m.name == m.name.strip(".") for m in exercise.mistakes)
    assert 1 <= len(exercise.hints) <= MOST_HINTS
    assert 1 <= exercise.difficulty <= 3
    assert exercise.minutes > 0
    assert exercise.after
    assert max(map(len, (ast.get_docstring(ast.parse(exercise.stub)) or "").splitlines())) <= 79  # of a terminal
    for check in check_texts(exercise.checks).values():
        assert check.title
        assert check.lines


@pytest.mark.parametrize("exercise", EXERCISES, ids=str)
def test_it_needs_only_earlier_exercises_and_names_them(exercise: Exercise) -> None:
    earlier = EXERCISES[: EXERCISES.index(exercise)]
    assert set(exercise.needs) <= {e.name for e in earlier}
    for text in (exercise.solution, exercise.checks, exercise.stub):
        assert set(re.findall(r"^from mine\.(\w+) import", text, re.MULTILINE)) <= set(exercise.needs)


def test_no_two_exercises_have_one_name() -> None:
    assert len(EXERCISES) == len(list(FOLDER.glob("*.md")))


def test_no_check_run_is_a_failure() -> None:
    verdict = Verdict(EXERCISES[0], checks=0, failure=None)
    assert not verdict.passed
    assert "no check was run" in message(verdict)
