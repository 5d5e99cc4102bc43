"""`gradus tokenize`, and the other verbs with a tokenizer other than characters."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradus.cli import main
from gradus.cli.tokenize import _legible, _lines
from gradus.errors import UserError
from gradus.models import build_model
from gradus.text import BPETokenizer, load_tokenizer
from gradus.training import RunFolder, load_model, tokenizer_of
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream

TRAIN = ("--steps", 4, "--evaluations", 1, *SMALL)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    text = "low lower lowest, newer newest naïve 😀" * 3
    BPETokenizer.train([text], 290, special=["<|endoftext|>"]).save(tmp_path / "tok" / "tokenizer.json")
    return tmp_path / "tok"


def fields(output: str) -> list[tuple[int, str]]:
    return [(int(line.split("\t")[0]), line.split("\t")[1]) for line in output.splitlines()]


def test_in_a_pipe_each_token_has_a_line_of_id_and_piece(saved: Path) -> None:
    result = gradus("tokenize", "lower é\n", "--tokenizer", saved)
    tokenizer = load_tokenizer(saved)
    assert [id_ for id_, _ in fields(result.stdout)] == tokenizer.encode("lower é\n").tolist()
    assert [piece for _, piece in fields(result.stdout)][-2:] == ["\\xa9", "\\n"]


def test_standard_input_may_be_any_bytes(saved: Path) -> None:
    data = b"low\0\xff\xed\xa0\x80\xf0\x9f"
    result = CliRunner().invoke(main, ["tokenize", "-", "--tokenizer", str(saved)], input=data)
    tokenizer = load_tokenizer(saved)
    assert isinstance(tokenizer, BPETokenizer)
    assert tokenizer.decode_bytes([id_ for id_, _ in fields(result.stdout)]) == data


def test_special_tokens_only_when_asked(saved: Path) -> None:
    plain = fields(gradus("tokenize", "a<|endoftext|>", "--tokenizer", saved).stdout)
    special = fields(gradus("tokenize", "a<|endoftext|>", "--tokenizer", saved, "--special").stdout)
    assert len(plain) > 2
    assert [piece for _, piece in special] == ["a", "<|endoftext|>"]


@pytest.mark.skipif(not os.environ.get("GRADUS_DATA"), reason="GRADUS_DATA does not name a folder with gpt2/")
def test_gpt2s_tokens() -> None:
    vocab = Path(os.environ["GRADUS_DATA"], "gpt2", "vocab.bpe")
    output = gradus("tokenize", "Hello, I'm", "--tokenizer", vocab).stdout
    assert output == gradus("tokenize", "Hello, I'm").stdout == "15496\tHello\n11\t,\n314\t I\n1101\t'm\n"


@pytest.mark.parametrize("width", [12, 60])
def test_lines_keep_to_the_width_and_have_every_token(width: int) -> None:
    cells = [(str(i * 97), piece) for i, piece in enumerate(["low", "·名前名前", "x" * 70, "", "é"] * 5)]
    lines = list(_lines(cells, width))
    assert all(sum(wide + 1 for _, wide, _, _ in line) <= width for line in lines)
    assert [id_ for line in lines for _, _, id_, _ in line if id_] == [id_ for id_, _ in cells]
    assert "".join(shown for line in lines for *_, shown in line) == "".join(piece for _, piece in cells)


def test_what_cannot_be_printed_is_escaped() -> None:
    assert _legible(b" a\n\x1b[31m\xf0\x9f", {" ": "·"}) == "·a\\n\\x1b[31m\\xf0\\x9f"


def test_bad_tokenizers_and_texts_are_one_line(saved: Path, tmp_path: Path) -> None:
    assert "cannot read the tokenizer" in refused("tokenize", "a", "--tokenizer", tmp_path / "no")
    (saved / "tokenizer.json").write_text(
        (saved / "tokenizer.json").read_text(encoding="utf-8")[:500], encoding="utf-8"
    )
    assert "is damaged" in refused("tokenize", "a", "--tokenizer", saved)


@pytest.mark.parametrize(
    ("tokenizer", "model", "write"),
    [
        ("bpe", "gpt", write_stream),
        ("bpe", "ngram", write_documents),
        ("words", "gpt", write_documents),
        ("words", "ngram", write_stream),
    ],
)
def test_every_verb_works_with_other_tokens(tmp_path: Path, tokenizer: str, model: str, write: object) -> None:
    text = write(tmp_path)  # type: ignore[operator]
    run = tmp_path / "run"
    settings = ("--order", 3, "--block-size", 8) if model == "ngram" else TRAIN
    size = ("--vocab-size", 270) if tokenizer == "bpe" else ("--vocab-size", 8, "--lower", "--min-count", 2)
    trained = gradus(
        "train", text, "--model", model, "--tokenizer", tokenizer, *size, *settings, "--out", run, "--page"
    )
    assert trained.exit_code == 0, trained.output
    assert "nats per token" in trained.stdout
    assert "unknown" in trained.stdout or tokenizer == "bpe"
    assert (run / "index.html").exists()
    evaluated = gradus("eval", run).stdout
    found = re.search(r"loss ([\d.]+) nats per token, ([\d.]+) bits per character, ([\d.]+) per byte, "
                      r"over ([\d,]+) tokens, ([\d,]+) characters, ([\d,]+) bytes", evaluated)  # fmt: skip
    assert found, evaluated
    nats, bits, _, tokens, characters, _ = (float(group.replace(",", "")) for group in found.groups())
    assert bits * characters == pytest.approx(nats * tokens / 0.6931472, rel=1e-4)
    sampled = gradus("sample", run, "--prompt", "the cat", "--length", 5)
    assert sampled.stdout.startswith("the cat"), sampled.output
    if tokenizer == "bpe":
        assert fields(gradus("tokenize", "the cat", "--tokenizer", run).stdout)
        again = gradus("train", text, "--model", model, "--tokenizer", run, *settings, "--out", tmp_path / "again")
        assert again.exit_code == 0, again.output


def test_a_tokenizer_that_does_not_fit_the_weights_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    gradus("train", write_stream(tmp_path), "--tokenizer", "bpe", "--vocab-size", 270, *TRAIN, "--out", run)
    assert tokenizer_of(RunFolder.open(run), load_model(RunFolder.open(run))).vocab_size == 270
    other = build_model("bigram", vocab_size=300, block_size=8)
    with pytest.raises(UserError, match=r"tokenizer\.json has 270 tokens, but the model was made for 300"):
        tokenizer_of(RunFolder.open(run), other)
    BPETokenizer.train(["low low lower"], 258).save(run / "tokenizer.json")
    assert "tokenizer.json" in refused("sample", run)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--vocab-size", 300), "vocab_size is no setting of the tokenizer chars"),
        (("--tokenizer", "bpe", "--vocab-size", 100), "vocab_size must be at least 256"),
        (("--tokenizer", "bpe", "--lower"), "lower is no setting of the tokenizer bpe"),
        (("--tokenizer", "words", "--vocab-size", 2), "vocab_size must be at least 3"),
        (("--tokenizer", "nothing"), "cannot read the tokenizer"),
    ],
)
def test_settings_that_do_not_go_together_are_one_line(tmp_path: Path, flags: tuple[object, ...], message: str) -> None:
    assert message in refused("train", write_stream(tmp_path), *TRAIN, *flags, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_remembers_its_tokenizer_by_a_path_that_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = write_stream(tmp_path)
    BPETokenizer.train([text.read_text(encoding="utf-8")], 260).save("mine/tokenizer.json")
    assert gradus("train", text, "--tokenizer", "mine", *TRAIN, "--out", "run").exit_code == 0
    assert f'tokenizer = "{tmp_path / "mine"}"' in (tmp_path / "run/config.toml").read_text(encoding="utf-8")
    resumed = gradus("train", "--resume", "run", "--steps", 6)
    assert resumed.exit_code == 0, resumed.output
