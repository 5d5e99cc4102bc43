"""The command for models that translate, label, and find hidden tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradus.api import load
from gradus.errors import UserError
from tests.cli.commands import gradus, refused

TINY = ("--n-layer", 1, "--n-head", 2, "--n-embd", 16, "--batch-size", 16, "--steps", 4)


@pytest.fixture(scope="module")
def moods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "moods.tsv"
    words = {"sad": "grey rain", "glad": "blue sky", "mad": "red fire"}
    path.write_text("".join(f"{label}\t{text} {i}\n" for i in range(30) for label, text in words.items()))
    return path


@pytest.fixture(scope="module")
def reverse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "reverse"
    result = gradus("train", "reverse", "--model", "transformer", *TINY, "-o", run)
    assert result.exit_code == 0, result.output
    said = result.stdout.splitlines()
    assert said[:2] == [
        "reverse: 10,000 sources, 150,282 characters, 27 different ones",
        "transformer: reads at most 12 tokens; 8,176 parameters, 4 steps",
    ]
    assert any(line.endswith("% of 1,000 exactly right") for line in said)
    assert any(" -> " in line for line in said)
    return run


@pytest.fixture(scope="module")
def labelled(moods: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "moods"
    result = gradus("train", moods, "--model", "encoder", "--tokenizer", "words", *TINY, "-o", run)
    assert result.exit_code == 0, result.output
    assert "moods.tsv: 90 texts, 3 labels," in result.stdout
    return run


def test_sample_translates(reverse: Path) -> None:
    for options in ((), ("--beams", 3), ("--temperature", 1, "-n", 4)):
        result = gradus("sample", reverse, "--prompt", "hello", *options)
        assert result.exit_code == 0, result.output
        assert len(result.stdout.splitlines()) == (4 if "-n" in options else 1)
    assert refused("sample", reverse) == "there is nothing to translate: give a text by --prompt"
    assert refused("sample", reverse, "--prompt", "HELLO").startswith("unknown character 'H' at position 0")
    assert "the model reads at most 12" in refused("sample", reverse, "--prompt", "abcdefghijklmn")
    run = load(reverse)
    assert len(run.answer("hello", 2, temperature=1.0)) == 2
    with pytest.raises(UserError, match=r"run\.answer\(text\) gives what it says"):
        run.sample("hello")


def test_sample_draws_what_the_model_looked_at(reverse: Path, labelled: Path, tmp_path: Path) -> None:
    for run, prompt, name in ((reverse, "hello", "cross.svg"), (labelled, "blue sky", "heads.png")):
        drawn = tmp_path / name
        result = gradus("sample", run, "--prompt", prompt, "--attention", drawn)
        assert result.stdout == gradus("sample", run, "--prompt", prompt).stdout
        assert result.stderr == f"wrote {drawn}\n"
        assert drawn.read_bytes()[:5] in (b"<?xml", b"\x89PNG\r")
    said = refused("sample", reverse, "--prompt", "hello", "--attention", tmp_path / "a.gif")
    assert said == "--attention writes .svg, .png, .pdf, not a.gif"
    assert refused("sample", reverse, "-i", "--attention", tmp_path / "a.svg") == "--attention is of one --prompt"
    missing = tmp_path / "none" / "a.svg"
    said = refused("sample", reverse, "--prompt", "hello", "--attention", missing)
    assert said == f"cannot write {missing}: No such file or directory"


def test_eval_tells_how_many_translations_are_right(reverse: Path) -> None:
    result = gradus("eval", reverse, "--split", "dev", "--beams", 2)
    loss, greedy, beam = result.stdout.splitlines()
    assert "nats per token of a target, perplexity" in loss
    assert loss.endswith("over 7,548")
    assert greedy.startswith("greedy ")
    assert beam.startswith("beam 2 ")
    assert "does not continue texts" in refused("eval", reverse, "--worst")
    assert "reads whole texts" in refused("eval", reverse, "--sliding")


def test_sample_names_the_label(labelled: Path) -> None:
    result = gradus("sample", labelled, "--prompt", "blue sky 100")
    shares = [line.split() for line in result.stdout.splitlines()]
    assert sorted(name for _, name in shares) == ["glad", "mad", "sad"]
    percents = [float(share.removesuffix("%")) for share, _ in shares]
    assert percents == sorted(percents, reverse=True)
    assert sum(percents) == pytest.approx(100, abs=0.2)
    assert "writes no text" in refused("sample", labelled, "--prompt", "blue", "--temperature", 1)
    assert refused("sample", labelled) == "there is nothing to read: give a text by --prompt"


def test_eval_tells_accuracy_and_the_baseline_beside_it(labelled: Path) -> None:
    pytest.importorskip("sklearn")
    result = gradus("eval", labelled)
    loss, head, names, *rows, baseline = result.stdout.splitlines()
    assert "nats per label, over 9" in loss
    assert head.startswith("test labels of 9 texts: accuracy ")
    assert names.split() == ["glad", "mad", "sad", "F1"]
    assert [row.split()[0] for row in rows] == ["glad", "mad", "sad"]
    assert sum(int(number) for row in rows for number in row.split()[1:4]) == 9
    assert baseline == "beside it, TF-IDF with logistic regression: accuracy 100.0%, macro F1 100.0 %"
    assert refused("eval", labelled, "--beams", 2) == "--beams is for models that translate"


def test_masked_encoder_fills_in_and_is_fine_tuned(moods: Path, tmp_path: Path) -> None:
    run, tuned = tmp_path / "masked", tmp_path / "tuned"
    result = gradus("train", moods, "--model", "encoder", "--masked", "--tokenizer", "words", *TINY, "-o", run)
    assert result.exit_code == 0, result.output
    assert "nats per hidden token, perplexity" in result.stdout
    found = gradus("sample", run, "--prompt", "blue [MASK] [MASK]").stdout.splitlines()
    assert len(found) == 2
    assert all(line.count("%") == 5 for line in found)
    result = gradus("train", moods, "--model", "encoder", "--init-from", run, "--steps", 3, "-o", tuned)
    assert result.exit_code == 0, result.output
    assert "test labels of 9 texts" in result.stdout


@pytest.mark.parametrize("masked", [(), ("--masked",)])
def test_encoder_is_looked_into(
    masked: tuple[str, ...], moods: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradus.report.diagnose.MOST_VECTORS", 5)
    options = ("--model", "encoder", "--tokenizer", "words", *masked, *TINY)
    result = gradus("train", moods, *options, "--diagnose", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    pictures = {path.stem for path in (tmp_path / "run" / "diagnostics").glob("*.png")}
    assert {"gradients", "weight-gradients", "gradient-norm", "updates", "activations"} <= pictures


def test_transformer_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradus.report.diagnose.MOST_VECTORS", 5)
    result = gradus("train", "reverse", "--model", "transformer", *TINY, "--diagnose", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    pictures = {path.stem for path in (tmp_path / "run" / "diagnostics").glob("*.png")}
    assert {"gradients", "weight-gradients", "gradient-norm", "updates", "embedding"} <= pictures


def test_what_is_made_for_models_of_the_next_token_says_so(reverse: Path, tmp_path: Path) -> None:
    assert refused("climb", "reverse", "-o", tmp_path / "climb") == (
        "a climb compares models of the next token of a text, and reverse is pairs: train what is made for that by "
        "gradus train reverse --model transformer"
    )
    assert refused("page", reverse).startswith("pages and comparisons show models of the next token")
    said = refused("train", "reverse", "--model", "transformer", "--page", "-o", tmp_path / "none")
    assert said == "pages and comparisons show models of the next token; transformer is none: see gradus eval"
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / "climb").exists()
