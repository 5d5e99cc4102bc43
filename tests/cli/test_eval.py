"""`gradus eval` on a text of the user's, on HellaSwag, and of several runs."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.commands import SMALL, gradus, refused, write_stream


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of characters and of bytes in pairs, on the same text."""
    folder = tmp_path_factory.mktemp("runs")
    text = write_stream(folder)
    made = []
    for name, flags in (("chars", ()), ("bpe", ("--tokenizer", "bpe", "--vocab-size", "270"))):
        made.append(folder / name)
        assert gradus("train", text, *SMALL, "--steps", 20, "--out", made[-1], *flags).exit_code == 0
    return made[0], made[1]


def figures(line: str) -> dict[str, float]:
    """The numbers of a line by the word after each."""
    words = line.replace(",", "").split()
    return {after: float(word) for word, after in pairwise(words) if word[0].isdigit()}


def test_a_text_is_measured_whole_with_its_perplexity(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("the cat ate the mat " * 9, encoding="utf-8")
    line = gradus("eval", runs[0], "--text", tmp_path / "own.txt").stdout
    assert line.startswith(f"{tmp_path / 'own.txt'}: perplexity ")
    said = figures(line.replace("perplexity ", ""))
    assert said["characters"] == 179  # all but the first, which nothing precedes
    perplexity = float(line.split("perplexity ")[1].split(",")[0])
    assert perplexity == pytest.approx(math.exp(said["nats"]), abs=1e-3)
    slid = gradus("eval", runs[0], "--text", tmp_path / "own.txt", "--stride", 1).stdout
    assert figures(slid)["nats"] != said["nats"]


def test_a_text_shorter_than_the_block_is_measured(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("the", encoding="utf-8")
    assert "over 2 characters" in gradus("eval", runs[0], "--text", tmp_path / "short.txt").stdout
    (tmp_path / "short.txt").write_text("t", encoding="utf-8")
    assert "has 1 tokens" in refused("eval", runs[0], "--text", tmp_path / "short.txt")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"the \xe2\x82", "is not UTF-8: byte 4 is 0xe2"),
        (b"the \0 cat", r"unknown character '\x00' at position 4"),
        (b" \n", "is empty"),
    ],
)
def test_a_text_that_cannot_be_read_is_one_line(
    runs: tuple[Path, Path], tmp_path: Path, data: bytes, said: str
) -> None:
    (tmp_path / "odd.txt").write_bytes(data)
    assert said in refused("eval", runs[0], "--text", tmp_path / "odd.txt")


def test_bytes_that_characters_lack_are_measured_by_a_tokenizer_of_bytes(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "odd.txt").write_bytes("\0 the cät €".encode())
    said = figures(gradus("eval", runs[1], "--text", tmp_path / "odd.txt").stdout)
    assert (said["characters"], said["bytes"]) == (10, 13)  # all but the first token, which is the zero byte


def test_several_runs_are_compared_in_bits_per_character_and_byte(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("the cat ate the mat " * 9, encoding="utf-8")
    lines = gradus("eval", *runs, "--text", tmp_path / "own.txt").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [str(run) for run in runs]
    for run, line in zip(runs, lines, strict=True):
        said = figures(gradus("eval", run, "--text", tmp_path / "own.txt").stdout)
        assert float(line.split("\t")[3]) == pytest.approx(said["bits"], abs=1e-4)
    assert len(gradus("eval", *runs).stdout.splitlines()) == 2  # the test split of each one's own text


def test_hellaswag_gives_both_accuracies_with_their_errors(runs: tuple[Path, Path], tmp_path: Path) -> None:
    item = {"ctx": "the cat", "endings": ["sat", "ate it", "on", "and"], "label": 0}
    (tmp_path / "items.jsonl").write_text(f"{json.dumps(item)}\n" * 3)
    one = gradus("eval", runs[0], "--hellaswag", tmp_path / "items.jsonl").stdout
    assert one.startswith("3 items: accuracy ")
    assert one.endswith("± 0.0000; by chance 0.25\n")
    assert one == gradus("eval", runs[0], "--task", tmp_path / "items.jsonl").stdout
    several = gradus("eval", *runs, "--hellaswag", tmp_path / "items.jsonl").stdout.splitlines()
    assert [len(line.split("\t")) for line in several] == [3, 3]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--hellaswag", "f", "--text", "g"), "--text has no place beside --hellaswag"),
        (("--hellaswag", "f", "--worst"), "--worst has no place beside --hellaswag"),
        (("--text", "f", "--worst"), "--worst is for one run and a split of its own text"),
        (("--text", "f", "--split", "dev"), "--text is measured whole"),
        (("--text", "nowhere.txt"), "no corpus or file named 'nowhere.txt'"),
        (("--hellaswag", "nowhere.jsonl"), "cannot read nowhere.jsonl"),
    ],
)
def test_what_does_not_go_together_is_said(runs: tuple[Path, Path], flags: tuple[str, ...], said: str) -> None:
    assert said in refused("eval", runs[0], *flags)


def test_a_task_is_measured_with_and_without_examples(runs: tuple[Path, Path], tmp_path: Path) -> None:
    task = tmp_path / "task.tsv"
    task.write_text("the cat\tsat\tate\nthe\tmat\tcat\tsat\non a\tmat\tcat\n")
    one = gradus("eval", runs[0], "--task", task)
    assert re.match(r"3 items: accuracy \d\.\d{4} ± \d\.\d{4}, length-normalised .*; by chance 0\.444\n", one.stdout)
    shown = gradus("eval", runs[0], "--task", task, "--shots", 2, "--separator", " ", "--seed", 1)
    assert shown.exit_code == 0, shown.output
    assert "texts are longer than the block of" in shown.stderr
    (tmp_path / "examples.tsv").write_text("a cat\tsat\na mat\tate\n")
    from_a_file = ("eval", runs[0], "--task", task, "--examples", tmp_path / "examples.tsv")
    assert gradus(*from_a_file).stdout == gradus(*from_a_file, "--shots", 2).stdout  # all of them
    assert gradus(*from_a_file).stdout != gradus(*from_a_file, "--shots", 0).stdout
    several = gradus("eval", *runs, "--task", task).stdout.splitlines()
    assert several[0].split("\t")[1:] == one.stdout.split("accuracy ")[1].split(";")[0].split(", length-normalised ")
    assert refused("eval", runs[0], "--shots", 2) == "--shots is for --task"
    assert refused("eval", runs[0], "--delimiter", ":") == "--delimiter is for --task"
    assert refused("eval", runs[0], "--task", task, "--worst", 2) == "--worst has no place beside --task"
    assert refused("eval", runs[0], "--task", task, "--shots", 3).startswith("shots must be between 0 and 2")
