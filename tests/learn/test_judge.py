"""Nothing that a learner's code does makes it pass, what it prints and where it fails is said, and what it has started
ends with it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradus.learn.exercise import catalogue
from gradus.learn.judge import Judge, Verdict
from gradus.learn.message import message

SLOPE = catalogue()["slope"]

FORGED = """
import json, os
for number in range(3, 64):
    try:
        for line in ({line}):
            os.write(number, json.dumps(line).encode() + b"\\n")
    except OSError:
        pass
os._exit(0)
"""

REPLACED = """
import builtins, json, sys
import gradus.learn.child, gradus.learn.compare, gradus.learn.judge, gradus.learn.plain
from gradus.learn.exercise import Exercise

gradus.learn.compare.difference = gradus.learn.judge.difference = lambda *a: None
gradus.learn.judge._first_failure = lambda *a: None
gradus.learn.checks.all_cases = gradus.learn.child.all_cases = lambda module: iter(())

class Everything(float):
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda *a: True
    __sub__ = __rsub__ = __abs__ = lambda *a: Everything(0.0)
    __hash__ = None

def slope(f, x, h=1e-6):
    return Everything(1.0)
"""


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


def of_slope(judge: Judge, text: str, seconds: float = 60) -> Verdict:
    return judge.judge(SLOPE, text, seconds=seconds)


@pytest.mark.parametrize(
    "lines",
    [
        '{"end": True},',
        '{"begins": 0}, {"index": 0}, {"end": True}',
        '*({"index": i, "came": {"kind": "number", "value": "nan"}, "after": []} for i in range(9)), {"end": True}',
        '{"index": 0, "came": 3, "after": 4}, {"end": True}',
        "3, None, [1]",
        '{"passed": True}, {"ready": True}, {"end": 1}',
    ],
)
def test_forged_answers_do_not_pass(judge: Judge, lines: str) -> None:
    verdict = of_slope(judge, FORGED.replace("{line}", lines))
    assert not verdict.passed
    assert verdict.failure is not None
    assert verdict.failure.what


def test_an_exercise_has_no_module_of_its_own_to_copy_from(judge: Judge) -> None:
    verdict = of_slope(judge, "from mine.slope import *")
    assert not verdict.passed
    assert "No module named 'mine.slope'" in " ".join(message(verdict).split())


def test_a_result_that_is_cut_from_its_graph_does_not_pass(judge: Judge) -> None:
    value = catalogue()["value"]
    broken = value.solution.replace("return Value(y, (self,), (1 - y * y,))", "return Value(y)")
    assert broken != value.solution
    assert not judge.judge(value, broken).passed


@pytest.mark.parametrize("line", ["return 10**400", "return '\\ud800'", "raise ValueError('\\ud800')"])
def test_a_strange_answer_is_a_failure_and_no_traceback(judge: Judge, line: str) -> None:
    verdict = of_slope(judge, f"def slope(f, x, h=1e-6):\n    {line}\n")
    assert not verdict.passed
    assert message(verdict).encode()


def test_replacing_the_checker_in_its_own_process_does_not_pass(judge: Judge) -> None:
    assert not of_slope(judge, REPLACED).passed
    assert of_slope(judge, SLOPE.solution).passed  # nor does it harm the next one


def test_what_was_printed_and_the_line_that_failed_are_said(judge: Judge) -> None:
    verdict = of_slope(judge, "def slope(f, x, h=1):\n    print('x is', x)\n    return f(x) / 0\n")
    assert verdict.failure is not None
    assert verdict.failure.what == "01_1_slope.py, line 3, `return f(x) / 0`: ZeroDivisionError: float division by zero"
    assert "x is 3.0" in verdict.printed
    assert "    x is 3.0" in message(verdict)


def test_a_missing_function_is_named(judge: Judge) -> None:
    verdict = of_slope(judge, "")
    assert verdict.failure is not None
    assert "has no attribute 'slope'" in verdict.failure.what


def test_printing_in_place_of_returning_is_said(judge: Judge) -> None:
    verdict = of_slope(judge, "def slope(f, x, h=1e-6):\n    print((f(x + h) - f(x)) / h)\n")
    assert verdict.failure is not None
    assert "prints its answer and returns None" in verdict.failure.what


def test_reading_input_does_not_wait_for_ever(judge: Judge) -> None:
    verdict = of_slope(judge, "def slope(f, x, h=1e-6):\n    return float(input())\n")
    assert verdict.failure is not None
    assert "EOFError" in verdict.failure.what


def test_endless_memory_and_endless_recursion_end(judge: Judge) -> None:
    for body, said in (("slope(f, x, h)", "calls itself without end"), ("[0] * 10**10", "MemoryError")):
        verdict = of_slope(judge, f"def slope(f, x, h=1e-6):\n    return {body}\n")
        assert verdict.failure is not None
        assert said in verdict.failure.what


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_what_the_code_has_started_ends_with_it(judge: Judge, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
    )
    assert of_slope(judge, SLOPE.solution + code).passed
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split()[2] if Path("/proc").is_dir() else ""
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return
        if state == "Z":
            return
    pytest.fail("it is still there")


def test_a_learners_own_module_is_what_a_later_exercise_imports(judge: Judge) -> None:
    exercise = catalogue()["gradient"]
    wrong = SLOPE.solution.replace("/ h", "/ h * 2")
    right = {"slope": ("01_1_slope.py", SLOPE.solution)}
    assert judge.judge(exercise, exercise.solution, right=right, seconds=60).passed
    assert not judge.judge(exercise, exercise.solution, right={"slope": ("01_1_slope.py", wrong)}, seconds=60).passed
    assert judge.judge(exercise, exercise.solution, right={}, seconds=60).passed


def test_a_prediction_that_is_wrong_does_not_show_the_right_one(judge: Judge) -> None:
    exercise = catalogue()["predict_slope"]
    text = message(judge.judge(exercise, exercise.solution.replace("= 6", "= 7"), seconds=60))
    assert "came      7" in text
    assert "6" not in text.split("came")[1]


def test_what_is_to_be_changed_may_be_rounded_otherwise(judge: Judge) -> None:
    nplm = catalogue()["nplm"]
    step = "p -= (rate if step < 0.6 * steps else rate / 10) * g"
    assert nplm.solution.count(step) == 1
    rounded = nplm.solution.replace(step, "p -= (rate if step < 0.6 * steps else 0.1 * rate) * g")
    assert judge.judge(nplm, rounded, seconds=60).passed
    other = nplm.solution.replace("return losses", "parameters[0][0, 0] += 1\n    return losses")
    verdict = judge.judge(nplm, other, seconds=60)
    assert verdict.failure is not None
    assert "should change parameters where it is" in verdict.failure.what


def test_a_mistake_is_not_named_where_its_other_wrong_answers_are_right(judge: Judge) -> None:
    minibatch = catalogue()["minibatch"]
    right = "step < 0.6 * steps"
    assert minibatch.solution.count(right) == 1
    never = judge.judge(minibatch, minibatch.solution.replace(right, "step < 100_000"), seconds=60)
    assert never.failure is not None
    assert never.failure.mistake == "a rate that never falls"
    one_late = judge.judge(minibatch, minibatch.solution.replace(right, "step <= 0.6 * steps"), seconds=60)
    assert one_late.failure is not None
    assert one_late.failure.index == never.failure.index
    assert not one_late.failure.mistake


def test_of_a_long_answer_the_part_that_differs_is_shown(judge: Judge) -> None:
    nplm = catalogue()["nplm"]
    other = nplm.solution.replace("X, C), dW1, db1, dW2, db2]", "X, C), dW1, db1, dW2, db2 * 2]")
    assert other != nplm.solution
    said = message(judge.judge(nplm, other, seconds=60))
    assert "came[1][4] [" in said
    assert "expected[1][4] [" in said
