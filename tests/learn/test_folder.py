"""The learner's folder: what it is made of, what passed and has changed since, and that nothing in it is lost."""

from __future__ import annotations

import queue
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gradus.errors import UserError
from gradus.learn import check
from gradus.learn.exercise import catalogue, find
from gradus.learn.folder import PROGRESS, Folder
from gradus.learn.session import Session
from gradus.learn.watch import END, Watcher
from tests.cli.commands import gradus, refused

SLOPE, GRADIENT = find("slope"), find("1.2")
WRONG = SLOPE.solution.replace("f(x + h) - f(x)", "f(x) - f(x + h)")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    made, new = Folder.make(tmp_path / "exercises")
    assert new == len(catalogue()) + 2
    monkeypatch.chdir(made.path)
    return made


def test_making_a_folder_again_leaves_what_is_there(folder: Folder) -> None:
    folder.file(SLOPE).write_text("mine")
    folder.file(GRADIENT).unlink()
    _, new = Folder.make(folder.path)
    assert new == 1
    assert folder.text(SLOPE) == "mine"


def test_what_has_passed_is_the_learners_own_until_it_changes(folder: Folder) -> None:
    with Session(folder) as session:
        folder.file(SLOPE).write_text(SLOPE.solution)
        assert session.check(SLOPE).passed
        assert list(folder.right()) == ["slope"]
        assert "mine.slope is gradus's own here" not in session.said(session.check(GRADIENT))
        folder.file(SLOPE).write_text(WRONG)
        assert folder.right() == {}
        assert session.table()[0][0] == "> changed"
        session.check(GRADIENT)
        assert session.table()[0][0] == "> changed"
        assert "mine.slope is gradus's own here" in session.said(session.check(GRADIENT))
        assert not session.check(SLOPE).passed
        assert folder.progress().passed == {}


def test_the_learners_code_cannot_write_its_own_progress(folder: Folder) -> None:
    path = str(folder.path / PROGRESS)
    forged = "\n".join(f"passed {name} {'0' * 64}" for name in catalogue())
    folder.file(SLOPE).write_text(WRONG + f"\nopen({path!r}, 'a').write({forged!r})\n")
    with Session(folder) as session:
        assert not session.check(SLOPE).passed
    assert folder.progress().passed == {}


def test_a_reset_keeps_copies(folder: Folder) -> None:
    for text in ("first", "second"):
        folder.file(SLOPE).write_text(text)
        copy = folder.reset(SLOPE)
        assert copy is not None
        assert copy.read_text() == text
        assert folder.text(SLOPE) == SLOPE.stub
    assert folder.reset(SLOPE) is None
    assert len(list((folder.path / "copies").iterdir())) == 2


def test_a_script_of_the_folder_imports_mine(folder: Folder) -> None:
    folder.file(GRADIENT).write_text(GRADIENT.solution + "\nprint(gradient(lambda xs: xs[0] * 2, [1.0], 0.5))\n")
    command = [sys.executable, folder.file(GRADIENT).name]
    assert subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=True).stdout == "[2.0]\n"


def watched(folder: Folder, keys: str, before: Mapping[int, Callable[[], object]] | None = None) -> list[str]:
    """What the watcher says while keys are pressed; `before` the key of a number something else is done."""
    said: list[str] = []
    waiting = dict(before or {})

    class Keys(queue.Queue[str]):
        pressed = quiet = 0

        def get(self, block: bool = True, timeout: float | None = None) -> str:
            if self.pressed in waiting:
                waiting.pop(self.pressed)()
                self.quiet = 2  # looks at the file with no key between
            if self.quiet:
                self.quiet -= 1
                raise queue.Empty
            self.pressed += 1
            return super().get(block, timeout)

    presses = Keys()
    for key in (*keys, END):
        presses.put(key)
    with Session(folder, ahead=True) as session:
        Watcher(session, said.append, presses).run()
    return said


def test_the_watcher_checks_at_each_save(folder: Folder) -> None:
    saves = {0: lambda: folder.file(SLOPE).write_text(WRONG), 1: lambda: folder.file(SLOPE).write_text(SLOPE.solution)}
    said = watched(folder, "h", saves)
    assert "None came" in said[1]
    assert "A known mistake: the difference taken the wrong way round" in said[2]
    assert said[3].startswith("Hint 1 of 3")
    assert said[4].startswith("✓ 1.1 slope: passed, 5 checks")


