"""A view's parameters come from an address: what is wrong with one is one line. A run is opened as it is on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.explorer import VIEWS, Parameter, View, open_run
from gradus.explorer.export import Asked, answer
from gradus.explorer.overview import about, first_text, tokens
from gradus.explorer.runs import Runs
from gradus.explorer.view import SEED, TEXT
from gradus.training import RunFolder, load_model
from tests.explorer.models import opened, run

VIEW = View(
    lambda **_: {},
    {
        "text": TEXT,
        "seed": SEED,
        "top_k": Parameter(int, None, 1),
        "temperature": Parameter(float, 1.0, 0, 100),
        "scale": Parameter(str, "log", choices=("log", "linear")),
    },
)


def test_parameters_have_their_types_and_defaults() -> None:
    given = {"text": "a b", "top_k": "5", "temperature": "0.5"}
    assert VIEW.parse(given) == {
        "text": "a b",
        "seed": 1337,
        "top_k": 5,
        "temperature": 0.5,
        "scale": "log",
    }


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("text", "a" * 20_001, "text must have at most 20,000 characters, got 20,001"),
        ("seed", "-1", "seed must be from 0 to 4,294,967,295, got -1"),
        ("seed", "1.5", "seed must be a whole number, got '1.5'"),
        ("top_k", "0", "top_k must be at least 1, got 0"),
        ("temperature", "nan", "temperature must be from 0 to 100, got nan"),
        ("temperature", "hot", "temperature must be a number, got 'hot'"),
        ("scale", "exp", "scale must be one of log, linear, got 'exp'"),
        ("layers", "1", "there is no parameter 'layers'; there are text, seed"),
    ],
)
def test_a_bad_parameter_is_one_line(name: str, text: str, line: str) -> None:
    with pytest.raises(UserError, match=line) as error:
        VIEW.parse({name: text})
    assert "\n" not in str(error.value)


def test_every_view_takes_its_defaults() -> None:
    for view in VIEWS.values():
        view.parse({})


def test_a_view_has_its_models_to_itself_in_an_export_too() -> None:
    gpt, runs = opened(), Runs(list)
    id_ = runs.add(gpt)
    views = {"pair": View(lambda a, b: {"locked": a.lock.locked() and b.lock.locked()}, runs=("run", "run2"))}
    for other in (id_, runs.add(opened("bigram"))):
        assert answer(runs, Asked("pair", {"run": id_, "run2": other}), views) == {"locked": True}
    assert not gpt.lock.locked()


def test_about_counts_the_parameters() -> None:
    told = about(opened())
    assert told["kind"] == "gpt"
    assert told["parameters"] == told["config"]["vocab_size"] * 16 + 16 * 16 + 2 * (12 * 16 * 16 + 2 * 16) + 16
    assert told["pieces"][-1] == "t"


def test_a_text_that_is_too_long_keeps_its_last_tokens() -> None:
    told = tokens(opened(), "the cat sat on the mat")
    assert ("".join(told["pieces"]), told["left_out"]) == ("t sat on the mat", 6)


def test_an_opened_run_has_the_weights_on_disk(tmp_path: Path) -> None:
    folder = run(tmp_path)
    there = open_run(folder.path)
    mine, theirs = (dict(model.named_parameters()) for model in (there.model, load_model(folder)))
    for name, weight in mine.items():
        np.testing.assert_array_equal(weight.detach().numpy(), theirs[name].detach().numpy())
    assert (there.kind, there.text_kind) == ("gpt", "stream")
    with pytest.raises(UserError, match="there is no run in"):
        open_run(tmp_path / "nothing")
    with pytest.raises(UserError, match="no moment 'first'"):
        open_run(folder.path, "first")


@pytest.mark.parametrize(
    ("kind", "written", "text"),
    [
        ("documents", "a cat\nthe cat sat\nthe cat sat on the mat and the dog sat\n", "the cat sat"),
        ("stream", "the cat sat on the mat and the dog", "the cat sat on"),
        ("pairs", "the cat -> tac eht  (right)\ncat -> tac  (right)\n", "the cat"),
        ("stream", "§ § § §", ""),
    ],
)
def test_the_first_text_is_one_that_the_run_has_written(tmp_path: Path, kind: str, written: str, text: str) -> None:
    gpt = opened()
    gpt.folder, gpt.text_kind = RunFolder(tmp_path), kind
    assert first_text(gpt) == ""
    (tmp_path / "samples.txt").write_text(written)
    assert first_text(gpt) == text
