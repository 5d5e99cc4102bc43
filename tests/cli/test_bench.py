"""`gradus bench`: a table and a file of figures; bad input is one line; Ctrl-C leaves what was done."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from gradus.bench import rounds
from gradus.bench.machine import cores
from tests.cli.commands import gradus, refused


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither PyTorch nor micrograd is installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("torch", "micrograd") else find(name)
    )


@pytest.mark.usefixtures("alone")
def test_a_row_is_measured_and_written_down_even_without_pytorch(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    result = gradus("bench", "mlp", "--quick", "--threads", "1", "--json", file)
    assert result.exit_code == 0, result.output
    assert "mlp, 1 thread: round 1 of 3" in result.stderr
    line = result.stdout.splitlines()[1]
    assert line.startswith("mlp ")
    assert "not installed" in line
    assert "PyTorch is not installed, so gradus is measured alone: pip install 'gradus-lm[torch]'" in result.stdout
    written = json.loads(file.read_text(encoding="utf-8"))
    assert {"machine", "threads", "quick", "interrupted", "lines", "notes"} == set(written)
    assert {"processor", "cores", "Python", "NumPy", "Numba"} <= set(written["machine"])
    (measured,) = written["lines"]
    assert measured["threads"] == 1
    assert measured["goal"] == {"is": "at least", "reach": 1.8, "aim": 2.8, "verdict": None}
    assert len(measured["contestants"]["gradus"]["rounds"]) == 3
    assert measured["contestants"]["gradus"]["median"] > 0
    assert measured["absent"]["PyTorch"] == "not installed"


@pytest.mark.usefixtures("alone")
def test_ctrl_c_prints_what_was_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    measure = rounds.measure

    def interrupted(row: Any, *rest: Any) -> Any:
        if row.name == "floor":
            raise KeyboardInterrupt
        return measure(row, *rest)

    monkeypatch.setattr(rounds, "measure", interrupted)
    file = tmp_path / "bench.json"
    result = gradus("bench", "mlp", "floor", "--quick", "--threads", "1", "--json", file)
    assert result.exit_code == 130
    assert result.stdout.splitlines()[1].startswith("mlp ")
    assert "Interrupted: the table holds what was done by then." in result.stdout
    assert json.loads(file.read_text(encoding="utf-8"))["interrupted"]


def test_bad_input_is_one_line() -> None:
    assert refused("bench", "gtp-small") == "no row is called 'gtp-small'; did you mean gpt-small?"
    message = f"threads must be at most the {cores()} cores of this machine, got 1000"
    assert refused("bench", "mlp", "--threads", "1,1000") == message
    assert "'1;2' is not a list of numbers of threads" in refused("bench", "mlp", "--threads", "1;2")
    assert "'0,1' is not a list of numbers of threads" in refused("bench", "mlp", "--threads", "0,1")


def test_help_names_the_rows() -> None:
    text = gradus("bench", "--help").stdout
    assert "gpt-large" in text
    assert "--threads" in text
