"""The trainer on PyTorch: every model's losses are the engine's, and a run moves from one backend to the other.

Run as a program, it prints the losses of all models on the backend that GRADUS_BACKEND names."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.text import Corpus
from gradus.training import RunFolder, set_up, train
from gradus.training.config import TrainConfig
from gradus.training.hardware import Hardware, forward_flops, peak_of
from tests.training.tiny import TinyBatches, tiny_gpt

needs_pytorch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")

STEPS = 50
SIZE: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": 16}
SMALL: dict[str, Any] = {"steps": STEPS, "evaluations": 1, "batch_size": 4, "block_size": 16, "learning_rate": 1e-3}
TRAININGS: dict[str, dict[str, Any]] = {
    "ngram": {"model": "ngram"},
    "bigram": {"model": "bigram", "learning_rate": 0.1},
    "nplm": {"model": "nplm", "n_hidden": 32},
    "nplm, sgd": {"model": "nplm", "n_hidden": 32, "optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1},
    "mlp": {"model": "mlp", "n_hidden": 32},
    "mlp, positions": {"model": "mlp", "n_hidden": 32, "n_layer": 2, "positions": True, "batch_size": 32},
    "wavenet": {"model": "wavenet", "n_hidden": 16, "n_layer": 2, "block_size": 8},
    "wavenet, dilated": {"model": "wavenet", "n_hidden": 16, "n_layer": 2, "design": "dilated"},
    "rnn": {"model": "recurrent", "cell": "rnn", "n_hidden": 24, "carry": True},
    "gru": {"model": "recurrent", "cell": "gru", "n_hidden": 24},
    "lstm": {"model": "recurrent", "cell": "lstm", "n_hidden": 24, "carry": True},
    "gpt": {"model": "gpt", **SIZE, "grad_accumulation": 2},
    "gpt, adam, dropout": {"model": "gpt", **SIZE, "optimizer": "adam", "dropout": 0.2},
    "modern": {"model": "modern", **SIZE},
    "modern, muon": {"model": "modern", **SIZE, "optimizer": "muon"},
    "transformer": {"model": "transformer", **SIZE},
    "encoder, hidden tokens": {"model": "encoder", **SIZE, "masked": True},
    "encoder, labels": {"model": "encoder", **SIZE},
}
MOVED = ("mlp", "lstm", "gpt, adam, dropout", "modern, muon", "transformer")  # from one backend to the other, half-way


def text_for(name: str) -> Corpus:
    """A made-up text of the kind that a model learns from."""
    random = np.random.default_rng(5)
    words = random.choice(["the", "cat", "sat", "on", "a", "mat", "and", "ate", "it"], size=(240, 3))
    lines = tuple(" ".join(row) for row in words)
    if name == "transformer":
        return Corpus("pairs", "pairs", source="made", documents=lines, targets=tuple((line[::-1],) for line in lines))
    if name == "encoder, labels":
        labels = tuple("cats" if "cat" in line else "others" for line in lines)
        return Corpus("labelled", "labelled", source="made", documents=lines, labels=labels)
    if name == "gpt, documents":
        lengths = random.integers(1, 12, size=len(lines))
        return Corpus(
            "lines",
            "documents",
            source="made",
            documents=tuple(line[:n] for line, n in zip(lines, lengths, strict=True)),
        )
    return Corpus("cats", "stream", source="made", text=" ".join(lines))


def losses(name: str, run: RunFolder | None = None, *, until: int = STEPS, **more: Any) -> list[float]:
    """The loss of each step, and the dev loss at the end; of a run that has begun, of the steps that are left."""
    setup = set_up({"corpus": "pydocs", **SMALL, **TRAININGS[name], **more}, corpus=text_for(name))
    config, found = replace(setup.config, steps=until, schedule="constant", warmup=0.0), []
    result = train(
        setup.model,
        setup.batches,
        config,
        run,
        evaluate=lambda model: evaluate(model, setup.examples("dev")).nats,
        progress=lambda report: found.append(report.loss),
    )
    assert result.dev_loss is not None
    return [*(loss for loss in found if not math.isnan(loss)), result.dev_loss]


def flops(name: str) -> float:
    """The floating-point operations that a token costs one pass forward."""
    setup = set_up({"corpus": "pydocs", **SMALL, **TRAININGS[name]}, corpus=text_for(name))
    x, y = setup.batches.batch(0, slice(1))
    return forward_flops(setup.model, x, y) / setup.model.scored(y)


def of_pytorch(folder: Path) -> dict[str, list[float]]:
    """The losses of all models on PyTorch, and after a run that the engine has begun; runs are begun for it, too."""
    found = {name: losses(name) for name in TRAININGS}
    found["bf16"] = losses("gpt", precision="bf16")
    found["flops"] = [flops(name) for name in TRAININGS if name not in ("ngram", "bigram")]
    found["a GPT's flops"] = [flops("gpt")]
    for name in MOVED:
        found[f"{name}, resumed"] = losses(name, RunFolder(folder / f"engine {name}"))
        losses(name, RunFolder.create(folder / f"torch {name}"), until=STEPS // 2)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that were begun on the engine, and on PyTorch; and `losses.json`, what PyTorch says."""
    folder = tmp_path_factory.mktemp("runs")
    for name in MOVED:
        losses(name, RunFolder.create(folder / f"engine {name}"), until=STEPS // 2)
    command = [sys.executable, "-m", "tests.training.test_torch", str(folder)]
    environment = {**os.environ, "GRADUS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "losses.json").write_text(done.stdout, encoding="utf-8")
    return folder


@needs_pytorch
@pytest.mark.parametrize("name", TRAININGS)
def test_fifty_steps_on_pytorch_have_the_engines_losses(name: str, runs: Path) -> None:
    ours, theirs = losses(name), json.loads((runs / "losses.json").read_text(encoding="utf-8"))
    assert len(ours) == (1 if name == "ngram" else STEPS + 1)
    assert ours == pytest.approx(theirs[name], rel=1e-4)
    if name in MOVED:
        after = ours[STEPS // 2 :]
        assert after == pytest.approx(theirs[f"{name}, resumed"], rel=1e-4)  # begun here, resumed there
        assert after == pytest.approx(losses(name, RunFolder.open(runs / f"torch {name}")), rel=1e-4)


@needs_pytorch
def test_in_bf16_the_losses_are_near_those_of_float32(runs: Path) -> None:
    theirs = json.loads((runs / "losses.json").read_text(encoding="utf-8"))
    assert theirs["bf16"] == pytest.approx(theirs["gpt"], rel=0.02)
    assert theirs["bf16"] != theirs["gpt"]


@needs_pytorch
def test_what_a_token_costs_is_counted_for_every_model_and_is_the_papers_for_a_gpt(runs: Path) -> None:
    theirs = json.loads((runs / "losses.json").read_text(encoding="utf-8"))
    assert all(cost > 0 for cost in theirs["flops"])  # counted where a tensor that is made on the CPU would be an error
    model = set_up({"corpus": "pydocs", **SMALL, **TRAININGS["gpt"]}, corpus=text_for("gpt")).model
    matrices = sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2 and "wpe" not in name)
    attention = 4 * SIZE["n_layer"] * SIZE["n_embd"] * SMALL["block_size"]  # Chowdhery et al. (2022), appendix B
    assert theirs["a GPT's flops"] == [2 * matrices + attention]


@needs_pytorch
@pytest.mark.slow
def test_compiled_it_has_the_losses_that_it_has_otherwise() -> None:
    program = (
        "from tests.training.test_torch import losses; import pytest;"
        "assert losses('gpt', until=8, compile=True) == pytest.approx(losses('gpt', until=8), rel=1e-4)"
    )
    environment = {**os.environ, "GRADUS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_pytorch
@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--device", "cuda"), r"there is no device cuda here(, .*)?; there is cpu"),
        (("--device", "mps"), r"there is no device mps here; there is cpu"),
        (("--precision", "tf32"), r"precision tf32 is CUDA's; on cpu there are float32 and bf16"),
        (("--shard",), r"shard is for several processes: torchrun --nproc-per-node N -m gradus"),
    ],
)
def test_what_this_machine_lacks_is_said_in_one_line(flags: tuple[str, ...], line: str, tmp_path: Path) -> None:
    from torch import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU")
    command = [sys.executable, "-m", "gradus", "--backend", "torch", "train", "--out", str(tmp_path / "run"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(f"gradus: {line}.*\n", done.stderr)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"device": "cuda"}, "device cuda"),
        ({"device": "mps", "precision": "bf16"}, "device mps, precision bf16"),
        ({"compile": True, "shard": True}, "compile, shard"),
    ],
)
def test_the_engine_says_what_needs_pytorch(settings: dict[str, Any], wanted: str) -> None:
    with pytest.raises(UserError, match=f"for {wanted} choose PyTorch: gradus --backend torch"):
        set_up({"corpus": "pydocs", "steps": 1, **settings}, corpus=text_for("gpt"))


