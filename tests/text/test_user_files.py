"""The user's own files and folders, and the names that lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradus.errors import UserError
from gradus.text import load_corpus
from gradus.text.user_files import detect_kind

ALL = "corpora are words, pydocs, stdlib, toy, docstrings, reverse, sort, names, shakespeare"


def test_file_of_many_short_lines_is_documents(tmp_path: Path) -> None:
    path = tmp_path / "towns.txt"
    path.write_text("".join(f" town {i} \n" for i in range(20)), encoding="utf-8")
    corpus = load_corpus(str(path))
    assert (corpus.kind, corpus.name) == ("documents", "towns.txt")
    assert corpus.documents == tuple(f"town {i}" for i in range(20))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a\n" * 20, "documents"),
        ("a\n" * 19 + "a", "documents"),  # no newline at the end
        ("a\n" * 19, "stream"),  # not many
        ("a\n" * 20 + "\na\n", "stream"),  # a blank line
        ("a\n" * 20 + "  \n", "stream"),
        ("a\n" * 20 + "b" * 64 + "\n", "documents"),
        ("a\n" * 20 + "b" * 65 + "\n", "stream"),  # a long line
        ("word " * 1000, "stream"),
    ],
)
def test_kind_is_detected_by_its_rule(text: str, kind: str) -> None:
    assert detect_kind(text) == kind


def test_kind_overrides_what_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("one\n\ntwo\n", encoding="utf-8")
    assert load_corpus(str(path)).text == "one\n\ntwo\n"
    assert load_corpus(str(path), kind="documents").documents == ("one", "two")
    path.write_text("a\n" * 30, encoding="utf-8")
    assert load_corpus(str(path), kind="stream").text == "a\n" * 30
    with pytest.raises(ValueError, match="kind must be"):
        load_corpus(str(path), kind="documnets")  # type: ignore[arg-type]


def test_kind_of_a_named_corpus_cannot_be_changed() -> None:
    with pytest.raises(UserError, match="'pydocs' is of kind 'stream', and cannot be read as 'documents'"):
        load_corpus("pydocs", kind="documents")


def test_byte_order_mark_and_foreign_line_ends_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "windows.txt"
    path.write_bytes("\ufeffé\r\nb\rc".encode())
    assert load_corpus(str(path)).text == "é\nb\nc"


def test_folder_is_its_text_files_in_sorted_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name, data in {
        "c.txt": b"third\n",
        "b/2.md": b"second",  # ends without a newline
        "a.py": b"first\n",
        "empty.txt": b"",
        "picture.png": b"\x89PNG\0\xff",
        ".hidden": b"no",
        ".git/config": b"no",
    }.items():
        (tmp_path / name).write_bytes(data)
    assert load_corpus(str(tmp_path)).text == "first\nsecond\nthird\n"
    assert load_corpus(str(tmp_path)).kind == "stream"
    assert load_corpus(str(tmp_path), kind="documents").documents == ("first", "second", "third")


@pytest.mark.parametrize("content", ["", "\n \n\t"])
def test_empty_file_is_the_users_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "nothing.txt"
    path.write_text(content)
    with pytest.raises(UserError, match=r"nothing\.txt is empty"):
        load_corpus(str(path))


def test_empty_folder_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is empty: there is no text in the text files in"):
        load_corpus(str(tmp_path))


def test_file_that_is_not_utf8_is_named_with_the_wrong_byte(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("né en été".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.txt is not UTF-8: byte 1 is 0xe9 \(.*\); save it as UTF-8"):
        load_corpus(str(path))


def test_a_folder_leaves_out_what_is_no_text_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.txt").write_bytes("né en été".encode("latin-1"))
    (tmp_path / "late.bin").write_bytes(b"text " * 20_000 + b"\0")
    (tmp_path / "good.txt").write_text("good", encoding="utf-8")
    assert load_corpus(str(tmp_path)).text == "good\n"
    assert capsys.readouterr().err == (
        f"gradus: left out of {tmp_path}: what is no UTF-8 text (2: late.bin, latin.txt)\n"
    )


def test_a_folder_leaves_out_runs_and_climbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run in ("runs/cats-gpt-1", "runs/climb-1/gpt"):
        (tmp_path / run).mkdir(parents=True)
        for name in ("state.json", "config.toml", "tokenizer.json"):
            (tmp_path / run / name).write_text("{}", encoding="utf-8")
    for name in ("runs/climb-1/table.json", "runs/climb-1/index.html", "state.json", "config.toml", "runs/mine.txt"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    assert load_corpus(str(tmp_path)).text == "mine\n" * 3  # a project's own settings are text
    assert "runs and prepared texts (2: runs/cats-gpt-1, runs/climb-1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("shakespere", "no corpus or file named 'shakespere'; did you mean 'shakespeare'?"),
        ("Names", "no corpus or file named 'Names'; did you mean 'names'?"),
        ("zzz", f"no corpus or file named 'zzz'; {ALL}"),
        ("", f"no corpus or file named ''; {ALL}"),
        ("no\0file", f"no corpus or file named 'no\\x00file'; {ALL}"),
    ],
)
def test_unknown_name_names_the_nearest(asked: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_corpus(asked)
    assert str(caught.value) == message


def test_endless_name_is_no_file() -> None:
    with pytest.raises(UserError, match="no corpus or file named 'x"):
        load_corpus("x" * 5000)


def test_corpus_name_goes_before_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pydocs").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_corpus("./pydocs").text == "mine"
    assert load_corpus("pydocs").characters > 100_000
