"""Two processes by torchrun on this CPU: the same losses as one, whole checkpoints, one line when one of them ends."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gradus.backend import torch
from gradus.errors import UserError
from gradus.training import RunFolder, distributed, set_up
from gradus.training.feed import Feed
from tests.cli.commands import SMALL, gradus, write_stream
from tests.training.processes import MANY, MOVED, SHARDED, STEPS
from tests.training.test_torch import text_for
from tests.training.tiny import TinyBatches, tiny_gpt

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def two(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What `torchrun --nproc-per-node 2 -m MODULE ARGUMENTS` does."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", module]
    environment = {**os.environ, "GRADUS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    return subprocess.run([*launch, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)


def own_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of gradus on standard error, without those of torchrun."""
    return [line for line in done.stderr.splitlines() if line.startswith("gradus: ")]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[float]]]:
    """What two processes say: see `all_losses`."""
    done = two("tests.training.processes", "losses", tmp_path_factory.mktemp("runs"))
    assert done.returncode == 0, done.stderr
    losses: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return losses


@pytest.mark.parametrize("name", MANY)
def test_two_processes_have_the_losses_of_one(name: str, found: dict[str, dict[str, list[float]]]) -> None:
    one = found[name]["one"]
    assert len(set(one)) == STEPS + 2
    assert one == pytest.approx(found[name]["all"], abs=1e-5)


@pytest.mark.parametrize("name", SHARDED)
def test_sharded_over_two_processes_it_has_the_losses_of_one(
    name: str, found: dict[str, dict[str, list[float]]]
) -> None:
    assert found[name]["one"] == pytest.approx(found[name]["sharded"], abs=1e-5)


@pytest.mark.slow
def test_sharded_over_two_processes_every_other_model_has_the_losses_of_one() -> None:
    done = two("tests.training.processes", "losses", "slow")
    assert done.returncode == 0, done.stderr
    for name, found in json.loads(done.stdout).items():
        # Muon, which modern has, rounds to bfloat16, so that the order of a sum shows sooner.
        assert found["one"] == pytest.approx(found["sharded"], abs=5e-5 if name == "modern" else 1e-5), name


@pytest.mark.parametrize("shard", [False, True])
@pytest.mark.parametrize("name", MOVED)
def test_a_run_goes_on_with_another_number_of_processes(
    name: str, shard: bool, found: dict[str, dict[str, list[float]]]
) -> None:
    after = [*found[name]["one"][STEPS // 2 : STEPS], found[name]["one"][-1]]
    for way in ("widened", "narrowed"):
        assert after == pytest.approx(found[name][f"{way}, {shard}"], abs=1e-5)


def test_when_a_process_is_killed_the_others_end_with_one_line_and_the_checkpoint_is_whole(tmp_path: Path) -> None:
    text, out = write_stream(tmp_path), tmp_path / "run"
    flags = ("--steps", 100, "--evaluations", 10, "--out", out, *SMALL)
    done = two("tests.training.processes", "die", 25, "--backend", "torch", "train", text, *flags)
    assert own_lines(done) == [
        "gradus: another process of the training has ended, or is out of reach; the checkpoint of step 20 is whole"
    ]
    assert done.returncode == 1
    assert "src/gradus" not in done.stderr  # no traceback but torchrun's own
    assert gradus("train", "--resume", out).exit_code == 0
    assert RunFolder.open(out).state()["step"] == 100


def test_batch_norm_is_refused_as_it_needs_the_whole_batch(found: dict[str, dict[str, list[float]]]) -> None:
    (said,) = found["refused"]
    assert said.startswith(
        "mlp has BatchNorm, which needs the whole batch in one process; leave out torchrun, or choose"
    )


def test_counting_and_the_engine_are_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="ngram counts in one process; leave out torchrun"):
        set_up({"corpus": "pydocs", "model": "ngram"}, corpus=text_for("gpt"))
    with pytest.raises(UserError, match="for 2 processes choose PyTorch: gradus --backend torch"):
        set_up({"corpus": "pydocs"}, corpus=text_for("gpt"))


def test_a_process_that_cannot_reach_the_others_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(nobody.getsockname()[1])}
        for name, value in {"WORLD_SIZE": "2", "RANK": "1", **place}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(distributed, "MEETING", timedelta(seconds=1))
        with pytest.raises(UserError, match=r"^cannot reach the other processes by 127\.0\.0\.1:\d+: ") as error:
            distributed.join(torch.device("cpu"))
        assert "\n" not in str(error.value)


def test_each_process_makes_only_its_rows_and_all_shares_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batches = tiny_gpt(), TinyBatches()
    whole = Feed(model, batches, 2).step(3)[0]
    monkeypatch.setattr(distributed, "total", lambda *numbers: [3 * n for n in numbers])  # three alike
    monkeypatch.setenv("WORLD_SIZE", "3")
    rows = 0
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        parts, _ = Feed(model, batches, 2).step(3)
        for part, of_all in zip(parts, whole, strict=True):
            assert part.x.tolist() == of_all.x[rank::3].tolist()
            rows += len(part.x)
        assert [part.last for part in parts] == [False, True]
        assert sum(part.share for part in parts) == pytest.approx(1.0)
    assert rows == sum(len(of_all.x) for of_all in whole)
