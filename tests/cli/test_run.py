"""`gradus run`: the arguments' way to the program, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradus.cli import main


def run(*arguments: object) -> int:
    """The exit status of `gradus run ARGUMENTS`."""
    with pytest.raises(SystemExit) as caught:
        main.main(["run", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text("import sys, torch\nprint(sys.argv[1:], torch.ones(1).item())\nsys.exit(len(sys.argv) - 1)\n")
    return path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.ipynb"
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for source in ("1 / 0", "print('on')")
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_what_follows_the_program_is_the_programs(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, "--output=x", "--help", "a b", "-n", "3") == 5
    assert capsys.readouterr().out == "['--output=x', '--help', 'a b', '-n', '3'] 1.0\n"
    assert run(program) == 0


def test_a_failing_program_gives_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.py").write_text("raise ValueError('no')\n")
    assert run(tmp_path / "p.py") == 1
    assert capsys.readouterr().err.endswith("ValueError: no\n")


def test_a_name_that_is_not_supported_gives_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.py").write_text("import torch\ntorch.sparse_cool\n")
    assert run(tmp_path / "p.py") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_notebooks_options_may_follow_it(book: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.ipynb"
    assert run(book, "--out", new) == 1
    assert run(book, "--output", new, "--allow-errors") == 0
    assert run("--allow-errors", "--output", new, book) == 0
    cells = json.loads(new.read_text())["cells"]
    assert [cell["outputs"][0]["output_type"] for cell in cells] == ["error", "stream"]


def test_bad_input_is_one_line_and_status_2(
    program: Path, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        ["--output", "x.ipynb", program],
        [book, "argument"],
        [tmp_path / "none.py"],
        [],
        ["--nope", program],
    ):
        assert run(*arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1


def test_help_names_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--help"])
    assert "run " in capsys.readouterr().out