def test_a_counting_model_has_no_use_for_hardware() -> None:
    with pytest.raises(UserError, match="ngram counts, on the CPU: device, precision"):
        set_up({"corpus": "pydocs", "model": "ngram", "device": "cuda"}, corpus=text_for("gpt"))


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:1", ""])
def test_a_device_that_is_none_is_refused_with_what_there_is(device: str) -> None:
    with pytest.raises(UserError, match=f"device must be auto, cpu, cuda, cuda:N or mps, got '{device}'"):
        TrainConfig(device=device)


@pytest.mark.parametrize(
    ("device", "precision", "tflops"),
    [
        ("NVIDIA A100-SXM4-80GB", "bf16", 312),
        ("NVIDIA A10", "bf16", 125),
        ("NVIDIA H100 80GB HBM3", "bf16", 989),
        ("NVIDIA H100 PCIe", "bf16", 756),
        ("NVIDIA H100 80GB HBM3", "float32", 67),
        ("NVIDIA GeForce RTX 4090", "tf32", 82.6),
        ("NVIDIA GeForce GTX 1080", "bf16", None),
        ("cpu", "float32", None),
    ],
)
def test_the_peak_of_a_device_is_known_by_its_name(device: str, precision: str, tflops: float | None) -> None:
    assert peak_of(device, precision) == (None if tflops is None else tflops * 1e12)


def test_on_the_engine_no_device_is_told_and_no_utilization() -> None:
    hardware = Hardware(TrainConfig(steps=1))
    hardware.count_flops(tiny_gpt(), TinyBatches())
    assert str(hardware) == ""
    assert hardware.utilization(1000.0) is None


if __name__ == "__main__":
    print(json.dumps(of_pytorch(Path(sys.argv[1]))))
