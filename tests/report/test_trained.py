"""Runs of one text beside each other: each is asked the same, and what holds for some of them is said of those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.report.task import SHOWN
from gradus.report.trained import compare
from gradus.training import RunFolder, create_run, set_up, train_setup, write_beginning


def trained(text: Path, path: Path, **settings: Any) -> RunFolder:
    """A run of one step."""
    small = {"model": "gpt", "n_layer": 1, "n_head": 1, "n_embd": 8, "steps": 1}
    setup = set_up({"corpus": str(text), **small, **settings})
    run = create_run(setup, path)
    write_beginning(run, setup)
    train_setup(setup, run, evaluate=lambda _: 1.0)
    return run


@pytest.fixture(scope="module")
def runs(prose: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Runs with rows of 16 and of 64 characters, and one of byte pairs."""
    folder = tmp_path_factory.mktemp("trained")
    settings: dict[str, dict[str, Any]] = {
        "short": {"block_size": 16},
        "long": {"block_size": 64},
        "pairs": {"tokenizer": "bpe", "vocab_size": 270},
    }
    short, long, pairs = (trained(prose, folder / name, **more).path for name, more in settings.items())
    return short, long, pairs


def test_runs_of_other_rows_and_tokens_are_asked_the_same_and_told_apart(
    runs: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    record, folder = compare(runs, tmp_path / "one")
    assert {len(question.context) for question in record.questions} == {SHOWN}
    assert [len(rung.guesses) for rung in record.rungs] == [3, 3, 3]
    backwards, _ = compare(runs[::-1], tmp_path / "other")
    assert backwards.questions == record.questions
    assert {rung.title: rung.guesses for rung in backwards.rungs} == {r.title: r.guesses for r in record.rungs}
    whole, *some = record.captions
    assert whole == "Each loss is over the whole of its split."
    for start, part in (
        ("short: ", "windows of 16 characters"), ("long: ", "windows of 64 characters"),
        ("pairs: ", "windows of 64 tokens"), ("pairs: ", "The model reads tokens, of which there are 270"),
    ):  # fmt: skip
        assert any(caption.startswith(start) and part in caption for caption in some)
    assert len(some) == 4
    assert set(backwards.captions) == set(record.captions)
    assert "short: A model with a fixed context" in (folder / "index.html").read_text(encoding="utf-8")


def test_the_same_run_twice_is_one_run(runs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.symlink_to(runs[0])
    with pytest.raises(UserError, match="two different runs"):
        compare([runs[0], runs[0].parent / "." / "short", copy], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_documents_longer_than_a_row_are_said_to_be_cut(words: Path, tmp_path: Path) -> None:
    runs = [trained(words, tmp_path / str(size), block_size=size).path for size in (4, 16)]
    record, _ = compare(runs, tmp_path / "both")
    assert record.captions[1:] == ("4: Documents longer than 3 characters are read in pieces.",)
    assert any(len(question.context) > 4 for question in record.questions)
    assert all(len(rung.guesses) == len(record.questions) for rung in record.rungs)


def test_the_same_file_as_documents_and_as_a_stream_is_not_the_same_text(prose: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(prose.read_text(encoding="utf-8").replace(". ", ".\n"), encoding="utf-8")
    runs = [trained(text, tmp_path / kind, kind=kind, block_size=16).path for kind in ("documents", "stream")]
    with pytest.raises(UserError) as caught:
        compare(runs, tmp_path / "both")
    assert "documents learned text.txt, 3," in str(caught.value)
    assert "characters, as documents; " in str(caught.value)
    assert str(caught.value).endswith("characters, as stream")
