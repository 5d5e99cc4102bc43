"""An estimate of the memory that training will need, made before it begins, against what the machine has free: better
one line at the start than a process that the system kills in the middle."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gradus.errors import UserError
from gradus.files import note
from gradus.models import rows_at_once
from gradus.training.config import TrainConfig

NUMBER = 4  # bytes of a float32


def require_memory(config: TrainConfig, model: Any) -> None:
    """Note on standard error when training will need more than half of the free memory.

    Args:
        model: the model's configuration.

    Raises:
        UserError: if it will need more than is free.
    """
    free, needed = available(), estimate(config, model)
    if free is None or 2 * needed < free:
        return
    parameters = f"{model.parameters:,} parameters" if model.parameters else "the counts"
    said = (
        f"training {config.model} on a vocabulary of {model.vocab_size:,} tokens ({parameters}) will need about "
        f"{_size(needed)} of memory, and {_size(free)} are free"
    )
    if needed > free:
        raise UserError(f"{said}; choose a smaller model or batch, or a smaller vocabulary")
    note(said)


def estimate(config: TrainConfig, model: Any) -> int:
    """Bytes held at once, at the moment of a save.

    Weights, gradient, the best weights, and the first and the best ones as files; each of the optimizer's moments, as
    it is, copied, and as a file. Beside them the logits of an evaluation and of a step, with what is computed from
    them, and the activations of a Transformer's, a recurrent or a deep network's layers.
    """
    moments = {"sgd": int(config.momentum > 0)}.get(config.optimizer, 2)  # muon keeps one of its matrices
    parameters = model.parameters * (5 + 3 * moments)
    in_batch = min(config.batch_size * model.block_size, config.batch_tokens or math.inf)
    tokens = max(in_batch, rows_at_once(model.vocab_size, model.block_size) * model.block_size)
    layers = getattr(model, "n_layer", 0)
    width = 20 * layers * getattr(model, "n_embd", 0) + 12 * layers * getattr(model, "n_hidden", 0)
    logits = 3 * model.vocab_size * (1 if model.parameters else 2)  # counts have theirs in float64
    seen = getattr(model, "context", getattr(model, "order", 0)) * (getattr(model, "n_embd", 0) or 2)
    return int(NUMBER * (parameters + tokens * (logits + width + 2 * seen)))


def available() -> int | None:
    """Bytes of free memory, according to Linux and to the limit of this process's container; None where neither is
    known."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        free = 1024 * sum(int(lines[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
    except (OSError, ValueError, KeyError):
        return None
    try:
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
        free = min(free, limit - used + int(statistics["file"]))  # the page cache gives way
    except (OSError, ValueError, KeyError):  # no container, or one without a limit ("max")
        pass
    return free


def _size(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
