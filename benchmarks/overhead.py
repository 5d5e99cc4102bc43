"""What our trainer costs beside the arithmetic: its steps against those of a bare PyTorch loop, for the GPT of six
layers, six heads and width 384 that nanoGPT trains on Shakespeare's characters. Run as

    python benchmarks/overhead.py --rounds 5

Both take the same steps: the same model, batches, AdamW, clipping and learning rate. They take turns, and the CPU time
of all threads is compared, which another process on the machine disturbs less than the clock."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from gradus import backend

backend.use("torch")

import torch  # noqa: E402

from gradus.models import build_model  # noqa: E402
from gradus.training import TrainConfig, train  # noqa: E402

VOCABULARY = 65


class Batches:
    """Rows of random tokens."""

    steps_per_epoch = 1000

    def __init__(self, batch_size: int, block_size: int) -> None:
        self.shape = batch_size, block_size + 1

    def batch(self, step: int, rows: slice = slice(None)) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        ids = np.random.default_rng(step).integers(VOCABULARY, size=self.shape)[rows]
        return ids[:, :-1], ids[:, 1:]


def model(block_size: int) -> Any:
    torch.manual_seed(1337)
    return build_model(
        "gpt", vocab_size=VOCABULARY, block_size=block_size, n_layer=6, n_head=6, n_embd=384, dropout=0.0
    )


def ours(net: Any, batches: Batches, config: TrainConfig) -> list[float]:
    losses: list[float] = []
    train(net, batches, config, progress=lambda report: losses.append(report.loss))
    return losses


def bare(net: Any, batches: Batches, config: TrainConfig) -> list[float]:
    """The loop as one writes it by hand."""
    decay, rest = ([p for p in net.parameters() if (p.dim() >= 2) == matrix] for matrix in (True, False))
    groups = [{"params": decay, "weight_decay": config.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=True)
    losses = []
    net.train()
    for step in range(config.steps or 0):
        x, y = (torch.from_numpy(np.ascontiguousarray(array)) for array in batches.batch(step))
        optimizer.zero_grad(set_to_none=True)
        _, loss = net(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), config.grad_clip)
        optimizer.step()
        losses.append(loss.item())
    return losses


def seconds(run: Callable[..., list[float]], *arguments: Any) -> tuple[float, list[float]]:
    """The CPU time of a loop, of all its threads, and its losses."""
    start = time.process_time()
    losses = run(*arguments)
    return time.process_time() - start, losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="in a round, of each")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--block-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    config = TrainConfig(steps=asked.steps, schedule="constant", warmup=0.0, learning_rate=1e-3, evaluations=1)
    batches = Batches(asked.batch_size, asked.block_size)
    ratios = []
    bare(model(asked.block_size), batches, config)  # the first time is slower
    for number in range(asked.rounds):
        turns = (ours, bare) if number % 2 else (bare, ours)
        found = {turn: seconds(turn, model(asked.block_size), batches, config) for turn in turns}
        assert np.allclose(found[ours][1], found[bare][1], rtol=1e-5), "they take different steps"
        ratios.append(found[ours][0] / found[bare][0])
        print(f"ours {found[ours][0]:7.2f} s, bare {found[bare][0]:7.2f} s, ratio {ratios[-1]:.4f}", flush=True)
    print(f"median of {asked.rounds} rounds of {asked.steps} steps: {100 * (median(ratios) - 1):+.2f} %")


if __name__ == "__main__":
    main()
