"""Training, scoring and resuming a model that carries a state over a stream."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models import LanguageModel, inference
from gradus.training import Run, Setup, set_up, train
from gradus.training.run import MODEL, OPTIMIZER

CONSTANT: dict[str, Any] = {"schedule": "constant", "warmup": 0.0, "evaluations": 1}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text("she sells sea shells by the sea shore; " * 60, encoding="utf-8")
    return str(path)


def settings(stream: str, **more: Any) -> dict[str, Any]:
    small = {"n_embd": 4, "n_hidden": 8, "batch_size": 3, "block_size": 8}
    return {"corpus": stream, "model": "recurrent", **small, **CONSTANT, **more}


def dev_loss(setup: Setup, model: LanguageModel) -> float:
    return evaluate(model, setup.rows("dev")).nats


def test_stopped_and_resumed_it_has_the_same_bytes_as_without_a_stop(stream: str, tmp_path: Path) -> None:
    files = []
    for name, stops in (("whole", [6]), ("resumed", [2, 3, 6])):
        run = Run.create(tmp_path / name)
        for steps in stops:
            setup = set_up(settings(stream, steps=6))
            config = replace(setup.config, steps=steps)
            train(setup.model, setup.batches, config, run, evaluate=partial(dev_loss, setup))
        files.append([run.read(file) for file in (MODEL, OPTIMIZER)])
    assert files[0] == files[1]


def test_scored_on_tracks_it_has_the_loss_of_reading_each_track_from_its_beginning_to_its_end(stream: str) -> None:
    setup = set_up(settings(stream, steps=2))
    ids = setup.rows("dev").ids
    length = -(-(len(ids) - 1) // 8)
    total = 0.0
    for first in range(0, len(ids) - 1, length):
        track = torch.from_numpy(ids[None, first : first + length + 1].copy())
        with inference(setup.model):
            total += setup.model(track[:, :-1], track[:, 1:])[1].item() * (track.shape[1] - 1)
    score = evaluate(setup.model, setup.rows("dev"))
    assert score.count == len(ids) - 1
    assert score.nats == pytest.approx(total / score.count, rel=1e-5)  # float32


def test_carry_is_for_a_stream_and_for_windows_that_do_not_slide(stream: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="carries its state over all of the text: no window has to slide"):
        set_up(settings(stream)).rows("dev", stride=1)
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{a}{b}{a}\n" for a in "abcdefgh" for b in "aeiou"), encoding="utf-8")
    with pytest.raises(UserError, match="carry is for a stream"):
        set_up(settings(str(names), carry=True))
    assert np.all(set_up(settings(str(names))).batches.batch(0)[0][:, 0] == 0)
