"""Whatever standard output is: no traceback, and no result lost after the work is done."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradus.cli import output
from gradus.training import RunFolder
from tests.cli.commands import gradus, write_stream

MAIN = [sys.executable, "-c", "from gradus.cli import main; main()"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX pipes and devices")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_stream(tmp_path_factory.mktemp("text"))
    path.write_text(path.read_text(encoding="utf-8").replace("cat", "Kätzchen…"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(text: Path) -> Path:
    assert gradus("train", text, "--model", "ngram", "--out", text.parent / "run").exit_code == 0
    return text.parent / "run"


def command(*args: object, **kwargs: Any) -> subprocess.CompletedProcess[bytes]:
    kwargs.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([*MAIN, *map(str, args)], stderr=subprocess.PIPE, check=False, **kwargs)


@pytest.fixture
def nobody() -> Iterator[int]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


TERMINALS = [
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "utf-8:strict"},
    {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "ascii"},
]


@pytest.mark.parametrize("terminal", TERMINALS, ids=lambda terminal: " ".join(terminal.values()))
def test_a_terminal_that_lacks_characters_shows_their_numbers(terminal: dict[str, str], run: Path) -> None:
    done = command("sample", run, "--length", 300, env={**os.environ, **terminal})
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) >= 300
    drawn = command("draw", "a = -1.5; a**2", "--backward", env={**os.environ, **terminal})  # ├─ and −
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    code = "from gradus.cli import output; output.set_up(); print('a\\u2026\\udce9')"
    shown = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, **terminal}, check=True
    )
    assert shown.stdout in (b"a\\u2026\xe9\n", "a…".encode() + b"\xe9\n", "a…".encode("cp1252") + b"\xe9\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
def test_a_full_disk_behind_the_output_is_one_line_and_loses_nothing(text: Path, tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        trained = command("train", text, "--model", "bigram", "--steps", 20, "--out", tmp_path / "run", stdout=full)
        assert trained.returncode == 2
        assert trained.stderr == b"gradus: the output could not be written: No space left on device\n"
        state = RunFolder.open(tmp_path / "run").state()
        assert (state["step"], state["reported"]) == (20, True)
        assert (tmp_path / "run" / "samples.txt").read_text(encoding="utf-8")
        for words in (["sample", tmp_path / "run"], ["--help"]):
            done = command(*words, stdout=full)
            assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
            assert b"No space left on device" in done.stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "names: 32,033 documents, 228,146 characters, 27 different ones\n"),
        (60, "names: 32,033 documents, 228,146 characters, 27 different\nones\n"),
        (30, "names: 32,033 documents,\n228,146 characters, 27\ndifferent ones\n"),
    ],
)
def test_a_narrow_terminal_wraps_lines_between_words_and_commands_not_at_all(
    width: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "names: 32,033 documents, 228,146 characters, 27 different ones"
    monkeypatch.setenv("COLUMNS", str(width))
    for stream, expected in ((Terminal(), shown), (io.StringIO(), f"{text}\n")):
        monkeypatch.setattr(sys, "stdout", stream)
        output.say(text)
        assert stream.getvalue() == expected
        output.say("resume with:", "gradus train --resume runs/names-gpt-1")
        resume = stream.getvalue().removeprefix(expected)
        whole = "resume with: gradus train --resume runs/names-gpt-1\n"
        assert resume == (whole if width > 50 or not stream.isatty() else whole.replace(": ", ":\n"))


def test_a_reader_that_leaves_ends_samples_and_not_training(text: Path, run: Path, tmp_path: Path, nobody: int) -> None:
    trained = command("train", text, "--model", "bigram", "--steps", 20, "--out", tmp_path / "run", stdout=nobody)
    assert (trained.returncode, trained.stderr) == (0, b"")
    assert RunFolder.open(tmp_path / "run").state()["reported"]
    endless = command("sample", run, "--length", 10**9, stdout=nobody)
    assert (endless.returncode, endless.stderr) == (1, b"")


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_nobody_to_write_to(closed: str, text: Path, tmp_path: Path) -> None:
    words = map(str, [*MAIN, "train", text, "--model", "ngram", "--out", tmp_path / "run"])
    shell = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *words], capture_output=True, check=False)
    assert (shell.returncode, shell.stderr) == (0, b"")
    assert RunFolder.open(tmp_path / "run").state()["reported"]


def test_text_appears_as_it_is_drawn_and_stays_after_ctrl_c(run: Path) -> None:
    words = [*MAIN, "sample", str(run), "--length", str(10**9)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(200)) == 200  # long before the end
        process.send_signal(2)
        process.stdout.read()
        assert process.wait() == 130
        assert b"Traceback" not in process.stderr.read()


def test_running_out_of_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, text: Path) -> None:
    def exhausted(*_: Any, **__: Any) -> None:
        raise MemoryError("Unable to allocate 13.5 GiB")

    monkeypatch.setattr("gradus.cli.train.set_up_new", exhausted)
    result = gradus("train", text)
    assert result.exit_code == 2
    assert result.stderr == (
        "gradus: there is not enough memory (Unable to allocate 13.5 GiB); a smaller model or batch needs less\n"
    )
