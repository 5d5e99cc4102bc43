"""`gradus eval --worst`: the worst positions, with what came and what was expected, for networks and for counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradus.cli import main
from gradus.evaluation import worst
from gradus.training import RunFolder, load_model, reopen
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream


@pytest.mark.parametrize("model", ["ngram", "gpt"])
def test_the_worst_positions_are_shown_with_what_was_expected(model: str, tmp_path: Path) -> None:
    text = write_documents(tmp_path) if model == "ngram" else write_stream(tmp_path)
    flags = () if model == "ngram" else (*SMALL, "--steps", 3)
    assert gradus("train", text, "--model", model, "-o", tmp_path / "run", *flags).exit_code == 0
    shown = gradus("eval", tmp_path / "run", "--worst", 4).stdout
    loss, empty, head, *lines = shown.splitlines()
    assert loss.startswith("test loss ")
    assert empty == ""
    assert head.split() == ["nats", "probability", "context", "came", "expected", "instead"]
    run = RunFolder.open(tmp_path / "run")
    found = worst(load_model(run), reopen(run).rows("test"), 4)
    assert [float(line.split()[0]) for line in lines] == [round(one.loss, 2) for one in found]
    assert len(gradus("eval", tmp_path / "run", "--worst").stdout.splitlines()) == 3 + 10
    assert "\033" not in shown


def test_colours_are_for_terminals_and_those_that_want_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gradus("train", write_documents(tmp_path), "--model", "ngram", "-o", tmp_path / "run").exit_code == 0
    words = ["eval", str(tmp_path / "run"), "--worst"]
    monkeypatch.delenv("NO_COLOR", raising=False)
    colored = CliRunner().invoke(main, words, color=True).stdout
    assert re.search("\033\\[48;5;", colored)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in CliRunner().invoke(main, words, color=True).stdout


def test_a_number_of_positions_is_one_or_more(tmp_path: Path) -> None:
    assert "--worst" in refused("eval", tmp_path, "--worst", 0)
