"""Whether what a learner has written is right: what came from it, beside what comes from the solution.

Both run on the same inputs, drawn anew each time, in processes of their own: the learner's in a new one, the solution
and the known mistakes in one that never runs anything else. The verdict is made here, from plain data. A mistake is
known by its answers: where the learner's code gives what a planted mistake gives, it is that mistake, however written.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from gradus.learn.compare import difference, shape_of_it
from gradus.learn.exercise import Exercise, all_needs, catalogue, check_texts
from gradus.learn.plain import Plain
from gradus.learn.worker import OutOfTime, Worker

OURS = 300.0  # seconds that a solution may take, on however busy a machine


@dataclass
class Answers:
    """What came of running an exercise's cases on a module, until it ended."""

    lines: list[dict[str, Any]] = field(default_factory=list)  # one a case: came and after, or error
    begun: list[dict[str, Any]] = field(default_factory=list)  # of each case: the check's name, tolerance, arguments
    failed: dict[str, Any] | None = None  # the error at the import
    printed: str = ""
    late: bool = False  # it ran out of time
    whole: bool = False  # all cases were run


@dataclass(frozen=True)
class Failure:
    """The first thing that is wrong."""

    what: str  # one line
    index: int | None = None  # of the case, None if it is the file that does not run
    title: str = ""
    lines: str = ""
    arguments: Mapping[str, Plain] = field(default_factory=dict)
    came: Plain | None = None
    expected: Plain | None = None
    tolerance: float = 0.0  # within which the two are compared
    mistake: str = ""
    why: str = ""


@dataclass(frozen=True)
class Verdict:
    """What `check` says of an exercise."""

    exercise: Exercise
    checks: int
    failure: Failure | None
    printed: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.failure is None and self.checks > 0


