"""Every model and way of training: stopped and resumed it has the same bytes as without a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradus.training import RunFolder, set_up, train
from gradus.training.run import MODEL, OPTIMIZER

CONSTANT: dict[str, Any] = {"schedule": "constant", "warmup": 0.0, "evaluations": 1, "batch_size": 3, "block_size": 8}
TRAININGS: dict[str, dict[str, Any]] = {
    "bigram": {"model": "bigram"},
    "nplm, single positions, sgd": {"model": "nplm", "positions": True, "optimizer": "sgd", "momentum": 0.9},
    "mlp, batch norm": {"model": "mlp", "n_hidden": 16},
    "wavenet": {"model": "wavenet", "n_hidden": 8, "n_layer": 2},
    "wavenet, dilated": {"model": "wavenet", "n_hidden": 8, "n_layer": 2, "design": "dilated"},
    "recurrent": {"model": "recurrent", "n_hidden": 8},
    "recurrent, dropout": {"model": "recurrent", "cell": "gru", "n_hidden": 8, "n_layer": 2, "dropout": 0.3},
    "gpt, dropout": {"model": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8, "dropout": 0.3},
    "modern, muon": {"model": "modern", "n_layer": 1, "n_head": 2, "n_embd": 8, "optimizer": "muon"},
}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text("she sells sea shells by the sea shore; " * 60, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", TRAININGS)
def test_stopped_and_resumed_it_has_the_same_bytes_as_without_a_stop(name: str, stream: str, tmp_path: Path) -> None:
    files = []
    for folder, stops in (("whole", [6]), ("resumed", [2, 3, 6])):
        run = RunFolder.create(tmp_path / folder)
        for steps in stops:
            setup = set_up({"corpus": stream, "steps": 6, **CONSTANT, **TRAININGS[name]})
            train(setup.model, setup.batches, replace(setup.config, steps=steps), run)
        files.append([run.read(file) for file in (MODEL, OPTIMIZER)])
    assert files[0] == files[1]
