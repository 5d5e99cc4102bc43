"""What users of other tools type is accepted, or answered with what to type."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from gradus.cli import VERBS, main
from gradus.cli.meant import ALIASES, ALIASES_OF, MEANT, VERBS_MEANT
from gradus.cli.verb import names
from gradus.models import MODELS
from gradus.training import RunFolder, TrainConfig, model_settings, settings_of
from gradus.training.settings import ELSEWHERE, named_here
from tests.cli.commands import SMALL, gradus, refused, write_documents, write_stream


def flags_of(verb: str) -> list[str]:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    return names(command.params)


def test_everything_suggested_exists() -> None:
    for verb, meant in MEANT.items():
        assert verb in VERBS
        known = {*flags_of(verb), *names(main.params)}
        for flag, hint in meant.items():
            assert flag not in flags_of(verb), f"{verb} --{flag} exists"
            for suggested in re.findall(r"--([a-z-]+)", hint):
                assert suggested in known, f"{verb} --{flag}: {hint}"
            for named in re.findall(r"gradus ([a-z]+)", hint):
                assert named in VERBS
    for typed, hint in VERBS_MEANT.items():
        assert typed not in VERBS
        assert hint.split()[0] in {*VERBS, "--help", "--version"}


def test_every_alias_is_a_flag_somewhere() -> None:
    flags = {flag for verb in VERBS for flag in flags_of(verb)}
    assert {real for real in ALIASES.values() if real not in flags} == set()
    for verb, aliases in ALIASES_OF.items():
        assert set(aliases.values()) <= set(flags_of(verb))


def test_what_other_libraries_call_a_setting_is_no_setting_and_names_some() -> None:
    known = {name for model in MODELS for name in model_settings(model)} | set(settings_of(TrainConfig))
    assert not known & set(ELSEWHERE)
    assert {here for name in ELSEWHERE for here in named_here(name)} <= known
    for alias, real in ALIASES.items():
        if real.replace("-", "_") in known and real != "out":
            assert named_here(alias.replace("-", "_")) == [real.replace("-", "_")]


def test_a_name_of_the_output_in_one_verb_is_none_in_another(tmp_path: Path) -> None:
    assert "has no --json" in refused("compare", "--json", tmp_path, "a", "b")
    assert "has no --run" in refused("climb", "--run", tmp_path / "climb")


def test_names_of_other_tools_and_underscores_train_the_same_run(tmp_path: Path) -> None:
    text = write_stream(tmp_path)
    ours = (*SMALL, "--learning-rate", 0.01, "--steps", 2, "--grad-accumulation", 2, "--out", tmp_path / "ours")
    theirs = [str(flag).replace("-", "_").replace("__", "--") for flag in SMALL]
    theirs += ["--lr=0.01", "--max_iters", "2", "--gradient_accumulation_steps", "2", "--out_dir"]
    assert gradus("train", text, *ours).exit_code == 0
    assert gradus("train", text, *theirs, tmp_path / "theirs").exit_code == 0
    assert RunFolder.open(tmp_path / "ours").settings() == RunFolder.open(tmp_path / "theirs").settings()
    sample = gradus("sample", tmp_path / "ours", "--num", 2, "--length", 5, "--top-p", 0.9)
    again = gradus("sample", tmp_path / "ours", "--num_samples=2", "--max_new_tokens=5", "--top_p=0.9")
    assert sample.stdout == again.stdout != ""


@pytest.mark.parametrize("name", ["run", "output-dir", "out"])
def test_every_name_of_the_output_is_accepted(name: str, tmp_path: Path) -> None:
    text = write_documents(tmp_path)
    assert gradus("train", text, "--model", "ngram", f"--{name}", tmp_path / "run").exit_code == 0
    dev = gradus("eval", tmp_path / "run", "--split", "dev").stdout
    assert dev.startswith("dev loss")
    assert gradus("eval", tmp_path / "run", "--split", "val").stdout == dev
    assert gradus("draw", "a+1", "a=1", "--output", tmp_path / "a.svg").exit_code == 0
    assert (tmp_path / "a.svg").exists()


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (["train", "--epochs", "3"], "train has no --epochs; use --steps or --minutes"),
        (["train", "--num_layers", "3"], "train has no --num-layers; use --n-layer"),
        (["train", "--layrs", "3"], "train has no --layrs; did you mean --n-layer?"),
        (
            ["train", "--steps", "3", "--min_lr=1"],
            "train has no --min-lr; use --min-lr-ratio, a fraction of the learning",
        ),
        (["sample", "x", "--temperatur", "1"], "sample has no --temperatur; did you mean --temperature?"),
        (["sample", "x", "--wibble"], "sample has no --wibble; gradus sample --help lists what it has"),
        (["train", "--gpu"], "train has no --gpu; use --device, and gradus --backend torch for PyTorch"),
        (["train", "--backend", "torch"], "--backend goes before the verb: gradus --backend torch train"),
        (["--model", "gpt", "train"], "gradus has no --model; a flag of a verb follows it: gradus VERB --model"),
        (["draw", "a+b", "--backwrd"], "draw has no --backwrd; did you mean --backward?"),
        (["sample"], "sample needs RUN, the folder of a run; gradus runs lists them"),
        (["draw"], 'draw needs EXPRESSION, such as "tanh(2*a + 1)"'),
        (["run"], "run needs FILE.py|FILE.ipynb"),
        (["sample", "x", "--n", "3"], "sample has no --n; use --num"),
        (["eval", "x", "--json"], "eval has no --json; gradus eval --help lists what it has"),
        (["train", "names", "--dry-run"], "train has no --dry-run; gradus train --help lists what it has"),
        (["train", "--iters", "3"], "train has no --iters; use --steps"),
        (["train", "--max-itres", "3"], "train has no --max-itres; did you mean --steps?"),
        (["train", "--eval_steps", "3"], "train has no --eval-steps; use --evaluations, how many there are in all"),
        (["tokenize"], "tokenize needs TEXT, the text itself, or - for standard input"),
        (["tokenize", "x", "--run", "r"], "tokenize has no --run; use --tokenizer, which may be a run"),
        (["data", "--json"], "data has no --json; gradus data --help lists what it has"),
        (["data", "names"], "there is no gradus data names; did you mean gradus data show names?"),
        (["data", "shwo"], "there is no gradus data shwo; did you mean gradus data show?"),
        (["data", "show", "--backend"], "--backend goes before the verb: gradus --backend torch data show"),
        (["generate"], "there is no verb 'generate'; did you mean sample RUN?"),
        (["resume"], "there is no verb 'resume'; did you mean train --resume RUN?"),
        (["frobnicate"], "there is no verb 'frobnicate'; there are climb, train, "),
    ],
)
def test_one_line_says_what_to_type(typed: list[str], answer: str) -> None:
    assert refused(*typed).startswith(answer)
