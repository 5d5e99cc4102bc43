"""docs/learn.md lists the exercises that there are; and in a real terminal keys are answered at once, without Enter."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.learn.exercise import catalogue, find
from gradus.learn.folder import Folder
from gradus.learn.message import BARS, _curves
from gradus.learn.modules import install, module_from_text
from gradus.learn.plain import plain

PAGE = Path(__file__).parents[2] / "docs" / "learn.md"


def test_the_page_lists_every_exercise() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line.split(" | ")[:3] for line in text.splitlines() if line.startswith("| ") and line[2].isdecimal()]
    assert rows == [[f"| {e}", e.title, e.kind] for e in catalogue().values()]
    assert f"The exercises of the lessons: {len(rows)}," in text
    transcript = text.split("```")[3]
    assert max(map(len, transcript.splitlines())) <= 80


def fitted(module: Any) -> Any:
    points = [(x / 4, 2.0 * x / 4 - 1.0) for x in range(-4, 5)]
    return module.fit(points, 40, 0.1)


def trained(module: Any) -> Any:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 120)
    return module.train(x, (x + rng.choice([1, 1, 1, 2], 120)) % 5, 5, 60, 8, 5.0, seed=0)


@pytest.mark.parametrize(("name", "run"), [("forgotten", fitted), ("minibatch", trained)])
def test_the_curves_in_the_problem_are_those_of_the_bug_and_of_the_solution(
    name: str, run: Callable[[Any], Any]
) -> None:
    exercise = find(name)
    install({})
    theirs, without = (plain(run(module_from_text(name, t, name))) for t in (exercise.stub, exercise.solution))
    curves = [line.split()[-1] for line in _curves(theirs, without)]
    assert [line.split()[-1] for line in exercise.stub.splitlines() if set(line) & set(BARS)] == curves


def test_the_losses_in_the_problem_are_those_of_the_bugs_and_of_the_solution() -> None:
    exercise = find("penalty")
    draw = random.Random(0)
    train, dev = np.zeros((5, 5)), np.zeros((5, 5))
    for N in (train, dev):
        for _ in range(30):
            i = draw.randrange(5)
            N[i, (i + draw.choice([1, 1, 1, 2, 2, 3])) % 5] += 1
    install({})
    for text, row in ((exercise.stub, "the friend's"), (exercise.solution, "true ")):
        choose = module_from_text("penalty", text, "penalty").choose
        losses = "    ".join(f"{choose(train, dev, [amount])[1]:.3f}" for amount in (0.001, 0.01, 0.1, 1.0))
        assert f"{row:<16}{losses}" in exercise.stub


def test_the_table_in_the_problem_is_that_of_the_bugs_and_of_the_solution() -> None:
    exercise = find("too_good")
    wrong = {mistake.name: mistake.text for mistake in exercise.mistakes}
    scored = ("asked.flatten(), ignore_index=-1", "asked.clamp(min=0).flatten()")
    texts = {
        "theirs": exercise.stub,
        "one bug mended": wrong["padding is attended to"].replace(*scored),
        "two bugs mended": wrong["padding is attended to"],
        "all three": exercise.solution,
    }
    for name, text in texts.items():
        install({"too_good": (name, text)})
        module = module_from_text("numbers", find("numbers").solution, "numbers")
        pieces, pairs = module.numbers_in_words()
        random.Random(1).shuffle(pairs)
        network = module.new_network(len(pieces), 32)
        losses = module.train(network, [pairs[:-15]] * 41)
        right = round(84 * module.exact(network, pairs[:-15]))
        (row,) = (line for line in exercise.stub.splitlines() if line.strip().startswith(name))
        first, last, shown = re.search(r"([\d.]+) +([\d.]+) +(\d+) of 84", row).groups()  # type: ignore[union-attr]
        assert losses[0] == pytest.approx(float(first), abs=0.05), name
        assert losses[40] == pytest.approx(float(last), rel=0.2, abs=5e-5), name
        assert right == pytest.approx(int(shown), abs=2), name


def test_the_histograms_in_the_problem_are_those_of_the_bugs_and_of_the_solution() -> None:
    exercise = find("histograms")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 20))
    raw = [rng.standard_normal(shape) for shape in ((20, 30), (30, 40), (40, 30), (30, 10))]
    install({})
    columns = []
    for text in (exercise.stub, exercise.solution):
        module = module_from_text("histograms", text, "histograms")
        counts = [np.histogram(given, 25, (-1, 1))[0] for given in module.forward(module.start(raw), x)]
        columns.append(["".join(BARS[round(7 * n / of.max())] for n in of) for of in counts])
    shown = [line.split()[-2:] for line in exercise.stub.splitlines() if set(line) & set(BARS)]
    assert shown == [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX terminal")
def test_a_key_in_a_terminal_needs_no_enter(tmp_path: Path) -> None:
    import pty
    import termios

    folder, _ = Folder.make(tmp_path / "exercises")
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [sys.executable, "-m", "gradus", "learn"], cwd=folder.path, stdin=theirs, stdout=theirs, stderr=theirs
    )
    shown = b""
    for key, until in (("", b"q quit"), ("l", b"2.3 order"), ("h", b"Hint 1 of 3")):
        os.write(ours, key.encode())
        while until not in shown:
            shown += os.read(ours, 65536)
    os.write(ours, b"q")
    assert process.wait(timeout=60) == 1  # the exercise has not passed
    assert termios.tcgetattr(theirs) == before
    os.close(theirs)
    os.close(ours)
