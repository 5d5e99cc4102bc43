"""`torch.xpu`: Intel's GPUs, which this engine does not use."""

from __future__ import annotations

from typing import Any, NoReturn

from gradus.engine.compat.absent import refuse

__getattr__ = refuse(__name__)


def is_available() -> bool:
    return False


def is_initialized() -> bool:
    return False


def device_count() -> int:
    return 0


def manual_seed(seed: int) -> None:
    """No effect: there is no GPU generator."""


def manual_seed_all(seed: int) -> None:
    """No effect, as `manual_seed`."""


def empty_cache() -> None:
    """No effect: there is no cache."""


def memory_allocated(device: Any = None) -> int:
    return 0


def max_memory_allocated(device: Any = None) -> int:
    return 0


def synchronize(device: Any = None) -> NoReturn:
    raise AssertionError("Torch not compiled with XPU enabled")