def test_the_watchers_keys(folder: Folder) -> None:
    folder.file(SLOPE).write_text(WRONG)
    said = watched(folder, "hhhhsnsyxnxylcn?q")
    assert [text.split(":")[0] for text in said[2:5]] == [f"Hint {i} of 3" for i in (1, 2, 3)]
    assert "the solution is the next step" in said[5]
    assert said[6] == said[7] == "Show the solution? y/n"
    assert said[8] == SLOPE.solution
    assert "copies/01_1_slope.1.py" in said[11]
    assert folder.text(SLOPE) == SLOPE.stub
    assert "1.2 gradient" in said[13]
    assert "0 of " in said[14]
    assert said[15].startswith("1.2 gradient: A slope for each input")
    assert said[17].startswith("n next")


def test_next_goes_to_the_first_that_has_not_passed(folder: Folder) -> None:
    with Session(folder) as session:
        folder.file(GRADIENT).write_text(GRADIENT.solution)
        assert session.check(GRADIENT).passed
        assert session.next().startswith("1.3 error_curve")
        last = list(catalogue().values())[-1]
        session.go(last)
        assert session.next().startswith("1.1 slope")


def test_the_commands(folder: Folder) -> None:
    folder.file(SLOPE).write_text(WRONG)
    assert gradus("learn", "check").exit_code == 1
    folder.file(SLOPE).write_text(SLOPE.solution)
    result = gradus("learn", "check", "slope")
    assert (result.exit_code, result.stdout.splitlines()[0][:21]) == (0, "✓ 1.1 slope: passed, ")
    assert gradus("learn", "check", "--all").stdout.splitlines()[-1].startswith("1 of ")
    assert gradus("learn", "goto", "2.3").stdout.startswith("2.3 order")
    assert gradus("learn", "hint").stdout.startswith("Hint 1 of 3")
    assert gradus("learn", "list").stdout.splitlines()[0].split("\t")[:2] == ["passed", "1.1 slope"]
    assert gradus("learn", "reset", "slope", "--yes").exit_code == 0
    assert folder.text(SLOPE) == SLOPE.stub
    assert gradus("learn", "solution", "slope", "--yes").stdout.strip() == SLOPE.solution.strip()


def test_what_is_wrong_is_said_in_one_line(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "did you mean gradient?" in refused("learn", "check", "gradeint")
    assert "did you mean gradus learn reset?" in refused("learn", "rest")
    assert "not both" in refused("learn", "check", "slope", "--all")
    folder.file(SLOPE).unlink()
    assert "gradus learn reset slope" in refused("learn", "check", "slope")
    folder.file(SLOPE).write_bytes(b"\xff")
    assert "UTF-8" in refused("learn", "check", "slope")
    monkeypatch.chdir(folder.path.parent.parent)
    assert "gradus learn init" in refused("learn")
    other = folder.path.parent / "other"
    other.mkdir()
    (other / "progress.txt").write_text("another program's")
    assert "no progress.txt of gradus learn's" in refused("learn", "init", other)
    assert [path.name for path in other.iterdir()] == ["progress.txt"]


def test_in_a_notebook(folder: Folder) -> None:
    folder.file(SLOPE).write_text(SLOPE.solution)
    shown = check("slope")
    assert shown.passed
    assert "passed" in repr(shown)
    assert "<pre" in shown._repr_html_()
    path = folder.path / "cell.py"
    path.write_text(WRONG)
    shown = check(runpy.run_path(str(path))["slope"])
    assert not shown.passed
    assert "the wrong way round" in repr(shown)
    path.write_text("def probabilities(counts, amount):\n    return counts\n")
    assert not check(runpy.run_path(str(path))["probabilities"]).passed  # of the exercise that defines it
    with pytest.raises(UserError, match="there is no exercise 'watched'"):
        check(watched)


@pytest.mark.parametrize("name", ["moons", "bigram", "nplm", "by_hand"])
def test_a_milestone_is_a_program_that_shows_something(folder: Folder, name: str) -> None:
    milestone = find(name)
    folder.file(milestone).write_text(milestone.solution)
    command = [sys.executable, folder.file(milestone).name]
    lines = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=True).stdout.splitlines()
    if name == "moons":
        losses = [float(line) for line in lines if line[0].isdecimal()]
        assert losses[-1] < losses[0] / 2
        assert {"#", "·"} <= set(lines[-1] + lines[-8])
    else:
        assert lines[0].startswith("loss on dev 2.")
        assert len(lines) == 11
