"""Diagnostics: collected at every evaluation without touching the training, drawn next to the run and on its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.report.diagnose import draw, drawn, looked_at
from gradus.report.examine import write_run_page
from gradus.training import Run, reopen, set_up, train, write_beginning
from gradus.training.diagnose import DIAGNOSTICS, Diagnosis, read_diagnostics

SIZE = {"n_layer": 1, "n_head": 2, "n_embd": 8, "evaluations": 3}


def trained(words: Path, path: Path, *, diagnose: bool = True, steps: int = 6, **settings: Any) -> Run:
    run = Run.create(path)
    setup = set_up({"corpus": str(words), "steps": steps, **(settings or SIZE)})
    write_beginning(run, setup)
    go_on(run, setup, diagnose)
    return run


def go_on(run: Run, setup: Any, diagnose: bool = True) -> None:
    dev = setup.rows("dev")
    collect = Diagnosis(setup.model, looked_at(setup), run) if diagnose else None
    train(
        setup.model, setup.batches, setup.config, run, evaluate=lambda m: evaluate(m, dev).nats, progress=collect,
        data=setup.data(),
    )  # fmt: skip


def test_a_line_is_collected_at_every_evaluation(words: Path, tmp_path: Path) -> None:
    lines = read_diagnostics(trained(words, tmp_path / "run"))
    assert [line["step"] for line in lines] == [2, 4, 6]
    for line in lines:
        gelu = line["activations"]["transformer.h.0.mlp.gelu"]
        assert 0 <= gelu["saturated"] <= 1
        assert sum(gelu["histogram"]["counts"]) > 0
        assert gelu["std"] > 0
        assert line["activations"]["transformer.h.0"]["saturated"] is None


def test_looking_inside_leaves_the_training_as_it_was(words: Path, tmp_path: Path) -> None:
    runs = [
        trained(words, tmp_path / str(diagnose), diagnose=diagnose, dropout=0.2, **SIZE) for diagnose in (False, True)
    ]
    assert runs[0].read("model.safetensors") == runs[1].read("model.safetensors")


def test_resumed_run_goes_on_where_its_checkpoint_is(words: Path, tmp_path: Path) -> None:
    run = trained(words, tmp_path / "run")
    with open(run.path / DIAGNOSTICS, "a", encoding="utf-8") as file:
        file.write('{"step": 7, "activations": {}}\n{"step": 8, "activ')  # after the checkpoint, and cut off
    go_on(run, reopen(run, steps=12))
    assert [line["step"] for line in read_diagnostics(run)] == [2, 4, 6, 8, 12]


def test_pictures_lie_next_to_the_run_and_in_its_page(words: Path, tmp_path: Path) -> None:
    run = trained(words, tmp_path / "run")
    pictures = draw(run, reopen(run))
    names = [picture.name for picture in pictures]
    assert names == ["embedding", "activations", "stream", "std-over-time", "saturated-over-time", "attention-0"]
    assert all(picture.png.startswith(b"\x89PNG") for picture in pictures)
    assert drawn(run.path) == pictures
    html = write_run_page(run.path).read_text(encoding="utf-8")
    assert len(re.findall('<img src="data:image/png;base64,', html)) == len(pictures)
    (run.path / "diagnostics" / "stream.png").unlink()
    with pytest.raises(UserError, match=r"diagnostics is damaged: .* remove it"):
        drawn(run.path)


def test_counting_model_has_its_table_and_nothing_else(words: Path, tmp_path: Path) -> None:
    run = trained(words, tmp_path / "run", model="ngram", order=2)
    assert [picture.name for picture in draw(run, reopen(run))] == ["counts"]
    assert drawn(tmp_path) == []
