"""What a test lets several processes do. torchrun runs this file as a program, in each of them:

torchrun --nproc-per-node 2 -m tests.training.processes losses FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradus.backend import rank
from gradus.errors import UserError
from gradus.evaluation import evaluate
from gradus.models.lora import add_lora
from gradus.training import Report, RunFolder, distributed, set_up, train
from gradus.training.adapting import adapt
from gradus.training.feed import Feed, MicroBatch
from tests.training.test_torch import SIZE, TRAININGS, text_for

STEPS = 20
SMALL: dict[str, Any] = {"steps": STEPS, "evaluations": 2, "batch_size": 5, "block_size": 16, "learning_rate": 1e-3}
NO_DROPOUT: dict[str, Any] = {**SIZE, "dropout": 0.0}  # each process draws its own
MANY: dict[str, dict[str, Any]] = {
    "bigram, sgd": {"model": "bigram", "optimizer": "sgd", "learning_rate": 1.0},
    "nplm, sgd": TRAININGS["nplm, sgd"],
    "mlp": {"model": "mlp", "norm": "layer", "n_hidden": 16, "positions": True, "batch_size": 7},
    "wavenet, dilated": TRAININGS["wavenet, dilated"],
    "gru": TRAININGS["gru"],
    "lstm": TRAININGS["lstm"],
    "gpt": TRAININGS["gpt"],
    "gpt, documents": {"model": "gpt", **SIZE, "grad_accumulation": 3, "batch_size": 3},
    "gpt, lora": {"model": "gpt", **SIZE, "learning_rate": 1e-2},
    "gpt, checkpointing": {"model": "gpt", **SIZE, "gradient_checkpointing": True, "freeze": "embeddings"},
    "modern": TRAININGS["modern"],
    "modern, muon": TRAININGS["modern, muon"],
    "transformer": {"model": "transformer", **NO_DROPOUT},
    "encoder, hidden tokens": {"model": "encoder", **NO_DROPOUT, "masked": True},
    "encoder, labels": {"model": "encoder", **NO_DROPOUT, "batch_size": 1},  # nothing is left for the second process
}
SHARDED = ("gpt", "gpt, documents", "gpt, lora", "gpt, checkpointing", "lstm")
SHARDED_SLOWLY = ("gru", "mlp", "modern", "transformer", "encoder, hidden tokens", "encoder, labels")
MOVED = ("gpt", "gpt, lora", "lstm")  # from one number of processes to another, half-way


def losses(name: str, run: RunFolder | None = None, *, until: int = STEPS, **more: Any) -> list[float]:
    """The loss of each step, and at the end the dev losses at half of them and after the last."""
    settings = {"corpus": "pydocs", **SMALL, **(more if "model" in more else {**MANY[name], **more})}
    setup = set_up(settings, corpus=text_for(name))
    adapt(setup.model, setup.config)
    if "lora" in name:
        add_lora(setup.model, rank=4, alpha=8.0)
    config = replace(setup.config, steps=until, schedule="constant", warmup=0.0, evaluations=2 * until // STEPS)
    of_steps: list[float] = []
    of_dev: list[float] = []

    def dev_loss(model: Any) -> float:
        score = evaluate(model, setup.examples("dev"), part=distributed.rows())
        total, count = distributed.total(score.total, score.count)
        of_dev.append(total / count)
        return of_dev[-1]

    def note(report: Report) -> None:
        of_steps.append(report.loss)

    train(setup.model, setup.batches, config, run, evaluate=dev_loss, progress=note)
    return [*of_steps, *of_dev]


def alone(name: str, run: RunFolder | None = None, *, until: int = STEPS) -> list[float]:
    """The losses of one process; the others have none."""
    if not distributed.leads():
        return []
    number = os.environ.pop("WORLD_SIZE")
    try:
        return losses(name, run, until=until)
    finally:
        os.environ["WORLD_SIZE"] = number


def all_losses(folder: Path) -> dict[str, dict[str, list[float]]]:
    """Of every training the losses of one process and of all, with DDP and with FSDP; and of the second half of those
    that one process has begun, or all have."""
    found = {name: {"one": alone(name), "all": losses(name)} for name in MANY}
    for name in SHARDED:
        found[name]["sharded"] = losses(name, shard=True)
    try:
        losses("gpt", model="mlp", norm="batch")
    except UserError as error:
        found["refused"] = {str(error): []}
    for name in MOVED:
        for shard in (False, True):
            widened, narrowed = (RunFolder(folder / f"{name} {shard} {way}") for way in ("widened", "narrowed"))
            if distributed.leads():
                widened.path.mkdir()
                narrowed.path.mkdir()
            alone(name, widened, until=STEPS // 2)
            distributed.total(0)  # the others wait until the run is there
            found[name][f"widened, {shard}"] = losses(name, widened, shard=shard)
            losses(name, narrowed, until=STEPS // 2, shard=shard)
            found[name][f"narrowed, {shard}"] = alone(name, narrowed)
    return found


def sharded_losses() -> dict[str, dict[str, list[float]]]:
    """Of the other trainings, the losses of one process and of all with FSDP."""
    return {name: {"one": alone(name), "sharded": losses(name, shard=True)} for name in SHARDED_SLOWLY}


def die_at(last: int) -> None:
    """Let the process of rank 1 be killed at the beginning of a step."""
    begin = Feed.step

    def begin_or_die(feed: Feed, step: int) -> tuple[list[MicroBatch], int]:
        if step == last and rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return begin(feed, step)

    Feed.step = begin_or_die  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    what, argument, *rest = sys.argv[1:]
    if what == "losses":
        found = sharded_losses() if argument == "slow" else all_losses(Path(argument))
        if distributed.leads():
            print(json.dumps(found))
    else:
        from gradus.cli import main

        die_at(int(argument))
        main(rest)
