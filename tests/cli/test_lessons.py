"""`gradus lessons` copies the course, and never over anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradus.cli import lessons
from tests.cli.commands import gradus, refused

LESSONS = Path(__file__).parents[2] / "lessons"


def test_every_lesson_is_copied_as_a_file_and_as_a_notebook(tmp_path: Path) -> None:
    result = gradus("lessons", tmp_path / "mine")
    assert result.exit_code == 0, result.output
    written = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    assert written == {path.name: path.read_bytes() for path in LESSONS.glob("[0-9]*")}
    assert {"01_derivatives.py", "01_derivatives.ipynb"} <= written.keys()
    assert "jupyter lab" in result.stdout


def test_a_lesson_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "01_derivatives.ipynb").write_text("mine")
    assert "01_derivatives.ipynb" in refused("lessons", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["01_derivatives.ipynb"]
    assert (tmp_path / "01_derivatives.ipynb").read_text() == "mine"


def test_a_gradus_without_lessons_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "PLACES", (tmp_path / "nowhere",))
    assert "no lessons" in refused("lessons", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
