"""A run's measurements for other programs that show curves: TensorBoard and Weights & Biases. The record is the
run's own `metrics.jsonl`; what is written here is made from it, and can be made again at any time."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from gradus.engine.utils.tensorboard import SummaryWriter
from gradus.errors import UserError
from gradus.files import saving
from gradus.training import RunFolder


def to_tensorboard(run: RunFolder) -> Path:
    """Write a run's measurements as an event file in its folder `tensorboard`, in place of an earlier one. Neither
    TensorBoard nor PyTorch is needed for it; `tensorboard --logdir runs` shows all runs.

    Returns:
        the folder.

    Raises:
        UserError: if the run cannot be read, or the disk refuses.
    """
    folder = run.path / "tensorboard"
    with saving(folder):
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        with SummaryWriter(folder) as writer:
            for line in run.metrics():
                for name, value in _measured(line).items():
                    writer.add_scalar(name, value, line["step"])
    return folder


def to_wandb(run: RunFolder, project: str) -> str:
    """Log a run's settings and measurements to Weights & Biases, by its own library (the extra wandb); with
    WANDB_MODE=offline it writes into the run's folder, for `wandb sync`.

    Returns:
        where its library has put them.

    Raises:
        UserError: if the library is not installed, or the run cannot be read.
    """
    try:
        wandb: Any = importlib.import_module("wandb")
    except ImportError:
        raise UserError("Weights & Biases needs its own library: pip install 'gradus-lm[wandb]'") from None
    with wandb.init(project=project, name=run.path.resolve().name, config=run.settings(), dir=str(run.path)) as logged:
        for line in run.metrics():
            logged.log(_measured(line), step=line["step"])
        return str(logged.dir)


def _measured(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "step"}
