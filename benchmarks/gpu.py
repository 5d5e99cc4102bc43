"""GPT-2 of 124M parameters on one GPU, in bf16 and compiled: tokens per second and how much of the device they use, the
rate of a plain bf16 matrix product on it, and the losses of 20 steps beside the engine's. Two minutes of the device:

    python benchmarks/gpu.py --losses engine.json --engine     # beforehand, on any machine: two minutes
    python benchmarks/gpu.py --losses engine.json              # on the GPU

Without a GPU the second command shows that it works, on a small model:

    python benchmarks/gpu.py --device cpu --no-compile --n-layer 2 --n-head 2 --n-embd 64 --vocab-size 256 \\
        --batch-size 2 --block-size 32 --steps 20 --side 256

The text is the corpus `toy`, the same on every machine, a byte a token; what a step costs does not depend on it."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from gradus import backend
from gradus.text import load_corpus

COMPARED, ROWS, ROW = 20, 2, 256  # the steps whose losses are compared, on so many rows of so many tokens
WARM = 10  # steps that are not timed: the first ones compile


class Batches:
    """Rows from random places of the corpus toy."""

    steps_per_epoch = 1000

    def __init__(self, batch_size: int, block_size: int) -> None:
        text = "\n".join(load_corpus("toy").documents)
        self.bytes = np.frombuffer(text.encode(), np.uint8)
        self.shape = batch_size, block_size

    def batch(self, step: int, rows: slice = slice(None)) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        number, length = self.shape
        starts = np.random.default_rng(step).integers(len(self.bytes) - length, size=(number, 1))[rows]
        ids = self.bytes[starts + np.arange(length + 1)].astype(np.int64)
        return ids[:, :-1], ids[:, 1:]


def train(asked: argparse.Namespace, batches: Batches, **settings: Any) -> tuple[list[float], list[float], Any]:
    """Train a new model. Returns the loss of each step, the time at its end, and the result."""
    from gradus.backend import torch
    from gradus.models import build_model
    from gradus.training import TrainConfig
    from gradus.training import train as run

    torch.manual_seed(1337)
    sizes = {"n_layer": asked.n_layer, "n_head": asked.n_head, "n_embd": asked.n_embd}
    model = build_model("gpt", vocab_size=asked.vocab_size, block_size=asked.block_size, **sizes)
    config = TrainConfig(learning_rate=6e-4, beta2=0.95, schedule="constant", warmup=0.0, evaluations=1, **settings)
    losses: list[float] = []
    ends: list[float] = []

    def note(report: Any) -> None:
        losses.append(report.loss)
        ends.append(time.perf_counter())

    return losses, ends, run(model, batches, config, progress=note)


def compared(asked: argparse.Namespace, **settings: Any) -> list[float]:
    rows = Batches(ROWS, min(ROW, asked.block_size))
    return train(asked, rows, steps=COMPARED, **settings)[0]


def matrix_rate(device: Any, side: int) -> float:
    """FLOP/s of a product of two bf16 matrices (side, side)."""
    import torch

    def wait() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    best = 0.0
    for _ in range(10):
        start = wait()
        for _ in range(10):
            a @ b
        best = max(best, 10 * 2 * side**3 / (wait() - start))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="store_true", help="only the engine's losses, into --losses")
    parser.add_argument("--losses", type=Path, help="the file with the engine's losses")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--block-size", type=int, default=1024)
    parser.add_argument("--n-layer", type=int, default=12)
    parser.add_argument("--n-head", type=int, default=12)
    parser.add_argument("--n-embd", type=int, default=768)
    parser.add_argument("--vocab-size", type=int, default=50304, help="GPT-2's 50,257, padded to a multiple of 64")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--side", type=int, default=8192, help="of the matrices whose product is timed")
    asked = parser.parse_args()
    backend.use("engine" if asked.engine else "torch")
    if asked.engine:
        asked.losses.write_text(json.dumps(compared(asked)), encoding="utf-8")
        return

    from gradus.models import build_model
    from gradus.training import TrainConfig
    from gradus.training.hardware import Hardware, forward_flops

    bf16 = {"device": asked.device, "precision": "bf16", "compile": asked.compile}
    hardware = Hardware(TrainConfig(steps=1, **bf16))
    print(f"{hardware}; {asked.steps} steps of {asked.batch_size} rows of {asked.block_size} tokens", flush=True)
    rate = matrix_rate(hardware.device, asked.side)
    peak = "unknown" if hardware.peak is None else f"{hardware.peak / 1e12:,.1f} TFLOP/s"
    print(f"bf16 matrix product, {asked.side} square: {rate / 1e12:,.2f} TFLOP/s; the data sheet's: {peak}", flush=True)

    batches = Batches(asked.batch_size, asked.block_size)
    losses, ends, _ = train(asked, batches, steps=asked.steps, **bf16)
    warm = min(WARM, asked.steps // 2)
    speed = (asked.steps - warm) * asked.batch_size * asked.block_size / (ends[-1] - ends[warm - 1])
    sizes = {"n_layer": asked.n_layer, "n_head": asked.n_head, "n_embd": asked.n_embd}
    model = build_model("gpt", vocab_size=asked.vocab_size, block_size=asked.block_size, **sizes)
    of_a_token = 3 * forward_flops(model, *batches.batch(0, slice(1))) / asked.block_size
    print(f"{model.num_parameters():,} parameters, {of_a_token / 1e6:,.1f} MFLOP a token")
    print(f"loss {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the last")
    of_peak = "unknown" if hardware.peak is None else f"{speed * of_a_token / hardware.peak:.1%}"
    print(
        f"{speed:,.0f} tokens/s: {speed * of_a_token / rate:.1%} of the product's rate, of the data sheet's {of_peak}"
    )

    columns = {
        "float32": compared(asked, device=asked.device),
        "bf16": compared(asked, device=asked.device, precision="bf16"),
    }
    if asked.losses is not None:
        columns = {"engine": json.loads(asked.losses.read_text(encoding="utf-8")), **columns}
    print("\n".join(["step  " + "".join(f"{name:>10}" for name in columns)]))
    for step, row in enumerate(zip(*columns.values(), strict=True), 1):
        print(f"{step:4}  " + "".join(f"{loss:10.5f}" for loss in row))


if __name__ == "__main__":
    main()
