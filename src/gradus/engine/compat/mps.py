"""`torch.mps`: Apple's GPUs, which this engine does not use."""

from __future__ import annotations

from typing import NoReturn

from gradus.engine.compat.absent import refuse

__getattr__ = refuse(__name__)


def is_available() -> bool:
    return False


def device_count() -> int:
    return 0


def manual_seed(seed: int) -> None:
    """No effect: there is no GPU generator."""


def synchronize() -> NoReturn:
    raise RuntimeError("Cannot execute deviceSynchronize() without MPS backend.")


def empty_cache() -> NoReturn:
    raise RuntimeError("Cannot execute emptyCache() without MPS backend.")
