"""`gradus data`: plain fields in a pipe, a table in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gradus.cli.data import command
from gradus.errors import UserError
from tests.cli.commands import SMALL, gradus, refused, write_stream

NAMES = ["words", "pydocs", "stdlib", "toy", "docstrings", "reverse", "sort", "names", "shakespeare"]


@pytest.fixture
def list_file(tmp_path: Path) -> str:
    path = tmp_path / "list.txt"
    path.write_text("".join(f"item {i:02}\n" for i in range(50)), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_data_alone_lists_the_corpora_between_tabs(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names.txt").write_text("its content is not looked at")
    monkeypatch.setenv("GRADUS_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == NAMES
    assert lines[7] == ["names", "documents", str(tmp_path / "names.txt"), "makemore's 32,033 first names"]
    assert lines[8][2] == "to be downloaded, 1,115,394 bytes"


def test_list_in_a_terminal_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(command, ["list"], color=True).stdout
    assert "what it is" in shown
    assert "\x1b[1m" in shown
    assert "\t" not in shown
    assert all(name in shown for name in NAMES)


def test_show_counts_what_is_in_a_file(list_file: str) -> None:
    result = CliRunner().invoke(command, ["show", list_file])
    shown = dict(line.split("\t") for line in result.stdout.splitlines())
    assert shown == {
        "name": "list.txt",
        "kind": "documents",
        "source": f"the file {list_file}",
        "documents": "50, 50 distinct, 7 to 7 characters",
        "characters": "400, counting the end of each document",
        "alphabet": "16: '\\n 0123456789eimt'",
        "train": "40 documents, 320 characters",
        "dev": "5 documents, 40 characters",
        "test": "5 documents, 40 characters",
        "sample": "item 00, item 05, item 10, item 15, item 20, item 25, item 30, item 35, item 40, item 45",
    }


def test_show_takes_the_kind(list_file: str) -> None:
    shown = dict(
        line.split("\t")
        for line in CliRunner().invoke(command, ["show", list_file, "--kind", "stream"]).stdout.splitlines()
    )
    assert (shown["kind"], shown["characters"], shown["train"]) == ("stream", "400", "340 characters")
    assert "documents" not in shown


def test_show_of_a_text_too_small_to_split_says_so(tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text("abc", encoding="utf-8")
    result = CliRunner().invoke(command, ["show", str(tmp_path / "small.txt")])
    shown = dict(line.split("\t") for line in result.stdout.splitlines())
    assert shown["splits"].startswith("small.txt has only 3 characters, too few to split")


def test_table_shows_brackets_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "small.txt").write_text("[bold]hi[/]", encoding="utf-8")
    assert "'[bold]hi[/]'" in CliRunner().invoke(command, ["show", str(tmp_path / "small.txt")]).stdout


def test_unknown_corpus_is_the_users_error() -> None:
    result = CliRunner().invoke(command, ["show", "shakespere"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == "no corpus or file named 'shakespere'; did you mean 'shakespeare'?"


def test_a_text_is_prepared_verified_shown_and_trained(tmp_path: Path) -> None:
    text, out = write_stream(tmp_path), tmp_path / "prepared"
    prepare = ("data", "prepare", text, "--out", out, "--tokenizer", "chars", "--shard-tokens", "1000")
    result = gradus(*prepare)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "train 2,550 tokens, 2,550 characters, 2,550 bytes, in 3 shards",
        "dev   150 tokens, 150 characters, 150 bytes, in 1 shard",
        "test  300 tokens, 300 characters, 300 bytes, in 1 shard",
        f"train it by gradus train {out}",
    ]
    assert result.stderr.splitlines()[-1] == "tokenizing 100%  3,000 tokens"
    assert gradus("data", "verify", out).stdout == f"{out}: 5 shards are as they were written\n"
    shown = dict(line.split("\t") for line in gradus("data", "show", out).stdout.splitlines())
    assert shown["shards"] == "5, of at most 1,000 tokens, uint16"
    trained = gradus("train", out, *SMALL, "--steps", "2", "--out", tmp_path / "run")
    assert "prepared: 3,000 characters, 12 different ones" in trained.stdout
    assert gradus("eval", tmp_path / "run").stdout.startswith("test loss ")
    next(out.glob("train-00001-*")).unlink()
    assert "train-00001-" in refused("train", out, *SMALL, "--steps", "2")
    assert "train-00001-" in refused("data", "verify", out)
    assert "train-00001-" in refused(*prepare)
    assert "no corpus or file named 'nothing'" in refused("data", "prepare", "nothing", "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert "another tokenizer than bpe" in refused("data", "prepare", text, "--out", out, "--shard-tokens", "1000")


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradus.text.prepare", interrupted)
    result = gradus("data", "prepare", write_stream(tmp_path), "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert result.stderr == "\nstopped; the same command goes on where it was\n"
