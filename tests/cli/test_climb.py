"""`gradus climb`: the table first, the page's path last; bad input is one line and status 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradus.cli import main


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("\n".join(a + b + c for a in "bdfk" for b in "aeiou" for c in "lmnr"), encoding="utf-8")
    return path


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return int(caught.value.code or 0)


def test_climb_prints_the_table_and_then_the_path_of_the_page(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "climb"
    arguments = ["climb", str(words), "--minutes", "0.01", "--seed", "5", "--out", str(out)]
    assert run([*arguments, "--model", "bigram"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(out / "index.html")
    assert lines[-3] == f"generate text: gradus sample {out / 'bigram'}"
    assert lines[-2] == f"look inside: gradus explore {out / 'bigram'}"
    head = next(i for i, line in enumerate(lines) if line.startswith("model "))
    table = json.loads((out / "table.json").read_text(encoding="utf-8"))
    assert [rung["title"] for rung in table["rungs"]] == ["bigram network"]
    for line, rung in zip(lines[head + 1 :], table["rungs"], strict=False):
        assert f"{rung['test']:.4f}" in line
    command = f"gradus climb {words} --minutes 0.01 --seed 5 --model bigram"
    assert table["command"] == command
    assert command in (out / "index.html").read_text(encoding="utf-8")


def test_a_rung_is_a_run_that_writes(words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "climb"
    assert run(["climb", str(words), "--out", str(out), "--model", "ngram"]) == 0
    capsys.readouterr()
    assert run(["sample", str(out / "ngram-2"), "--num", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_default_folder_is_numbered_and_named_after_the_corpus(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        assert run(["climb", str(words), "--model", "ngram"]) == 0
        path = Path(f"runs/climb-words.txt-{number}/index.html")
        assert capsys.readouterr().out.splitlines()[-1] == str(path)
        assert path.is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no corpus or file named 'nonsense'"),
        (["word"], "did you mean 'words'?"),
        (["--model", "gtp"], "no rung of the ladder is called 'gtp'; it has ngram, bigram, nplm, mlp, wavenet"),
        (["--minutes", "0"], "0"),
        (["--minutes", "soon"], "'soon' is not a valid float"),
        (["--seed", "-1"], "-1"),
    ],
)
def test_bad_input_is_one_line_and_status_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["climb", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_text_too_short_to_split_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "short.txt").write_text("ab\n", encoding="utf-8")
    assert run(["climb", str(tmp_path / "short.txt"), "--out", str(tmp_path / "climb")]) == 2
    assert "too few to split" in capsys.readouterr().err
    assert not (tmp_path / "climb").exists()
