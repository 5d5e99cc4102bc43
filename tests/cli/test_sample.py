"""`gradus sample`: where the prompt comes from, what ends a text, and prompts one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gradus.api import Run
from gradus.cli import main
from gradus.errors import UserError
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stream")
    command = ("train", write_stream(folder), "--model", "ngram", "--method", "modified-kneser-ney")
    assert gradus(*command, "--out", folder / "run").exit_code == 0
    return folder / "run"


def typed(text: bytes, *args: object) -> str:
    result = CliRunner().invoke(main, ["sample", *map(str, args)], input=text)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_prompt_comes_from_standard_input_as_it_is_but_for_its_last_newline(run: Path) -> None:
    given = gradus("sample", run, "--prompt", "the c", "--length", 20).stdout
    assert typed(b"the c", run, "--prompt", "-", "--length", 20) == given
    assert typed(b"the c\n", run, "--prompt", "-", "--length", 20) == given


def test_a_prompt_that_cannot_be_read_is_refused(run: Path) -> None:
    for data, message in ((b"th\xff", "not UTF-8: byte 2 is 0xff"), (b"a\0b", "unknown character '\\x00'")):
        result = CliRunner().invoke(main, ["sample", str(run), "--prompt", "-"], input=data)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_prompt_longer_than_the_context_is_continued(run: Path) -> None:
    prompt = "the cat sat on " * 500
    assert len(typed(prompt.encode(), run, "--prompt", "-", "--length", 5)) == len(prompt) + 5 + 1


def test_a_stop_string_ends_the_text_and_is_not_part_of_it(run: Path) -> None:
    whole = gradus("sample", run, "--length", 300).stdout
    for flags in (["--stop", "at"], ["--stop", "xyz", "--stop", "at"]):
        assert gradus("sample", run, "--length", 300, *flags).stdout == whole[: whole.index("at")] + "\n"
    assert "a stop string must have a character" in refused("sample", run, "--stop", "")


def test_min_p_1_and_a_penalty_change_what_is_drawn(run: Path) -> None:
    greedy = gradus("sample", run, "--length", 60, "--temperature", 0).stdout
    assert gradus("sample", run, "--length", 60, "--min-p", 1).stdout == greedy
    assert gradus("sample", run, "--length", 60, "--temperature", 0, "--repetition-penalty", 2).stdout != greedy
    assert "--repetition-penalty" in refused("sample", run, "--repetition-penalty", 0)


def test_prompts_one_after_the_other(run: Path) -> None:
    shown = typed(b"the c\n\nZ\nthe c\n", run, "-i", "--length", 10)
    first, second, third, fourth, end = shown.split("> ")[1:]
    assert first == gradus("sample", run, "--prompt", "the c", "--length", 10).stdout
    assert len(second) == 10 + 1
    assert third.startswith("gradus: unknown character 'Z'")
    assert fourth.startswith("the c")
    assert end == "\n"
    assert "--prompt has no use" in refused("sample", run, "-i", "--prompt", "a")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_a_terminal_has_history_and_shows_all_that_was_written(run: Path) -> None:
    pty = pytest.importorskip("pty")
    pytest.importorskip("readline")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "gradus", "sample", str(run), "-i", "--length", "10"])

    def shown(enough: Callable[[bytes], bool]) -> bytes:
        data = b""
        while not enough(data):
            data += os.read(terminal, 4096)
        return data

    shown(lambda data: b"> " in data)
    os.write(terminal, b"the c\n")
    first = shown(lambda data: data.endswith(b"> "))
    os.write(terminal, b"\x1b[A\n")  # the arrow up: the line before
    again = shown(lambda data: data.endswith(b"> "))
    os.write(terminal, b"\x04")
    os.waitpid(pid, 0)
    os.close(terminal)
    assert first.count(b"the c") == again.count(b"the c") == 2  # as typed, and in the text
    assert b"\x1b[2J" not in first + again  # the screen is not cleared


def test_python_has_the_same_settings_and_log_probabilities(run: Path) -> None:
    loaded = Run(run)
    prompts = ["the cat", "a", ""]
    texts = loaded.sample(prompts, length=30, stop="at on", min_p=0.01, repetition_penalty=1.1)
    assert [text.startswith(prompt) for text, prompt in zip(texts, prompts, strict=True)] == [True] * 3
    assert not any("at on" in text.removeprefix(prompt) for text, prompt in zip(texts, prompts, strict=True))
    assert [len(tokens) for tokens in texts.tokens] == [len(logprobs) for logprobs in texts.logprobs]
    assert all(logprob <= 0 for logprobs in texts.logprobs for logprob in logprobs)
    impossible: list[dict[str, Any]] = [{"prompt": []}, {"stop": 3}, {"min_p": 2.0}, {"repetition_penalty": -1.0}]
    for wrong in impossible:
        with pytest.raises(UserError, match=next(iter(wrong))):
            loaded.sample(**wrong)


def test_documents_of_several_prompts_end_by_themselves(tmp_path: Path) -> None:
    assert gradus("train", write_documents(tmp_path), "--model", "ngram", "--out", tmp_path / "run").exit_code == 0
    texts = Run(tmp_path / "run").sample(["a", "bc"], 2)
    assert [text[0] for text in texts] == ["a", "b", "a", "b"]
    assert all(set(text) <= set("abcde") for text in texts)


def test_weights_of_a_gpt_are_stored_as_float16_if_asked(run: Path, tmp_path: Path) -> None:
    text = write_stream(tmp_path)
    assert gradus("train", text, "--model", "gpt", "--steps", 3, *SMALL, "--out", tmp_path / "gpt").exit_code == 0
    assert len(gradus("sample", tmp_path / "gpt", "--dtype", "float16", "--length", 30).stdout) == 31
    assert "are for the model gpt, not ngram" in refused("sample", run, "--dtype", "float16")


def test_examples_are_shown_to_the_model_and_not_printed(run: Path, tmp_path: Path) -> None:
    examples = tmp_path / "examples.tsv"
    examples.write_text("the cat\tsat\nthe mat\tate\n")
    greedy = ("--temperature", 0, "--length", 12)
    flags = ("--examples", examples, "--separator", " on ", "--delimiter", " a ")
    told = gradus("sample", run, "--prompt", "the", *flags, *greedy).stdout
    whole = gradus("sample", run, "--prompt", "the cat a sat on the mat a ate on the", *greedy).stdout
    assert told.startswith("the")
    answer = told.removeprefix("the").rstrip("\n")
    assert whole.removeprefix("the cat a sat on the mat a ate on the").startswith(answer)
    assert " on " not in answer
    once = gradus("sample", run, "--prompt", "the", *flags, "--shots", 1, *greedy)
    assert once.exit_code == 0, once.output
    assert refused("sample", run, "--shots", 1) == "--shots is for --examples"
    assert refused("sample", run, "--delimiter", ":") == "--delimiter is for --examples"
    assert refused("sample", run, *flags, "--shots", 3) == f"there are 2 examples in {examples}, fewer than --shots 3"


def test_a_device_that_is_not_there_is_refused(run: Path) -> None:
    assert "for device cuda choose PyTorch: gradus --backend torch" in refused("sample", run, "--device", "cuda")
