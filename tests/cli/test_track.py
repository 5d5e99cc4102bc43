"""`gradus track`: event files and Weights & Biases get what metrics.jsonl has."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from gradus.training import RunFolder
from tests.cli.commands import SMALL, gradus, refused, write_stream


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    assert gradus("train", write_stream(folder), *SMALL, "--steps", 4, "-o", folder / "run").exit_code == 0
    return folder / "run"


def test_tensorboard_gets_every_measurement_once_however_often_it_is_written(run: Path) -> None:
    for _ in range(2):
        assert gradus("track", run).stdout == f"{run / 'tensorboard'}\n"
    (events,) = (run / "tensorboard").iterdir()
    lines = RunFolder.open(run).metrics()
    for name in ("train_loss", "dev_loss", "learning_rate"):
        assert events.read_bytes().count(name.encode()) == sum(name in line for line in lines)


def test_wandb_gets_settings_and_measurements(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[Any] = []

    class Logged:
        dir = "there"

        def __enter__(self) -> Logged:
            return self

        def __exit__(self, *_: object) -> None:
            logged.append("finished")

        def log(self, values: dict[str, float], step: int) -> None:
            logged.append((step, values["train_loss"]))

    def init(**options: Any) -> Logged:
        logged.append((options["project"], options["name"], options["config"]["n_embd"]))
        return Logged()

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    assert gradus("track", run, "--to", "wandb", "--project", "mine").stdout == "there\n"
    lines = RunFolder.open(run).metrics()
    assert logged == [("mine", "run", 8), *((line["step"], line["train_loss"]) for line in lines), "finished"]
    monkeypatch.setitem(sys.modules, "wandb", None)
    said = refused("track", run, "--to", "wandb")
    assert said == "Weights & Biases needs its own library: pip install 'gradus-lm[wandb]'"