class Judge:
    """Judges texts. Keeps one process for the solutions, and one in reserve for the next learner's text.

    Args:
        ahead: start the next process as soon as one has been used, so that the next verdict comes sooner.
        fresh: a new process for each text. Only for texts of our own, many of them, it need not be.
        naming: seconds that may be spent on finding a mistake's name.
    """

    def __init__(self, *, ahead: bool = False, fresh: bool = True, naming: float = 5.0) -> None:
        self.ahead = ahead
        self.fresh = fresh
        self.naming = naming
        self._trusted: Worker | None = None
        self._reserve: Worker | None = None

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def end(self) -> None:
        """End all processes."""
        for worker in (self._trusted, self._reserve):
            if worker is not None:
                worker.end()
        self._trusted = self._reserve = None

    def prepare(self, exercise: Exercise) -> None:
        """Start the processes that a verdict on the exercise needs, if they are not running."""
        if self._reserve is None:
            self._reserve = Worker(_imports(exercise))
        self._prepare_ours(exercise)

    def _prepare_ours(self, exercise: Exercise) -> None:
        if self._trusted is None:
            self._trusted = Worker(_imports(exercise))

    def judge(
        self,
        exercise: Exercise,
        text: str,
        file: str = "",
        right: Mapping[str, Sequence[str]] | None = None,
        seconds: float | None = None,
    ) -> Verdict:
        """Run the checks of an exercise on a text.

        Args:
            file: what messages call the text's file; by default the exercise's.
            right: the learner's own modules that it may import, see `modules`; gradus's own stand in for the others.
            seconds: the time limit, by default the exercise's.
        """
        started = time.monotonic()
        job = {
            "exercise": exercise.name,
            "text": text,
            "file": file or f"{exercise.stem}.py",
            "mine": {name: list(pair) for name, pair in (right or {}).items()},
            "seed": random.SystemRandom().randrange(1 << 30),
        }
        seconds = exercise.seconds if seconds is None else seconds
        self.prepare(exercise)
        assert self._reserve is not None
        assert self._trusted is not None
        worker, self._reserve = self._reserve, None
        with worker if self.fresh else nullcontext():
            worker.send(job)
            self._trusted.send(job | {"text": exercise.solution, "mine": {}})  # at the same time
            came = _answers(worker, seconds)
        if not self.fresh:
            self._reserve = self._kept(worker, came)
        expected = self._answers_of_ours(OURS)
        if not expected.whole or any("error" in line for line in expected.lines):
            raise RuntimeError(f"the solution of {exercise} does not run: {expected.failed or expected.lines[-1:]}")
        try:
            failure = _first_failure(exercise, came, expected, seconds)
            if failure is not None and failure.index is not None:
                failure = self._named(exercise, job, came, expected, failure)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # lines that our own code did not write
            what = "what the process sent is not what the checks send; does the code write where it should not?"
            failure = Failure(what)
        if self.ahead:
            self.prepare(exercise)
        return Verdict(exercise, len(expected.lines), failure, came.printed, time.monotonic() - started)

    def _answers_of_ours(self, seconds: float) -> Answers:
        """The answers of a text of ours. The process is given up if it takes too long, or ends."""
        assert self._trusted is not None
        answers = _answers(self._trusted, seconds)
        self._trusted = self._kept(self._trusted, answers)
        return answers

    @staticmethod
    def _kept(worker: Worker, answers: Answers) -> Worker | None:
        """The process, if it has answered to the end and waits for the next job; else it is ended."""
        if answers.late or not (answers.whole or answers.failed):
            worker.end()
            return None
        return worker

    def _named(
        self, exercise: Exercise, job: Mapping[str, Any], came: Answers, expected: Answers, failure: Failure
    ) -> Failure:
        """The failure with the name of its mistake, where a planted one gives the same answers."""
        until = time.monotonic() + self.naming
        candidates = list(exercise.mistakes)
        agreement: dict[str, int] = {}
        for last in (failure.index, len(expected.lines)):  # the cases after the failure only of those that may be it
            for mistake in candidates:
                if (left := until - time.monotonic()) > 0:
                    self._prepare_ours(exercise)
                    assert self._trusted is not None
                    self._trusted.send({**job, "text": mistake.text, "mine": {}, "last": last})
                    theirs = self._answers_of_ours(left)
                    if not theirs.late:
                        agreement[mistake.name] = _agreement(came, theirs, expected, failure)
            candidates = [m for m in candidates if agreement.get(m.name)]
        if not candidates:
            return failure
        mistake = max(candidates, key=lambda m: agreement[m.name])
        return replace(failure, mistake=mistake.name, why=mistake.why)


def _answers(worker: Worker, seconds: float) -> Answers:
    answers = Answers()
    try:
        for line in worker.lines(seconds):
            answers.printed += str(line.get("printed", ""))
            if "begins" in line:
                answers.begun.append(line)
            elif "index" in line and line["index"] == len(answers.lines):
                answers.lines.append(line)
            elif "failed" in line:
                answers.failed = line["failed"]
            answers.whole = answers.whole or "end" in line
    except OutOfTime:
        answers.late = True
    return answers


