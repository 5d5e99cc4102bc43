"""Training and scoring a model that carries a state over a stream (resuming it: test_resume.py)."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models import inference
from gradus.training import set_up
from tests.cli.commands import gradus

SIZES = {"--n-hidden": 8, "--n-embd": 4, "--batch-size": 3, "--block-size": 8, "--steps": 3, "--evaluations": 1}
CONSTANT: dict[str, Any] = {"schedule": "constant", "warmup": 0.0, "evaluations": 1}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text("she sells sea shells by the sea shore; " * 60, encoding="utf-8")
    return str(path)


def settings(stream: str, **more: Any) -> dict[str, Any]:
    small = {"n_embd": 4, "n_hidden": 8, "batch_size": 3, "block_size": 8}
    return {"corpus": stream, "model": "recurrent", **small, **CONSTANT, **more}


def test_scored_on_tracks_it_has_the_loss_of_reading_each_track_from_its_beginning_to_its_end(stream: str) -> None:
    setup = set_up(settings(stream, steps=2))
    ids = setup.rows("dev").ids[:]
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


def test_its_page_is_drawn_and_no_sliding_window_offered(stream: str, tmp_path: Path) -> None:
    out = gradus(
        "train",
        stream,
        "--model",
        "recurrent",
        *chain(*SIZES.items()),
        "--out",
        tmp_path / "run",
        "--page",
        "--diagnose",
    )
    assert out.exit_code == 0, out.output
    assert (tmp_path / "run" / "index.html").exists()
    assert "--sliding" not in out.output
