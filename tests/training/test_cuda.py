"""The trainer on a GPU: in float32 every model's losses are the engine's, a run moves there and back, and bf16 and
compiled code stay near. Skipped where there is no GPU.

Run as a program, on PyTorch, it prints what it finds on the GPU."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.training import RunFolder
from tests.cli.commands import SMALL as FLAGS
from tests.cli.commands import gradus, write_stream
from tests.training.test_torch import MOVED, STEPS, TRAININGS
from tests.training.test_torch import losses as losses_of

NEAR: dict[str, dict[str, Any]] = {
    "bf16": {"precision": "bf16"},
    "tf32": {"precision": "tf32"},
    "bf16, compiled": {"precision": "bf16", "compile": True},
}
DRAWS = "gpt, adam, dropout"  # whose random numbers on a GPU are others
COMPARED = [name for name in TRAININGS if name not in ("ngram", DRAWS)]
COMMANDS = {
    "sample": ("sample", "--temperature", "0", "--length", "40"),
    "eval": ("eval",),
}


def losses(name: str, run: RunFolder | None = None, **more: Any) -> list[float]:
    """Without dropout, but for the training that is about it."""
    if TRAININGS[name]["model"] in ("transformer", "encoder"):
        more["dropout"] = 0.0
    return losses_of(name, run, **more)


def has_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


pytestmark = pytest.mark.skipif(not has_gpu(), reason="there is no GPU, or no PyTorch for it")


def on_the_gpu(folder: Path) -> dict[str, Any]:
    """The losses of all models, of runs that the engine has begun, and of one that goes on where it stopped; what the
    commands print; and what is said of memory that does not suffice."""
    import torch

    found: dict[str, Any] = {name: losses(name, device="cuda") for name in (*COMPARED, DRAWS)}
    for how, more in NEAR.items():
        found[how] = losses("gpt", device="cuda", **more)
    for name in MOVED:
        if name != DRAWS:
            found[f"{name}, resumed"] = losses(name, RunFolder.open(folder / f"engine {name}"), device="cuda")
        losses(name, RunFolder.create(folder / f"cuda {name}"), until=STEPS // 2, device="cuda")
    found["goes on"] = losses(DRAWS, RunFolder.open(folder / f"cuda {DRAWS}"), device="cuda")
    for name, command in COMMANDS.items():
        found[name] = gradus(command[0], folder / "run", *command[1:], "--device", "cuda").stdout
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-4)
    try:
        losses("gpt", device="cuda", n_embd=512, batch_size=4096)
    except UserError as error:
        found["memory"] = str(error)
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("runs")
    for name in MOVED:
        losses(name, RunFolder.create(folder / f"engine {name}"), until=STEPS // 2)
    assert gradus("train", write_stream(folder), *FLAGS, "--steps", 20, "--out", folder / "run").exit_code == 0
    environment = {**os.environ, "GRADUS_BACKEND": "torch"}
    command = [sys.executable, "-m", "tests.training.test_cuda", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", COMPARED)
def test_fifty_steps_on_the_gpu_have_the_engines_losses(name: str, found: tuple[Path, dict[str, Any]]) -> None:
    folder, there = found
    ours = losses(name)
    assert ours == pytest.approx(there[name], rel=1e-3)
    if name in MOVED:
        after = ours[STEPS // 2 :]
        assert after == pytest.approx(there[f"{name}, resumed"], rel=1e-3)
        assert after == pytest.approx(losses(name, RunFolder.open(folder / f"cuda {name}")), rel=1e-3)


def test_a_run_goes_on_with_the_gpus_random_numbers(found: tuple[Path, dict[str, Any]]) -> None:
    _, there = found
    assert there["goes on"] == pytest.approx(there[DRAWS][STEPS // 2 :], rel=1e-5)


@pytest.mark.parametrize("how", NEAR)
def test_in_bf16_and_compiled_the_losses_are_near(how: str, found: tuple[Path, dict[str, Any]]) -> None:
    _, there = found
    assert there[how] == pytest.approx(there["gpt"], rel=0.02)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_there_what_it_says_here(name: str, found: tuple[Path, dict[str, Any]]) -> None:
    folder, there = found
    command = COMMANDS[name]
    here = gradus(command[0], folder / "run", *command[1:]).stdout
    assert there[name][:15] == here[:15]  # the digits after are rounded in another order


def test_memory_that_does_not_suffice_is_said_in_one_line(found: tuple[Path, dict[str, Any]]) -> None:
    _, there = found
    assert "has too little memory for gpt with" in there["memory"]
    assert "\n" not in there["memory"]


if __name__ == "__main__":
    print(json.dumps(on_the_gpu(Path(sys.argv[1]))))