def _first_failure(exercise: Exercise, came: Answers, expected: Answers, seconds: float) -> Failure | None:
    """The first case in which something else came than was expected; a file that doesn't run; or no case at all."""
    if came.failed is not None:
        return Failure(_error_line(came.failed))
    if not expected.lines:
        return Failure("no check was run, so nothing has passed")
    texts = check_texts(exercise.checks)
    for index, (case, ours) in enumerate(zip(expected.begun, expected.lines, strict=True)):
        said = texts[case["name"]]
        arguments = dict(zip(said.parameters, case["arguments"], strict=True))
        at = Failure("", index, said.title, said.lines, arguments, None, ours["came"])
        if index >= len(came.lines):
            late = f"it has not ended after {seconds:g} seconds; is there a loop without an end?"
            gone = "the process ended before this check did; does the code exit, or crash Python?"
            return replace(at, what=late if came.late else gone)
        line = came.lines[index]
        if "error" in line:
            return replace(at, what=_error_line(line["error"]))
        if (gap := difference(line["came"], ours["came"], case["tolerance"])) is not None:
            what = _explained(line, gap, ours["came"], case["tolerance"])
            return replace(at, what=what, came=line["came"], tolerance=case["tolerance"])
        for name, was, theirs, after in zip(
            said.parameters, case["arguments"], line["after"], ours["after"], strict=True
        ):
            to_stay = difference(was, after, 0.0) is None
            if difference(theirs, after, 0.0 if to_stay else case["tolerance"]) is not None:
                what = f"it changes its input {name}; make a new one, and leave what you were given as it is"
                if not to_stay:
                    what = f"it should change {name} where it is, and what it makes of it is not what was expected"
                return replace(at, what=what, came=theirs, expected=was if to_stay else after)
    return None if came.whole else Failure("the process ended before all checks were run")


def _explained(line: Mapping[str, Any], gap: str, expected: Plain, tolerance: float) -> str:
    """The difference, or what an answer that is none comes from."""
    kind = line["came"]["kind"]
    if kind == "todo":
        return "the TODO is still there"
    if kind == "nothing" and line.get("printed"):
        return "it prints its answer and returns None; a function gives its answer back with return"
    if kind == "nothing":
        return "None came: a function without return gives None"
    looks = shape_of_it(line["came"], expected, tolerance)
    return f"{gap}. It is {looks}" if looks else gap


def _agreement(came: Answers, theirs: Answers, expected: Answers, failure: Failure) -> int:
    """On how many cases a mistake's answers are those that came; 0 if not on the one that failed, or if on another one
    the mistake gives a wrong answer where the right one came."""
    index = failure.index
    assert index is not None
    agree = 0
    for i, (a, b, right) in enumerate(zip(came.lines, theirs.lines, expected.lines, strict=False)):
        tolerance = max(1e-6, expected.begun[i]["tolerance"])
        same, wrong = _same(a, b, tolerance), not _same(b, right, tolerance)
        if (i == index and not (same and wrong)) or (wrong and _same(a, right, tolerance)):
            return 0
        agree += same
    return agree if index < min(len(came.lines), len(theirs.lines)) else 0


def _same(a: Mapping[str, Any], b: Mapping[str, Any], tolerance: float) -> bool:
    if "error" in a or "error" in b:
        return "error" in a and "error" in b and a["error"]["type"] == b["error"]["type"]
    if difference(a["came"], b["came"], tolerance) is not None:
        return False
    return all(difference(x, y, 1e-9) is None for x, y in zip(a["after"], b["after"], strict=False))


def _error_line(error: Mapping[str, Any]) -> str:
    """An error in one line, with the line of the learner's file."""
    name, message = error["type"], error["message"]
    code = f", `{error['code']}`" if error.get("code") else ""
    at = f"{error['file']}, line {error['line']}{code}: " if "line" in error else ""
    if name == "SystemExit":
        return f"{at}the code calls sys.exit or exit; leave that out, the checks have to run to their end"
    if not at and "NoneType" in message:
        return "something came back as None: does each function return its answer?"
    if not at:
        return f"the check cannot go on with what came back: {name}: {message}"
    if name == "RecursionError":
        return f"{at}RecursionError: a function calls itself without end, or too deeply"
    return f"{at}{name}: {message}" if message else f"{at}{name}"


def _imports(exercise: Exercise) -> list[str]:
    """The libraries that an exercise and what it needs import, to be there before its text is."""
    text = exercise.solution + exercise.checks + "".join(catalogue()[name].solution for name in all_needs(exercise))
    libraries = {"import numpy": "numpy", "gradus.engine": "gradus.engine", "gradus.backend": "gradus.engine"}
    return list(dict.fromkeys(library for sign, library in libraries.items() if sign in text))
